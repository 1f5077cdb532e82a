"""What a run produces: the model and its card."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

import sparring
from sparring.files import write_text
from sparring.model import Model
from sparring.runs.card import card
from sparring.seeds import reseed
from sparring.training.bounds import AIM
from sparring.training.clock import Clock
from sparring.training.view import RunView


def publish(
    run: RunView,
    scores: Mapping[str, float],
    problems: Sequence[Mapping[str, object]],
    stopped: bool,
    clock: Clock,
) -> None:
    """Write the model, with its averaged weights, and the card.

    Args:
        scores: the last Fréchet distance, its floor and the diversity, or nothing.
        problems: entries of `health.jsonl`.
        stopped: True if the user stopped the run before its bound.
        clock: counts the seconds of the run.
    """
    counts = {name: sum(p.numel() for p in net.parameters()) for name, net in run.game.named_children()}
    about: dict[str, Any] = {
        "data": run.settings.data,
        "name": run.settings.name,
        "items": run.settings.items,
        "fingerprint": run.settings.fingerprint,
        "step": run.step,
        "plan": round(run.progress, 4),
        "device": run.settings.device,
        "precision": run.settings.precision,
        "threads": run.threads_used,
        "seed": run.settings.seed,
        "exact": run.settings.exact,
        "rollbacks": run.salt,
        "stopped": stopped,
        "scores": dict(scores),
        **({} if run.settings.privacy is None else {"privacy": run.settings.privacy.as_json() | {"spent": run.spent}}),
        "problems": list(problems),
        "parameters": {name: count for name, count in counts.items() if count},
        "sparring": sparring.__version__,
        "torch": torch.__version__,
    }
    game = run.recipe.game(run.modality)
    game.load_state_dict(run.game.state_dict())
    for name in run.game.averaged:
        getattr(game, name).load_state_dict(getattr(run.average.game, name).state_dict())
    with torch.random.fork_rng([]):
        reseed(run.seeds.key("finish"), torch.device("cpu"))
        left = math.inf if run.bound.time is None else max(0.0, AIM * run.bound.time - clock.seconds)
        run.recipe.finish(game.eval(), run.modality, left)
    about["seconds"] = round(clock.seconds, 1)
    for result in run.folder.results():
        result.unlink(missing_ok=True)  # of the previous model
    Model(run.recipe, run.modality, game, about).replace(run.folder.model)
    newest = Path("samples") / f"{run.step:09}.png"
    text = card(run.recipe, run.modality, about, str(run.folder.path), newest.as_posix(), run.folder.curves.name)
    write_text(run.folder.card, text)

"""One process of a run: it plays the run on one rank."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import torch

from sparring import devices, recipes
from sparring.console import Screen, clock
from sparring.data.dataset import Dataset
from sparring.layers.recompute import recomputing
from sparring.memory import within_memory
from sparring.modalities import Modality
from sparring.runs.folder import RunFolder
from sparring.training.bounds import Bound
from sparring.training.exporter import Address, exported
from sparring.training.interrupts import noted
from sparring.training.launcher import find_launcher
from sparring.training.run import Run
from sparring.training.settings import Settings
from sparring.training.sizes import describe_weights

if TYPE_CHECKING:
    from lightning_fabric import Fabric

FEW_STEPS = 100  # after fewer, samples of every recipe are hardly better than noise

Ending = Callable[[], bool]  # whether the job has to end and is to be queued again


def train_spawned_rank(given: tuple[Any, ...], fabric: Fabric) -> None:
    """A run on a rank that this process was started for."""
    with noted(*find_launcher().signals) as ending:  # each rank receives them
        train_rank(fabric, *(*given, ending))


def train_rank(
    fabric: Fabric,
    recipe: str,
    fields: Mapping[str, Any],
    modality: Modality,
    data: Dataset,
    folder: RunFolder,
    settings: Settings,
    bound: Bound,
    quiet: bool,
    metrics: Address | None,
    ending: Ending,
) -> None:
    """A run on one of its ranks.

    Args:
        recipe, fields: by which the recipe is found, since it may be a user's own file.
        quiet: print nothing; the first rank alone prints anything.
        metrics: where the first rank's metrics are read.
    """
    launcher = find_launcher()
    screen = Screen(quiet or fabric.global_rank > 0)
    found = recipes.find(recipe).set(fields)
    with (
        torch.random.fork_rng(),
        within_memory(*found.sizes()),
        recomputing() if found.recompute else nullcontext(),
        found.running(),
        devices.threads(settings.threads),
    ):
        run = Run(found, modality, data, folder, settings, bound, fabric, screen)
        screen.say(describe_weights(run.game))
        if run.restore():
            screen.say(f"resumed at step {run.step}")
        with exported(run, metrics):
            finished = run.train(ending)
    if not finished and ending():
        if run.main:
            launcher.requeue()
        screen.say(f"stopped at step {run.step}; job {launcher.job} is queued again")
    elif not finished:
        screen.say(f"stopped at step {run.step}; continue with --resume")
    screen.say(f"{run.step} steps in {clock(run.seconds)}{_reached(run)}; the model is in {folder.model}")
    if few := _too_few(run):
        screen.say(few)


def _reached(run: Run) -> str:
    """How much of the time and of the plan a run has used, if it was bounded in time."""
    bound = run.bound
    if bound.time is None:
        return ""
    before = f" ({bound.reason})" if bound.reason and run.step == bound.steps else ""
    return f" of {clock(bound.time)}{before}, {run.progress:.0%} of the plan"


def _too_few(run: Run) -> str:
    """A line if the time sufficed for so few steps that no GAN has learned anything."""
    if run.bound.time is None or run.step >= FEW_STEPS:
        return ""
    name = run.recipe.name
    return (
        f"in {run.step} steps, hardly anything is learned: give more time (--resume --time), a smaller net "
        f"(sparring recipes {name} lists the fields), or a GPU"
    )

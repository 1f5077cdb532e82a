"""`evaluate(run)` measures how good a model's samples are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from sparring import devices
from sparring.console import Screen
from sparring.data.addresses import shown
from sparring.data.items import Items
from sparring.errors import InputError
from sparring.evaluation.audited import audited
from sparring.evaluation.feature_judge import FeatureJudge
from sparring.evaluation.ranks import Ranks
from sparring.metrics.results import Evaluation
from sparring.modalities import Modality
from sparring.modalities.judge import Judge, TrainingData
from sparring.model import Model, load
from sparring.privacy import promised

if TYPE_CHECKING:
    from lightning_fabric import Fabric


def evaluate(
    model: str | Path | Model,
    against: str | Path | None = None,
    samples: int | None = None,
    features: Sequence[str] = (),
    device: str = "auto",
    seed: int = 0,
    quiet: bool = True,
    trust: bool = False,
    ranks: int = 1,
    fabric: Fabric | None = None,
) -> Evaluation:
    """Compare a model's samples with real data.

    Args:
        model: a model, or the folder of a run. What `sparring audit` found out about the run is among the findings.
        against: name or path of the real data; by default the data that the model was trained on.
        samples: number of samples to evaluate; by default as many as suit the data. In features, at least 6, and by
            default 10,000, or a third of the data if that is less.
        features: names, as `sparring.evaluation.features.choose_features` takes them.
        device: where samples and features are computed.
        seed: of the samples.
        quiet: print nothing.
        trust: as for `sparring.load`.
        ranks: processes on this machine, one per device, that evaluate the samples together. The metrics do not depend
            on their number, except for the rounding of sums that several threads compute.
        fabric: connected to the processes that torchrun or srun has started, all of which call this function, in place
            of `ranks`.

    Raises:
        InputError: if the data cannot be found, are of another kind, or too few, or this kind is evaluated by one
            process.
    """
    place = devices.resolve(device)
    devices.check(place, "auto", ranks)
    work = partial(_evaluate, model, against, samples, features, place, seed, quiet, trust)
    if fabric is not None:
        return work(fabric)
    if ranks == 1:
        return work(None)
    if isinstance(model, Model):
        raise InputError(f"ranks={ranks} was given for a model in memory; save it, and give its folder")
    return devices.spread(devices.fabric(place, ranks=ranks), partial(_with_its_cores, work))


def _with_its_cores(work: Callable[[Fabric], Evaluation], fabric: Fabric) -> Evaluation:
    """On one of the ranks on this machine: evaluate with an equal share of its cores."""
    with devices.threads(max(1, devices.cores() // fabric.world_size) if fabric.device.type == "cpu" else 0):
        return work(fabric)


def _evaluate(
    model: str | Path | Model,
    against: str | Path | None,
    samples: int | None,
    features: Sequence[str],
    device: torch.device,
    seed: int,
    quiet: bool,
    trust: bool,
    fabric: Fabric | None,
) -> Evaluation:
    """The evaluation on one of its ranks."""
    ranks = Ranks(fabric)
    place, screen = device if fabric is None else fabric.device, Screen(quiet or ranks.rank > 0)
    with torch.random.fork_rng():
        trained = model if isinstance(model, Model) else load(model, str(place), trust)
        promise = promised(trained.about)
        for line in [] if promise is None else promise.lines():
            screen.say(line)
        judge = judge_of(trained, None if against is None else str(against), features, place, screen, ranks)
        evaluation = judge.evaluate(trained, samples, seed, screen)
    if isinstance(model, Model):
        return evaluation
    return replace(evaluation, findings=(*evaluation.findings, *audited(model)))


def judge_of(
    model: Model,
    against: str | None,
    features: Sequence[str],
    device: torch.device,
    screen: Screen,
    ranks: Ranks | None = None,
) -> Judge:
    """The judge that a model's kind of data declares, or else the generic one.

    Args:
        against: name or path of other real data.
        features: names.
        ranks: the processes that evaluate together.

    Raises:
        InputError: as `evaluate` does.
    """

    def judge(modality: Modality, training: TrainingData, other: Items | None, chosen: Sequence[str] = ()) -> Judge:
        options = {"features": tuple(chosen), "judge": judge}  # kinds of data of several parts judge each by its own
        own = modality.judge(training, other, options, screen.say)
        if own is not None and ranks is not None and ranks.number > 1:
            raise InputError(
                f"{modality.words.items} are evaluated by one process, and {ranks.number} ranks were given; give 1"
            )
        return own or FeatureJudge(modality, training, other, chosen, device, screen, ranks)

    other = None if against is None else model.find_items(against)
    return judge(model.modality, training_data(model), other, features)


def training_data(model: Model) -> TrainingData:
    """The data that a model was trained on, which are read when they are needed."""
    about = model.about
    return TrainingData(str(about["name"]), shown(str(about["data"])), int(about["items"]), model.find_items)

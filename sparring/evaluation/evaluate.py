"""`evaluate(run)` measures how good a model's samples are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from sparring.console import Screen
from sparring.data.addresses import shown
from sparring.data.items import Items
from sparring.devices import resolve
from sparring.evaluation.audited import audited
from sparring.evaluation.feature_judge import FeatureJudge
from sparring.metrics.results import Evaluation
from sparring.modalities import Modality
from sparring.modalities.judge import Judge, TrainingData
from sparring.model import Model, load
from sparring.privacy import promised


def evaluate(
    model: str | Path | Model,
    against: str | Path | None = None,
    samples: int | None = None,
    features: Sequence[str] = (),
    device: str = "auto",
    seed: int = 0,
    quiet: bool = True,
    trust: bool = False,
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

    Raises:
        InputError: if the data cannot be found, are of another kind, or too few.
    """
    place, screen = resolve(device), Screen(quiet)
    with torch.random.fork_rng():
        trained = model if isinstance(model, Model) else load(model, str(place), trust)
        promise = promised(trained.about)
        for line in [] if promise is None else promise.lines():
            screen.say(line)
        judge = judge_of(trained, None if against is None else str(against), features, place, screen)
        evaluation = judge.evaluate(trained, samples, seed, screen)
    if isinstance(model, Model):
        return evaluation
    return replace(evaluation, findings=(*evaluation.findings, *audited(model)))


def judge_of(model: Model, against: str | None, features: Sequence[str], device: torch.device, screen: Screen) -> Judge:
    """The judge that a model's kind of data declares, or else the generic one.

    Args:
        against: name or path of other real data.
        features: names.

    Raises:
        InputError: as `evaluate` does.
    """

    def judge(modality: Modality, training: TrainingData, other: Items | None, chosen: Sequence[str] = ()) -> Judge:
        options = {"features": tuple(chosen), "judge": judge}  # kinds of data of several parts judge each by its own
        own = modality.judge(training, other, options, screen.say)
        return own or FeatureJudge(modality, training, other, chosen, device, screen)

    other = None if against is None else model.find_items(against)
    return judge(model.modality, training_data(model), other, features)


def training_data(model: Model) -> TrainingData:
    """The data that a model was trained on, which are read when they are needed."""
    about = model.about
    return TrainingData(str(about["name"]), shown(str(about["data"])), int(about["items"]), model.find_items)

"""How good a model's paths are."""

from __future__ import annotations

from dataclasses import replace

from sparring.console import Screen
from sparring.errors import InputError
from sparring.metrics.results import Evaluation
from sparring.modalities import Series, find
from sparring.modalities.series.judge import MIN_STEPS, SeriesJudge
from sparring.modalities.series.series import training_steps
from sparring.modalities.series.stylized_facts import draw_stylized_facts
from sparring.model import Model


def against_paths(model: Model, data: str | None, screen: Screen) -> SeriesJudge:
    """What holds paths against a model's training data and what came after them.

    Args:
        data: a later series, that the model has not seen, in place of the last tenth of what it was given.

    Raises:
        InputError: where the training data are not there any more, or what came after is too short.
    """
    modality, source = model.modality, str(model.about["data"])
    assert isinstance(modality, Series)
    try:
        items = find(source)
        known = replace(items, items=items.items[: model.about["items"]])  # what came since then is unseen
        values, then = modality.values(items), len(modality.values(known))
    except InputError as error:
        raise InputError(f"{error}; judging paths needs the data that the model was trained on") from error
    if len(items) < model.about["items"]:
        raise InputError(
            f"{source} had {model.about['items']:,} steps when the model was trained and has {len(items):,}"
        )
    trained = training_steps(then)
    later = values[trained:] if data is None else modality.values(find(data))
    if len(later) < MIN_STEPS:
        raise InputError(f"{len(later)} steps that the model has not seen are too few to judge by; give --against FILE")
    return SeriesJudge(modality, values[:trained], later, screen.say)


def judged_paths(model: Model, against: SeriesJudge, samples: int | None, seed: int, screen: Screen) -> Evaluation:
    """An evaluation of so many paths, each as long as what came after the training data.

    Raises:
        InputError: where too few paths were asked for.
    """
    n = samples or against.n
    if n < 2:
        raise InputError(f"{n} paths cannot be judged; ask for at least 2")
    floor, baselines = against.floor, against.baselines
    screen.say(f"judging {n:,} paths")
    made = against.walks(model.sample(n, seed=seed, length=against.length).items)
    numbers = against.numbers(made)
    return Evaluation(
        data=str(model.about["name"]),
        protocol=(
            f"{n:,} paths of {against.length:,} steps against as many steps that came after the "
            f"{against.train.shape[1]:,} that were trained on; real: these, in pieces as long; shuffled: their steps "
            "in any order; bootstrap: blocks of them, of 20 steps on the mean"
        ),
        samples=n,
        real=against.length,
        numbers=tuple(numbers),
        floor=tuple(floor),
        baselines=baselines,
        findings=tuple(against.findings(made, numbers)),
        picture=draw_stylized_facts(against, made),
    )

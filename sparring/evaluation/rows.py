"""How good a model's rows are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sparring.console import Screen
from sparring.data import Items
from sparring.data.split import held_out
from sparring.errors import InputError
from sparring.metrics.results import Evaluation
from sparring.modalities import Table, find
from sparring.modalities.tables.judge import TableJudge
from sparring.model import Model

if TYPE_CHECKING:
    from pandas import DataFrame

MOST = 50_000  # rows of either kind that are looked at
FEWEST = 20


def against_rows(model: Model, data: str | None, screen: Screen) -> TableJudge:
    """What holds rows against a model's training data and those that were held out of them.

    Args:
        data: other rows, that the model has not seen, in place of those held out.

    Raises:
        InputError: where the training data are not there any more, or too few.
    """
    modality, source = model.modality, str(model.about["data"])
    assert isinstance(modality, Table)
    try:
        items = find(source)
    except InputError as error:
        raise InputError(f"{error}; judging rows needs the data that the model was trained on") from error
    unchanged(model, items)
    held = held_out(len(items), None)
    train, apart = items.items[~held], items.items[held] if data is None else find(data).items
    if len(apart) < FEWEST or len(train) < FEWEST:
        raise InputError(f"{len(apart)} rows that the model has not seen are too few to judge by; give --against FILE")
    missing = [c.name for c in modality.learned if c.name not in apart or c.name not in train]
    if missing:
        raise InputError(f"{data or source} has no column {missing[0]!r}, which the model makes")
    return TableJudge(modality, _some(train), _some(apart), screen.say)


def unchanged(model: Model, items: Items) -> None:
    """See that which rows were held out can still be told.

    Raises:
        InputError: where there are more or fewer than when the model was trained.
    """
    if len(items) != model.about["items"]:
        was = (
            f"{model.about['data']} had {model.about['items']:,} rows when the model was trained and has {len(items):,}"
        )
        raise InputError(f"{was}, so that none is known to be unseen; give the data as they were")


def _some(frame: DataFrame) -> DataFrame:
    rows = np.random.default_rng(0).permutation(len(frame))[:MOST]
    return frame.iloc[rows].reset_index(drop=True)


def judged_rows(model: Model, against: TableJudge, samples: int | None, seed: int, screen: Screen) -> Evaluation:
    """An evaluation of as many samples as there are training rows, unless told."""
    n = samples or len(against.train)
    if n < FEWEST:
        raise InputError(f"{n} rows cannot be judged; ask for at least {FEWEST}")
    floor, baselines = against.floor, against.baselines
    screen.say(f"judging {n:,} rows")
    drawn = model.sample(n, seed=seed)
    made = against.modality.rows(drawn.items)
    numbers = against.numbers(made)
    return Evaluation(
        data=str(model.about["name"]),
        protocol=(
            f"{n:,} rows against {len(against.train):,} that were trained on and {len(against.held):,} that were not; "
            "real: the latter, for what is learnt as many training rows; independent: every column drawn for itself; "
            f"shuffled in class: among rows of one {against.names[against.target]}; copy: the training rows"
        ),
        samples=n,
        real=len(against.held),
        numbers=tuple(numbers),
        floor=tuple(floor),
        baselines=baselines,
        findings=tuple(against.findings(made, numbers)),
        picture=drawn.preview(),
    )

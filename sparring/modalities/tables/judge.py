"""The judge of tables: generated rows next to training rows, held-out rows and three trivial baselines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from math import nan
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sparring.data.items import Items
from sparring.errors import InputError
from sparring.metrics import tables
from sparring.metrics.results import Evaluation, Finding, Number
from sparring.metrics.tables import Floats, Rows
from sparring.modalities.judge import Console, Judge, Sampler, TrainingData
from sparring.modalities.samples import Samples
from sparring.modalities.tables.files.parts import Parts, taken

if TYPE_CHECKING:
    from pandas import DataFrame

    from sparring.modalities.tables.table import Table

Say = Callable[[str], None]
MAX_ROWS = 50_000  # training rows and held-out rows that are compared, each
MIN_ROWS = 20
MAX_DCR_ROWS = 2000  # generated rows whose closest record is searched
FLOOR_TRAIN = 4  # training rows for each held-out row that the floor of learned metrics is measured with
MEMORIZED = 0.03  # excess of dcr_share over 0.5 that counts as memorization
EASY = 0.9  # c2st_auc above which generated rows are easy to distinguish
POOR_SHAPE = 0.9  # similarity below which a column is reported
MAX_COLUMNS = 5  # columns listed in a finding
MAX_COPIES = 0.01  # share of exact copies beyond twice the share among held-out rows


class TableJudge(Judge):
    """Compares rows with training rows and with held-out rows.

    Args:
        modality: fitted to the data.
        train, held: rows that the model was trained on, and rows that it was not trained on.
        say: receives progress messages.
        name: of the data.
    """

    def __init__(
        self, modality: Table, train: DataFrame, held: DataFrame, say: Say = lambda _: None, name: str = "the data"
    ) -> None:
        self.modality, self.say, self.name = modality, say, name
        self.train, self.held = modality.rows(train), modality.rows(held)
        self.target = modality.target_index

    @property
    def axes(self) -> tuple[str, str]:
        return "column_shapes", "column_pair_trends"

    @property
    def names(self) -> list[str]:
        """Names of the evaluated columns."""
        return [column.name for column in self.modality.learned]

    def evaluate(self, model: Sampler, n: int | None, seed: int, console: Console) -> Evaluation:
        """Evaluate n rows, or as many as there are training rows."""
        n = n or len(self.train)
        if n < MIN_ROWS:
            raise InputError(f"{n} rows are too few to evaluate; give at least {MIN_ROWS}")
        console.say(f"evaluating {n:,} rows")
        return self._evaluation(model.sample(n, seed=seed))

    def evaluate_items(self, items: Items, console: Console) -> Evaluation:
        frame = items.items.drawn(MAX_ROWS) if isinstance(items.items, Parts) else items.items
        if missing := [name for name in self.names if name not in frame]:
            raise InputError(f"{items.name!r} has no column {missing[0]!r}, which the real rows have")
        if len(frame) < MIN_ROWS:
            raise InputError(f"{items.name!r} has {len(frame)} rows; evaluating needs at least {MIN_ROWS}")
        console.say(f"evaluating {len(frame):,} rows")
        return self._evaluation(Samples(frame, None, self.modality))

    def _evaluation(self, samples: Samples) -> Evaluation:
        floor, baselines = self.floor, self.baselines
        generated, n = self.modality.rows(samples.items), len(samples)
        numbers = self.numbers(generated)
        return Evaluation(
            data=self.name,
            protocol=(
                f"{n:,} rows compared with {len(self.train):,} training rows and {len(self.held):,} held-out rows; "
                "real: the held-out rows, except that tstr and c2st_auc take training rows; independent: every column "
                f"permuted; shuffled_within_class: columns permuted among rows with equal {self.names[self.target]}; "
                "copy: the training rows"
            ),
            samples=n,
            real=len(self.held),
            numbers=tuple(numbers),
            floor=tuple(floor),
            baselines=baselines,
            findings=tuple(self.findings(generated, numbers)),
            picture=samples.preview(),
        )

    @cached_property
    def floor(self) -> list[Number]:
        """Metrics of held-out rows. A classifier cannot be trained and tested on the same rows, so that `tstr` and
        `c2st_auc` are those of training rows, compared with held-out ones.
        """
        self.say(f"evaluating {len(self.held):,} held-out rows")
        random = np.random.default_rng(0)
        train = self.train.take(random.permutation(len(self.train))[: FLOOR_TRAIN * len(self.held)])
        halves = np.array_split(np.random.default_rng(0).permutation(len(self.held)), 2)
        a, b = (self.held.take(rows) for rows in halves)
        held = {
            "exact_copy_share": tables.exact_copy_share(self.held, self.train),
            "dcr_share": tables.dcr_share(a, self.train, b),
            "column_shapes": float(tables.column_shapes(self.train, self.held).mean()),
            "column_pair_trends": float(tables.column_pair_trends(self.train, self.held).mean()),
        }
        return [Number(n.name, held.get(n.name, n.value), n.best, share=n.share) for n in self.numbers(train)]

    @cached_property
    def baselines(self) -> dict[str, list[Number]]:
        """Metrics of three trivial baselines: columns permuted independently, columns permuted among rows with the same
        level of the target, and the training rows themselves.
        """
        random = np.random.default_rng(0)
        self.say("evaluating the baselines")
        values = self.train.values
        independent = np.stack([random.permutation(column) for column in values.T], 1)
        shuffled = values.copy()
        levels = self._target_levels(values)
        for level in np.unique(levels):
            rows = np.flatnonzero(levels == level)
            for i in range(values.shape[1]):
                shuffled[rows, i] = values[random.permutation(rows), i]
        baselines = {"independent": independent, "shuffled_within_class": shuffled, "copy": values}
        return {name: self.numbers(Rows(rows, self.train.category)) for name, rows in baselines.items()}

    def _target_levels(self, values: Floats) -> Floats:
        """Levels of the target, or its deciles if it is a number."""
        column = values[:, self.target]
        if self.train.category[self.target]:
            return column
        edges = np.nanquantile(column, np.linspace(0, 1, 11)[1:-1])
        return np.where(np.isnan(column), -1, np.searchsorted(edges, column)).astype(float)

    def numbers(self, generated: Rows) -> list[Number]:
        """All metrics of rows."""
        subset = generated.take(np.random.default_rng(0).permutation(len(generated))[:MAX_DCR_ROWS])
        predicted = tables.tstr(generated, self.held, self.target)
        target = self.names[self.target]
        pairs = tables.column_pair_trends(self.train, generated)
        shapes = tables.column_shapes(self.train, generated)
        return [
            Number("column_shapes", float(shapes.mean()), "high", share=True),
            Number("column_pair_trends", float(pairs.mean()) if len(pairs) else nan, "high", share=True),
            Number("c2st_auc", tables.c2st_auc(self.held, generated), "low"),
            *(Number(f"tstr[{target} {measure}]", value, "high") for measure, value in predicted.items()),
            Number("exact_copy_share", tables.exact_copy_share(generated, self.train), "real", share=True),
            Number("dcr_share", tables.dcr_share(subset, self.train, self.held), "real", share=True),
        ]

    def findings(self, generated: Rows, numbers: list[Number]) -> list[Finding]:
        """Problems of rows; [] if nothing stands out."""
        value = {n.name: n.value for n in numbers}
        floor = {n.name: n.value for n in self.floor}
        findings = []
        shapes = tables.column_shapes(self.train, generated)
        poor = [f"{self.names[i]} {shapes[i]:.0%}" for i in np.argsort(shapes) if shapes[i] < POOR_SHAPE]
        if poor:
            advice = "train longer, or specify the kind of the column (columns=NAME=KIND)"
            findings.append(
                Finding("columns with a wrong distribution", f"similarity: {', '.join(poor[:MAX_COLUMNS])}", advice)
            )
        if value["c2st_auc"] > EASY:
            evidence = f"c2st_auc {value['c2st_auc']:.2f}; 0.5 is best"
            findings.append(Finding("easy to distinguish from real rows", evidence, "train longer"))
        copies, dcr = value["exact_copy_share"], value["dcr_share"]
        allowed = 0.5 + MEMORIZED + 0.5 * max(0.0, floor["dcr_share"] - 0.5)
        if copies > MAX_COPIES + 2 * floor["exact_copy_share"] or dcr > allowed:
            evidence = f"{copies:.1%} are exact copies, {dcr:.1%} are closer to training rows than to held-out rows"
            findings.append(Finding("copies", evidence, "train on more rows, or for fewer steps"))
        return findings


def table_judge(
    modality: Table, training: TrainingData, against: Items | None, options: Mapping[str, Any], say: Say
) -> TableJudge:
    """See `Modality.judge`."""
    if features := options.get("features"):
        raise InputError(f"features={features[0]} is not for rows, which have their own metrics; remove --features")
    training.check_unchanged(modality.words.items)
    if against is not None and not modality.accepts(against):
        raise InputError(f"{against.name!r} holds {against.kind}, but the model generates rows; give such data")
    split = modality.split(training.items)
    data = training.items.items
    source = training.source if against is None else against.name
    held_data, held_rows = (data, split.held) if against is None else (against.items, np.arange(len(against)))
    missing = [name for name in _names(modality) if name not in held_data or name not in data]
    if missing:
        raise InputError(f"{source} has no column {missing[0]!r}, which the model generates")
    if len(held_rows) < MIN_ROWS or len(split.train) < MIN_ROWS:
        raise InputError(
            f"{source} has {len(held_rows)} held-out rows, which is too few to evaluate; give --against FILE"
        )
    train, held = _subset(data, split.train), _subset(held_data, held_rows)
    return TableJudge(modality, train, held, say, training.name)


def _names(modality: Table) -> list[str]:
    return [column.name for column in modality.learned]


def _subset(data: DataFrame | Parts, rows: NDArray[np.int64]) -> DataFrame:
    return taken(data, rows[np.random.default_rng(0).permutation(len(rows))[:MAX_ROWS]])

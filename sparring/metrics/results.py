"""Results of an evaluation as plain data: metrics, findings, and the evaluation that holds both."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path
from typing import Any, Literal, NotRequired, TypedDict, cast

from PIL import Image

from sparring.errors import InputError
from sparring.json_files import read_json

Best = Literal["low", "high", "real"]
ARROWS: dict[Best, str] = {"low": "↓", "high": "↑", "real": "≈"}  # beside a metric

FIELDS = ("value", "error", "real", "best")  # of a metric in JSON; its other entries are baselines
# Names of metrics and baselines in older files, and their names now.
RENAMED = {
    "as asked": "conditional_accuracy",
    "as given": "identity",
    "autocorrelation": "acf",
    "class diversity": "class_diversity",
    "classes": "classes_covered",
    "closer to training": "dcr_share",
    "column shapes": "column_shapes",
    "consistency": "lr_psnr",
    "copies": "exact_copy_share",
    "correlations": "cross_correlation",
    "earth mover": "wasserstein",
    "error": "mae",
    "error in holes": "mae[holes]",
    "imbalance": "class_imbalance",
    "learnt from": "tstr",
    "memorised": "memorization",
    "near copies": "near_copy_share",
    "near-copies": "near_copy_share",
    "of sizes": "acf_abs",
    "pair trends": "column_pair_trends",
    "shuffled in class": "shuffled_within_class",
    "spectrum": "spectral_distance",
    "told apart": "discriminative_score",
    "told apart[auc]": "c2st_auc",
}


def current_name(name: str) -> str:
    """The current name of a metric or a baseline that an older version may have written."""
    if name in RENAMED:
        return RENAMED[name]
    if level := re.fullmatch(r"below VaR (.+)", name):
        return f"var_coverage[{level[1]}]"
    base, bracket, rest = name.partition("[")
    return RENAMED.get(base, base) + bracket + rest


@dataclass(frozen=True)
class Number:
    """The value of one metric.

    Attributes:
        name: of the metric, with the features that it uses in brackets, such as `fid[classifier]`.
        value: for the samples; NaN if it is undefined.
        best: whether low values, high values, or the values of real data are best.
        error: standard error of the value; NaN if it is unknown.
        share: True for a fraction that is shown in percent.
    """

    name: str
    value: float
    best: Best
    error: float = math.nan
    share: bool = False

    def __str__(self) -> str:
        if math.isnan(self.value):
            return "-"
        if self.share:
            return f"{self.value:.1%}"
        return _rounded(self.value) + ("" if math.isnan(self.error) else f" ± {_rounded(self.error, 2)}")


def _rounded(value: float, digits: int = 3) -> str:
    """A value with a number of significant digits."""
    if abs(value) >= 100 or float(value).is_integer():
        return f"{value:,.0f}"
    if 0 < abs(value) < 0.001:
        return f"{value:.0e}"
    return f"{value:.{max(0, digits - 1 - math.floor(math.log10(abs(value))))}f}"


@dataclass(frozen=True)
class Finding:
    """A problem with samples, or with the training that they come from.

    Attributes:
        name: of the problem.
        evidence: the numbers that show it.
        advice: what to change.
    """

    name: str
    evidence: str
    advice: str

    def __str__(self) -> str:
        return f"{self.name} ({self.evidence}); {self.advice}"


@dataclass(frozen=True)
class Evaluation:
    """The evaluation of a model's samples.

    Attributes:
        data: name of the data set that samples are compared with.
        protocol: how the metrics were computed, in a sentence.
        samples, real: number of evaluated samples, and of real items that the floor was computed with.
        numbers: metrics of the samples.
        floor: metrics of real items in the samples' place.
        baselines: metrics of trivial generators, by the name of the baseline.
        findings: problems that stand out.
        picture: samples next to real data, for kinds of data where it shows more than a sheet of samples.
    """

    data: str
    protocol: str
    samples: int
    real: int
    numbers: tuple[Number, ...]
    floor: tuple[Number, ...]
    baselines: Mapping[str, Sequence[Number]]
    findings: tuple[Finding, ...]
    picture: Image.Image | None = None

    def __getitem__(self, name: str) -> float:
        """A metric of the samples by its name, such as `fid[patches]`."""
        return self._value(self.numbers, name)

    def of_real(self, name: str) -> float:
        """The same metric of real items."""
        return self._value(self.floor, name)

    def of_baseline(self, baseline: str, name: str) -> float:
        """The same metric of a baseline."""
        return self._value(self.baselines[baseline], name)

    def _value(self, numbers: Sequence[Number], name: str) -> float:
        values = {number.name: number.value for number in numbers}
        if name not in values:
            raise InputError(f"{name!r} was not measured; choose from {', '.join(values)}")
        return values[name]

    @property
    def head(self) -> list[str]:
        """Column names of a table of the metrics."""
        return ["metric", "samples", "real", *self.baselines]

    def rows(self) -> list[tuple[Number, list[Number | None]]]:
        """Each metric of the samples, with those of the floor and of each baseline."""
        others = [{number.name: number for number in numbers} for numbers in (self.floor, *self.baselines.values())]
        return [(number, [column.get(number.name) for column in others]) for number in self.numbers]

    def cells(self) -> list[list[str]]:
        """The rows of a table of the metrics as text. The last cell is the arrow that says which values are best."""
        return [
            [number.name, *("-" if value is None else str(value) for value in (number, *others)), ARROWS[number.best]]
            for number, others in self.rows()
        ]

    def _repr_html_(self) -> str:
        """The table and the findings, for a notebook."""
        head = "".join(f"<th>{escape(name)}</th>" for name in (*self.head, ""))
        rows = ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in self.cells()]
        body = "".join(f"<tr>{row}</tr>" for row in rows)
        findings = [str(finding) for finding in self.findings] or ["no problems found"]
        listed = "".join(f"<li>{escape(finding)}</li>" for finding in findings)
        return f"<table><tr>{head}</tr>{body}</table><p>{escape(self.protocol)}</p><ul>{listed}</ul>"

    def content(self) -> dict[str, Any]:
        """Everything but the picture as JSON; undefined values are null."""
        numbers = {}
        for number, others in self.rows():
            values = [None if other is None else _defined(other.value) for other in others]
            numbers[number.name] = {
                "value": _defined(number.value),
                "error": _defined(number.error),
                **dict(zip(("real", *self.baselines), values, strict=True)),
                "best": number.best,
            }
        return {
            "data": self.data,
            "protocol": self.protocol,
            "samples": self.samples,
            "real": self.real,
            "numbers": numbers,
            "findings": [asdict(finding) for finding in self.findings],
        }


class StoredNumber(TypedDict):
    """A metric in an `evaluation.json`. Its other entries are baselines."""

    value: float | None
    error: NotRequired[float | None]
    real: NotRequired[float | None]
    best: Best


class StoredEvaluation(TypedDict):
    """The part of an `evaluation.json` that is read again."""

    numbers: dict[str, StoredNumber]


def read_numbers(path: Path) -> dict[str, StoredNumber]:
    """The metrics of an `evaluation.json`, with current names, whichever version wrote it.

    Raises:
        InputError: if it cannot be read, or does not have the format of `Evaluation.content`.
    """
    return _current(read_json(path, StoredEvaluation)["numbers"])


def _current(numbers: Mapping[str, StoredNumber]) -> dict[str, StoredNumber]:
    """Metrics with current names, as those of their baselines."""
    renamed = {
        current_name(name): {key if key in FIELDS else current_name(key): value for key, value in number.items()}
        for name, number in numbers.items()
    }
    return cast(dict[str, StoredNumber], renamed)


def _defined(value: float) -> float | None:
    return None if math.isnan(value) else value

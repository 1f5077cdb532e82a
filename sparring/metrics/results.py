"""What judging gives: numbers, findings and an evaluation of both, as plain results."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from PIL import Image

from sparring.errors import InputError

Best = Literal["low", "high", "real"]


@dataclass(frozen=True)
class Number:
    """Attributes:
    name: with the features it is made with in brackets, such as `fid[classifier]`.
    value: of the samples; NaN where it cannot be told.
    best: low, high, or as real data have it.
    error: the standard error of the value, NaN where it is not known.
    share: whether it is read in percent.
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
        return _short(self.value) + ("" if math.isnan(self.error) else f" ± {_short(self.error, 2)}")


def _short(value: float, digits: int = 3) -> str:
    """With so many digits."""
    if abs(value) >= 100 or float(value).is_integer():
        return f"{value:,.0f}"
    if 0 < abs(value) < 0.001:
        return f"{value:.0e}"
    return f"{value:.{max(0, digits - 1 - math.floor(math.log10(abs(value))))}f}"


@dataclass(frozen=True)
class Finding:
    """Something that is wrong with samples, or with the training that made them.

    Attributes:
        name: what it is.
        seen: the numbers that show it.
        advice: what to change.
    """

    name: str
    seen: str
    advice: str

    def __str__(self) -> str:
        return f"{self.name} ({self.seen}); {self.advice}"


@dataclass(frozen=True)
class Evaluation:
    """What has been found about a model's samples.

    Attributes:
        data: the set that they were held against.
        protocol: how, in a sentence.
        samples, real: how many were judged, of the model's and of the floor's.
        numbers: of the model's samples.
        floor: of real items in their place.
        baselines: of what is no generator, by name.
        findings: what stands out as wrong.
        picture: of samples beside real data, where there is more to see than on a sheet.
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
        """A number of the model's samples by its name, such as `fid[patches]`."""
        return self._of(self.numbers, name)

    def of_real(self, name: str) -> float:
        """The same number of real items."""
        return self._of(self.floor, name)

    def of_baseline(self, baseline: str, name: str) -> float:
        """The same number of what is no generator."""
        return self._of(self.baselines[baseline], name)

    def _of(self, numbers: Sequence[Number], name: str) -> float:
        known = {number.name: number.value for number in numbers}
        if name not in known:
            raise InputError(f"{name!r} was not measured; choose from {', '.join(known)}")
        return known[name]

    @property
    def head(self) -> list[str]:
        """Of a table of the numbers."""
        return ["number", "samples", "real", *self.baselines]

    def rows(self) -> list[tuple[Number, list[Number | None]]]:
        """Each number, and beside it the floor's and those of the baselines."""
        others = [{number.name: number for number in numbers} for numbers in (self.floor, *self.baselines.values())]
        return [(number, [known.get(number.name) for known in others]) for number in self.numbers]

    def content(self) -> dict[str, Any]:
        """All of it as JSON has it; null for what cannot be told."""
        numbers = {}
        for number, others in self.rows():
            told = [None if other is None else _told(other.value) for other in others]
            beside = dict(zip(("real", *self.baselines), told, strict=True))
            numbers[number.name] = {
                "value": _told(number.value),
                "error": _told(number.error),
                **beside,
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


def _told(value: float) -> float | None:
    return None if math.isnan(value) else value

"""Forms: how the values of a column are written as text."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Texts = NDArray[np.object_]
Measure = Literal["numbers", "dates", "times", "durations"]


@dataclass(frozen=True)
class Form(ABC):
    """How the values of a column are written: each text is a number, and each number has one text.

    Attributes:
        kind: of the form, for JSON.
        measure: what the numbers count. Only columns of one measure can be compared.
    """

    kind: str = ""
    measure: ClassVar[Measure] = "numbers"

    @property
    @abstractmethod
    def dtype(self) -> str:
        """pandas dtype of the values in memory; "string" if they stay text."""

    @property
    def unit(self) -> int:
        """Microseconds that the number 1 stands for, counted from 1970 for dates; 0 if it is no fixed time."""
        return 0

    @property
    def step(self) -> float:
        """All numbers are multiples of it; 0 if it is unknown."""
        return 0.0

    @abstractmethod
    def numbers(self, texts: Sequence[Any]) -> Floats:
        """The numbers of texts, (n,); NaN for None and for what is not written in this form."""

    @abstractmethod
    def texts(self, numbers: Floats) -> Texts:
        """The texts of numbers, (n,); None for NaN."""

    def comparable(self, numbers: Floats) -> Floats:
        """Numbers on the scale of their measure: microseconds for dates, times and durations."""
        return numbers * self.unit if self.unit else numbers

    def from_comparable(self, values: Floats) -> Floats:
        """The inverse of `comparable`; what lies within a unit is cut off."""
        return np.floor(values / self.unit) if self.unit else values


@dataclass(frozen=True)
class TimeForm(Form):
    """How dates, times or durations are written. Numbers count units of time.

    Attributes:
        unit_: microseconds that all values are multiples of; 0 if they are multiples of no fixed time.
    """

    unit_: int = 0

    @property
    def unit(self) -> int:
        return self.unit_

    @property
    def step(self) -> float:
        return 1.0


def unique_texts(texts: Sequence[Any]) -> tuple[list[str], NDArray[np.int64]]:
    """The different texts without surrounding spaces, and the index of each text among them; -1 for None."""
    index: dict[str, int] = {}
    codes = np.full(len(texts), -1, np.int64)
    for i, text in enumerate(texts):
        if isinstance(text, str):
            codes[i] = index.setdefault(text.strip(), len(index))
    return list(index), codes


def spread(values: Floats, codes: NDArray[np.int64]) -> Floats:
    """A value for each code; NaN for -1."""
    return np.append(values, np.nan)[codes]

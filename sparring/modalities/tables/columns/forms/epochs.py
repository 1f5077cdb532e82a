"""Moments as numbers of seconds since 1970, or of parts of a second, as exchanges and programs store them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sparring.modalities.tables.columns.forms.base import Floats, Measure, Texts, TimeForm, spread, unique_texts
from sparring.modalities.tables.columns.forms.dates import SECOND, UNITS

PER_SECOND = {1: "seconds", 10**3: "milliseconds", 10**6: "microseconds", 10**9: "nanoseconds"}
EARLIEST, LATEST = 631_152_000, 2_524_608_000  # seconds: 1990 and 2050
MIN_MOMENTS = 10  # different ones
MIN_SECONDS = 10**7  # of a number that is read as a moment
MIN_INTERVAL = 60  # seconds between moments of a column whose name does not say that they are some
MIN_REGULAR = 0.5  # share of the intervals that are equal, then
TIME_NAME = re.compile(r"time|date|epoch|unix|stamp|(^|[\W_])(ts|at)$|^t$|[a-z]At$", re.IGNORECASE)
WHOLE = re.compile(r"-?\d{1,20}")


@dataclass(frozen=True)
class EpochForm(TimeForm):
    """Moments since 1970 as whole numbers. Numbers of the form count units of time.

    Attributes:
        per_second: what is counted, such as 1000 for milliseconds.
        unit_: microseconds that all values are multiples of.
    """

    kind: str = "epoch"
    per_second: int = 1
    unit_: int = SECOND
    measure: ClassVar[Measure] = "dates"

    @property
    def dtype(self) -> str:
        return "Int64"

    @property
    def counted(self) -> str:
        """What is counted, in words."""
        return PER_SECOND[self.per_second]

    def numbers(self, texts: Sequence[Any]) -> Floats:
        different, codes = unique_texts(texts)
        return spread(np.array([self._number(text) for text in different], np.float64), codes)

    def _number(self, text: str) -> float:
        if not WHOLE.fullmatch(text) or abs(int(text)) < MIN_SECONDS * self.per_second:
            return np.nan
        return float(int(text) * SECOND // self.per_second // self.unit_)

    def texts(self, numbers: Floats) -> Texts:
        written = np.empty(len(numbers), object)
        written[:] = [None if np.isnan(x) else str(round(x) * self.unit_ * self.per_second // SECOND) for x in numbers]
        return written


def epoch_form(name: str, values: Sequence[int]) -> EpochForm | None:
    """The form of moments in whole numbers; None if they are other numbers.

    Args:
        name: of the column, which must say so unless the values are equally far apart.
        values: different ones, in order.
    """
    values = [value for value in values if value]
    if len(values) < MIN_MOMENTS:
        return None
    per_second = next((n for n in PER_SECOND if EARLIEST * n <= values[0] and values[-1] < LATEST * n), 0)
    if not per_second or not (TIME_NAME.search(name) or _is_regular(values, per_second)):
        return None
    microseconds = [value * SECOND // per_second for value in values]
    return EpochForm(per_second=per_second, unit_=next(u for u in UNITS if not any(m % u for m in microseconds)))


def _is_regular(values: Sequence[int], per_second: int) -> bool:
    different, counts = np.unique(np.diff(np.array(values, np.int64)), return_counts=True)
    most = int(counts.argmax())
    return bool(different[most] >= MIN_INTERVAL * per_second and counts[most] >= MIN_REGULAR * counts.sum())

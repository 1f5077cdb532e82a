"""A number about samples, with what it takes to read it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

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

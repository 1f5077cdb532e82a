"""Columns of numbers and dates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sparring.errors import InputError
from sparring.modalities.tables.columns.column import Column
from sparring.modalities.tables.columns.values import MISSING, Codes, Floats, rounded

if TYPE_CHECKING:
    from pandas import Series

KNOTS_PER_BIN = 8  # of the quantile function


@dataclass(frozen=True)
class Number(Column):
    """Integers, decimals or dates. Spikes (values far more frequent than their neighbors) are levels. The others are
    divided into quantile bins; the scalar is the position within the bin, transformed so that it is uniform.

    Attributes:
        spikes: values that are levels; None for a missing value.
        spike_counts: of each spike in the data.
        knots: of the quantile function of all other values, `KNOTS_PER_BIN` per bin and one more.
        bin_counts: number of values in each bin.
        step: all values are multiples of it; 0 if there is none.
        unit: microseconds per unit of a date's number; 0 for numbers.
    """

    kind: str = "number"
    spikes: tuple[float | None, ...] = ()
    spike_counts: tuple[int, ...] = ()
    knots: tuple[float, ...] = ()
    bin_counts: tuple[int, ...] = ()
    step: float = 0.0
    unit: int = 0

    def counted(self) -> list[tuple[Sequence[Any], tuple[int, ...]]]:
        return [(self.spikes, self.spike_counts), (range(self.bins), self.bin_counts)]

    @property
    def microseconds(self) -> int:
        return self.unit

    @property
    def bins(self) -> int:
        return max(0, (len(self.knots) - 1) // KNOTS_PER_BIN)

    @property
    def width(self) -> int:
        return len(self.spikes) + self.bins

    @property
    def bare_codes(self) -> int | None:
        return len(self.spikes) if self.bins else None

    def encode(self, values: Series) -> tuple[Codes, Floats]:
        return self.encode_numbers(self.numbers(values))

    def encode_numbers(self, x: Floats) -> tuple[Codes, Floats]:
        """Codes and scalars of the column's numbers, each (n,)."""
        codes, scalars = np.zeros(len(x), np.int64), np.zeros(len(x))
        if self.bins:
            positions = self._positions(np.nan_to_num(x))
            bins = np.floor(positions).clip(0, self.bins - 1)
            codes = bins.astype(np.int64) + len(self.spikes)
            scalars = (2 * (positions - bins) - 1).clip(-1, 1)
        elif known := [spike for spike in self.spikes if spike is not None]:
            nearest = np.abs(np.nan_to_num(x)[:, None] - np.array(known)).argmin(1)
            codes = np.array([self.spikes.index(spike) for spike in known], np.int64)[nearest]
        for code, spike in enumerate(self.spikes):
            equal = np.isnan(x) if spike is None else x == spike
            codes[equal], scalars[equal] = code, 0.0
        return codes, np.nan_to_num(scalars)

    def _positions(self, x: Floats) -> Floats:
        """Positions in bins and fractions of bins. A value that equals several knots is in the middle of these."""
        knots, grid = np.array(self.knots), np.arange(len(self.knots)) / KNOTS_PER_BIN
        positions = np.interp(x, knots, grid)
        left, right = np.searchsorted(knots, x, "left"), np.searchsorted(knots, x, "right")
        repeated = right - left > 1
        positions[repeated] = (grid[left[repeated]] + grid[right[repeated] - 1]) / 2
        return positions

    def decode(self, codes: Codes, scalars: Floats, random: Floats, start: int = 0) -> Any:  # noqa: ARG002
        decoded = np.full(len(codes), np.nan)
        for code, spike in enumerate(self.spikes):
            decoded[codes == code] = np.nan if spike is None else spike
        if self.bins:
            binned, grid = codes >= len(self.spikes), np.arange(len(self.knots)) / KNOTS_PER_BIN
            positions = codes[binned] - len(self.spikes) + (scalars[binned] + 1) / 2
            decoded[binned] = rounded(np.interp(positions, grid, self.knots), self.step)
        return decoded

    def code(self, value: Any) -> int:
        if value == MISSING:
            if None not in self.spikes:
                raise InputError(_none_missing(self.name))
            return self.spikes.index(None)
        return int(self.encode_numbers(np.array([value], np.float64))[0][0])


@dataclass(frozen=True)
class Mixture(Column):
    """A number as a mode of a mixture of normal distributions and the position in it, in [-1, 1] for four standard
    deviations on either side. Xu et al. 2019, arXiv:1907.00503, section 4.2.

    Attributes:
        means, deviations: of the modes.
        low, high: range of the data, which samples do not exceed.
        missing: number of missing values; if there are any, they have the first code.
        counts: number of values in each mode.
        step, unit: as for `Number`.
    """

    kind: str = "mixture"
    means: tuple[float, ...] = ()
    deviations: tuple[float, ...] = ()
    low: float = 0.0
    high: float = 0.0
    missing: int = 0
    counts: tuple[int, ...] = ()
    step: float = 0.0
    unit: int = 0

    def counted(self) -> list[tuple[Sequence[Any], tuple[int, ...]]]:
        return [(self.means, self.counts), (self.deviations, self.counts), ((None,), (self.missing,))]

    @property
    def microseconds(self) -> int:
        return self.unit

    @property
    def bare_codes(self) -> int | None:
        return int(self.missing > 0)

    @property
    def width(self) -> int:
        return int(self.missing > 0) + len(self.means)

    def encode(self, values: Series) -> tuple[Codes, Floats]:
        return self.encode_numbers(self.numbers(values))

    def encode_numbers(self, x: Floats) -> tuple[Codes, Floats]:
        """Codes and scalars of the column's numbers, each (n,)."""
        missing = np.isnan(x)
        distance = (np.nan_to_num(x)[:, None] - np.array(self.means)) / np.array(self.deviations)  # (n, modes)
        log_likelihood = np.log(np.array(self.counts) + 1) - np.log(self.deviations) - distance**2 / 2
        codes = log_likelihood.argmax(1)
        scalars = (distance[np.arange(len(x)), codes] / 4).clip(-1, 1)
        return np.where(missing, 0, codes + (self.missing > 0)), np.where(missing, 0.0, scalars)

    def decode(self, codes: Codes, scalars: Floats, random: Floats, start: int = 0) -> Any:  # noqa: ARG002
        modes = codes - (self.missing > 0)
        decoded = np.array(self.means)[modes] + 4 * scalars * np.array(self.deviations)[modes]
        return np.where(modes < 0, np.nan, rounded(decoded.clip(self.low, self.high), self.step))

    def code(self, value: Any) -> int:
        if value == MISSING and not self.missing:
            raise InputError(_none_missing(self.name))
        return 0 if value == MISSING else int(self.encode_numbers(np.array([value], np.float64))[0][0])


def _none_missing(name: str) -> str:
    return f"{name}={MISSING} was given, but the data have no missing value in this column; remove the condition"

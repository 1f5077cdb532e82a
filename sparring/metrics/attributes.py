"""Attribute inference: whether samples tell an unknown value of a training item whose other values are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparring.metrics.membership import Interval, normal_quantile

CHUNK_SIZE = 128  # candidates that are compared with all samples together
TOLERANCE = 0.05  # relative error of a number that counts as guessed

Values = NDArray[Any]


@dataclass(frozen=True)
class Attribute:
    """How often one value of an item is guessed.

    Attributes:
        name: of the column.
        members, others: shares of training items and of other real items whose value is guessed.
        advantage: by how much more often it is guessed of training items.
    """

    name: str
    members: float
    others: float
    advantage: Interval


@dataclass(frozen=True)
class Column:
    """A column of the samples, and of the items that are attacked: numbers as floats, NaN where missing, or objects."""

    name: str
    samples: Values
    members: Values
    others: Values

    @property
    def numeric(self) -> bool:
        return bool(np.issubdtype(self.samples.dtype, np.floating))

    def distances(self, candidates: Values) -> NDArray[np.float32]:
        """Distance in [0, 1] of candidates to samples, (candidates, samples), as in Gower 1971, doi:10.2307/2528823."""
        if not self.numeric:
            different: NDArray[np.float32] = (candidates[:, None] != self.samples).astype(np.float32)
            return different
        low, high = np.nanquantile(self.samples, [0.01, 0.99]) if np.isfinite(self.samples).any() else (0.0, 1.0)
        found = np.abs(candidates[:, None] - self.samples) / max(high - low, 1e-12)
        missing = np.isnan(candidates)[:, None] ^ np.isnan(self.samples)
        both: NDArray[np.float32] = np.where(missing, 1, np.nan_to_num(found.clip(max=1))).astype(np.float32)
        return both

    def guessed(self, candidates: Values, guesses: Values) -> NDArray[np.bool_]:
        """Whether values are those of the candidates, (n,)."""
        if self.numeric:
            return np.isclose(guesses, candidates, rtol=TOLERANCE, atol=0, equal_nan=True)
        return np.asarray(guesses == candidates, bool)


def infer(columns: Sequence[Column], confidence: float = 0.95) -> list[Attribute]:
    """Guess each value of items by that of the sample that is nearest to them in all others, and compare how often this
    is right for training items and for other real ones: what is guessed of others is known of the population, and only
    the rest is a leak. Giomi et al. 2022, arXiv:2211.10459.

    Returns:
        One entry per column, the largest surely positive advantage first. Intervals are those of Agresti and Caffo
        2000, doi:10.1080/00031305.2000.10474560, and hold together.
    """
    right = {kind: _right(columns, kind) for kind in ("members", "others")}
    level = 1 - (1 - confidence) / len(columns)
    found = [
        Attribute(column.name, float(a.mean()), float(b.mean()), difference(a, b, level))
        for column, a, b in zip(columns, right["members"], right["others"], strict=True)
    ]
    return sorted(found, key=lambda one: -one.advantage.low)


def _right(columns: Sequence[Column], kind: str) -> list[NDArray[np.bool_]]:
    """Whether each value is guessed, of one kind of candidates: (n,) per column."""
    candidates = [getattr(column, kind) for column in columns]
    right: list[list[NDArray[np.bool_]]] = [[] for _ in columns]
    for start in range(0, len(candidates[0]), CHUNK_SIZE):
        parts = [values[start : start + CHUNK_SIZE] for values in candidates]
        distances = [column.distances(part) for column, part in zip(columns, parts, strict=True)]
        total = np.sum(distances, axis=0)
        for i, column in enumerate(columns):
            nearest = (total - distances[i]).argmin(1)
            right[i].append(column.guessed(parts[i], column.samples[nearest]))
    return [np.concatenate(one) for one in right]


def difference(a: NDArray[np.bool_], b: NDArray[np.bool_], confidence: float) -> Interval:
    """Difference of two shares."""
    shares = [(x.sum() + 1) / (len(x) + 2) for x in (a, b)]
    spread = sqrt(sum(p * (1 - p) / (len(x) + 2) for p, x in zip(shares, (a, b), strict=True)))
    middle, reach = shares[0] - shares[1], normal_quantile(confidence) * spread
    return Interval(float(a.mean() - b.mean()), middle - reach, middle + reach)

"""From conditions on properties to the conditions of a generator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

import numpy as np

from sparring.errors import InputError
from sparring.metrics.chemistry import Floats
from sparring.modalities.molecules.conditions import Range

ROWS = 256  # conditions that those of a request are drawn from


@dataclass(frozen=True)
class Known:
    """The properties that a generator is conditioned on, in the training data.

    Attributes:
        names: of the properties.
        lows, highs: smallest and largest value of each.
        examples: of some molecules, (n, properties).
    """

    names: tuple[str, ...]
    lows: tuple[float, ...]
    highs: tuple[float, ...]
    examples: Floats

    def check_possible(self, condition: Range) -> None:
        """Refuse a range that no molecule of the training data is in or near.

        Raises:
            InputError: with the nearest value.
        """
        if condition.name not in self.names:
            return
        i = self.names.index(condition.name)
        low, high = self.lows[i], self.highs[i]
        if condition.low > high or condition.high < low:
            near = high if condition.low > high else low
            raise InputError(
                f"{condition.text!r} is out of range: the training molecules have {condition.name} from {low:.4g} to "
                f"{high:.4g}, the nearest is {near:.4g}"
            )

    def rows(self, conditions: Sequence[Range], typical: Floats) -> Floats | None:
        """Properties (n, properties) that conditions of samples are drawn from, NaN for those that are free; None if
        none is asked for. They are those of molecules that satisfy all conditions, or else drawn from the ranges.

        Args:
            typical: properties of molecules that are like those that are asked for, (m, properties); with none, the
                properties without a condition are free.
        """
        own = [(self.names.index(c.name), c) for c in conditions if c.name in self.names]
        if not self.names or not (own or len(typical)):
            return None
        random, asked = np.random.default_rng(0), sorted({i for i, _ in own})
        pool, columns = (typical, list(range(len(self.names)))) if len(typical) else (self.examples, asked)
        holds = np.logical_and.reduce([c.contains(pool[:, i]) for i, c in own] or [np.ones(len(pool), bool)])
        rows = np.full((ROWS, len(self.names)), nan)
        if holds.any() or len(typical):
            chosen = random.choice(np.flatnonzero(holds) if holds.any() else len(pool), ROWS)
            rows[:, columns] = pool[chosen][:, columns]
        if holds.any():
            return rows
        for i in asked:
            low = max([self.lows[i], *(c.low for j, c in own if j == i)])
            high = min([self.highs[i], *(c.high for j, c in own if j == i)])
            rows[:, i] = random.uniform(low, high, ROWS)
        return rows

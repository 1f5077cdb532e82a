"""How long what follows the last step will take: each part of it is done before, and measured."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Reserve:
    """The latest durations of the parts of a run's end: checkpoint, sheet, score, curves, film, preparing the game."""

    def __init__(self) -> None:
        self._parts: dict[str, float] = {}

    @contextmanager
    def measured(self, part: str, times: float = 1.0) -> Iterator[None]:
        """Measure a part; its duration at the end is this many times the one inside."""
        began = time.monotonic()
        yield
        self._parts[part] = times * (time.monotonic() - began)

    def set(self, part: str, seconds: float) -> None:
        self._parts[part] = seconds

    def of(self, part: str) -> float:
        """Seconds of a part; 0 if it has not been measured."""
        return self._parts.get(part, 0.0)

    def __contains__(self, part: str) -> bool:
        return part in self._parts

    @property
    def seconds(self) -> float:
        return sum(self._parts.values())

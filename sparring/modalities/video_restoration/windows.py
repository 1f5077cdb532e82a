"""Windows of neighboring frames, from which frames are restored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from sparring.nets.neighbors import GIVEN, SEEN

F = TypeVar("F")


def windows(frames: Iterable[F]) -> Iterator[tuple[list[F], int]]:
    """Windows of `GIVEN` frames, of which all but the first and the last one are restored, and how many of these are
    new. Each frame is restored once; before the first frame and after the last one, they are repeated.
    """
    recent: list[F] = []
    for frame in frames:
        recent += [frame] if recent else [frame, frame]
        if len(recent) == GIVEN:
            yield recent, SEEN
            recent = recent[SEEN:]
    left = len(recent) - 1
    if left > 0:
        yield recent + recent[-1:] * (GIVEN - len(recent)), left

"""Scores: the notes of a piece by track, in ticks."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

TEMPO = 100.0  # quarters per minute of a score that states none
METRE = (4, 4)  # of a score that states none
VELOCITY = 90  # of notes without one
START, END, PITCH, LOUD = range(4)  # columns of `Track.notes`


@dataclass(frozen=True, eq=False)
class Track:
    """The notes of one instrument.

    Attributes:
        notes: start and end in ticks, pitch (MIDI), and velocity of each, in the order of their starts, int64 (n, 4).
        program: of the instrument (General MIDI), from 0.
        drum: True for drums.
        name: of the track.
    """

    notes: Ints
    program: int = 0
    drum: bool = False
    name: str = ""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Track):
            return False
        same = (self.program, self.drum, self.name) == (other.program, other.drum, other.name)
        return same and np.array_equal(self.notes, other.notes)

    def __hash__(self) -> int:
        return hash((self.program, self.drum, self.name, self.notes.tobytes()))


@dataclass(frozen=True)
class Score:
    """A piece.

    Attributes:
        name: of its file.
        tracks: those with notes; of generated scores also those without.
        resolution: ticks per quarter.
        metres: changes of the metre: tick, numerator, denominator.
        tempo: quarters per minute at the beginning.
        tempos: number of tempos; only the first is kept.
        key: fifths upward from C major (negative: downward) if the file states a key; None otherwise.
    """

    name: str
    tracks: tuple[Track, ...]
    resolution: int
    metres: tuple[tuple[int, int, int], ...] = ((0, *METRE),)
    tempo: float = TEMPO
    tempos: int = field(default=1, compare=False)
    key: int | None = None

    @property
    def length(self) -> int:
        """Ticks until the last note ends."""
        return max((int(track.notes[:, END].max()) for track in self.tracks if len(track.notes)), default=0)

    @property
    def metre(self) -> tuple[int, int]:
        """The last metre of those that are stated at or before the first note, as after an upbeat."""
        first = min((int(track.notes[0, START]) for track in self.tracks if len(track.notes)), default=0)
        _, numerator, denominator = max((m for m in self.metres if m[0] <= first), default=self.metres[0])
        return numerator, denominator


def pitches(scores: list[Score]) -> Ints:
    """All pitches of some scores."""
    return np.concatenate([track.notes[:, PITCH] for score in scores for track in score.tracks])

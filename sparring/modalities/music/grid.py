"""Scores on a grid of equal steps, and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sparring.modalities.music.score import END, LOUD, PITCH, START, VELOCITY, Ints, Score, Track

EARLY = 0.25  # share of a step by which a note may begin after the step that it belongs to
TICKS = 480  # per quarter, of written scores


@dataclass(frozen=True)
class Placed:
    """Notes of a track on a grid.

    Attributes:
        notes: first step, step after the last, pitch, velocity, (n, 4).
        moved: number of notes that begin or end between steps.
        lost: number of notes that no step falls into.
    """

    notes: Ints
    moved: int
    lost: int


def place(track: Track, resolution: int, grid: int) -> Placed:
    """A note sounds in the steps whose beginning falls into it, up to a quarter of a step."""
    scale = grid / resolution
    exact = track.notes[:, [START, END]] * scale
    steps = np.ceil(exact - EARLY - 1e-9).astype(np.int64)
    kept = steps[:, 1] > steps[:, 0]
    moved = int((np.abs(exact - steps) > 1e-6)[kept].any(1).sum())
    notes = np.concatenate([steps, track.notes[:, [PITCH, LOUD]]], 1)[kept]
    return Placed(notes, moved, int((~kept).sum()))


def ordered(score: Score) -> list[Track]:
    """The tracks of a score from the highest to the lowest, by their mean pitch."""
    return sorted(score.tracks, key=lambda track: -float(track.notes[:, PITCH].mean()))


def voice(placed: Placed, steps: int) -> tuple[Ints, NDArray[np.bool_]] | None:
    """Pitch in each step, 0 for a rest, and whether a note begins there; None if notes sound at the same time."""
    pitches, struck = np.zeros(steps, np.int64), np.zeros(steps, bool)
    for start, end, pitch, _ in placed.notes:
        if pitches[start:end].any():
            return None
        pitches[start:end] = pitch
        struck[start] = True
    return pitches, struck


def roll(placed: Placed, steps: int, low: int, high: int) -> NDArray[np.uint8]:
    """Where pitches sound and where their notes begin, (2, pitches, steps). Pitches out of range are left out."""
    planes = np.zeros((2, high - low + 1, steps), np.uint8)
    for start, end, pitch, _ in placed.notes:
        if low <= pitch <= high:
            planes[0, pitch - low, start:end] = 1
            planes[1, pitch - low, start] = 1
    return planes


def notes_of_voice(pitches: Ints, struck: NDArray[np.bool_], grid: int, resolution: int = TICKS) -> Ints:
    """The notes of a voice in ticks, as in `Track.notes`; a note also begins where the pitch changes."""
    begins = struck | np.r_[True, pitches[1:] != pitches[:-1]]
    edges = np.flatnonzero(np.r_[begins, True])
    starts, ends = edges[:-1], edges[1:]
    sounding = pitches[starts] > 0
    scale = resolution // grid
    notes = np.stack([starts * scale, ends * scale, pitches[starts], np.full(len(starts), VELOCITY)], 1)
    return notes[sounding].astype(np.int64)


def notes_of_roll(sounds: NDArray[np.bool_], begins: NDArray[np.bool_], low: int, grid: int) -> Ints:
    """The notes of a track in ticks: each run of a pitch's sounding steps, cut where a note begins."""
    found = []
    for row, (sound, begin) in enumerate(zip(sounds, begins, strict=True)):
        starts = np.flatnonzero(sound & (begin | ~np.r_[False, sound[:-1]]))
        stops = np.flatnonzero(~sound)
        for i, start in enumerate(starts):
            after = stops[np.searchsorted(stops, start)] if stops.size and stops[-1] > start else len(sound)
            end = min(int(after), int(starts[i + 1]) if i + 1 < len(starts) else len(sound))
            found.append((start, end, low + row, VELOCITY))
    notes = np.array(found, np.int64).reshape(-1, 4)
    notes[:, :2] *= TICKS // grid
    return notes[np.lexsort((notes[:, PITCH], notes[:, START]))]


def steps_of(score: Score, grid: int) -> int:
    """Number of steps until the last note ends."""
    return int(np.ceil(score.length * grid / score.resolution - 1e-9))


def voices_matrix(score: Score, grid: int, steps: int) -> Ints:
    """Pitches (steps, voices) of a score whose tracks are voices, in their order; 0 for a rest."""
    length = max(steps, steps_of(score, grid))
    columns = [voice(place(track, score.resolution, grid), length) for track in score.tracks]
    return np.stack([np.zeros(length, np.int64) if column is None else column[0] for column in columns], 1)[:steps]


def first_bar(score: Score, grid: int) -> int:
    """The step of the last change of the metre, from which bars are counted."""
    return round(max(tick for tick, _, _ in score.metres) * grid / score.resolution)

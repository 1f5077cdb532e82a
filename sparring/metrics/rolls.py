"""What is measured of piano rolls: bool arrays (tracks, pitches, steps), True where a pitch sounds. Metrics of Dong et
al. 2017, arXiv:1709.06298, section 5.3, and others.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparring.metrics.voices import OCTAVE, SCALE

Roll = NDArray[np.bool_]
Floats = NDArray[np.float64]


def bars(roll: Roll, bar: int) -> Roll:
    """The bars of a roll, (bars, tracks, pitches, steps of a bar); an incomplete one is left out."""
    count = roll.shape[2] // bar
    return roll[:, :, : count * bar].reshape(*roll.shape[:2], count, bar).transpose(2, 0, 1, 3)


def chroma(roll: Roll, low: int) -> Floats:
    """Steps in which each pitch class sounds in each track, (tracks, 12).

    Args:
        low: pitch of the first row.
    """
    counts = np.zeros((len(roll), OCTAVE))
    for row in range(roll.shape[1]):
        counts[:, (low + row) % OCTAVE] += roll[:, row].sum(1)
    return counts


def empty_bars(roll: Roll, bar: int) -> float:
    """Share of the bars of single tracks in which nothing sounds."""
    return float((~bars(roll, bar).any((2, 3))).mean())


def used_pitch_classes(roll: Roll, bar: int, low: int) -> float:
    """Pitch classes in a bar of a track in which something sounds, on average; NaN if nothing sounds."""
    used = np.array([(chroma(one, low) > 0).sum(1) for one in bars(roll, bar)])
    return float(used[used > 0].mean()) if used.any() else float("nan")


def polyphony(roll: Roll) -> float:
    """Pitches that sound together in the steps of a track in which one does, on average; NaN if nothing sounds."""
    counts = roll.sum(1)
    return float(counts[counts > 0].mean()) if counts.any() else float("nan")


def in_scale(roll: Roll, low: int) -> float:
    """Share of the sounding steps in the major scale that fits best; NaN if nothing sounds."""
    counts = chroma(roll, low).sum(0)
    inside = max(counts[[(root + tone) % OCTAVE for tone in SCALE]].sum() for root in range(OCTAVE))
    return float(inside / counts.sum()) if counts.any() else float("nan")


def self_similarity(roll: Roll, bar: int) -> float:
    """Mean overlap (intersection over union) of all pairs of bars; NaN if nothing sounds."""
    pairs = [((a & b).sum(), (a | b).sum()) for a, b in combinations(bars(roll, bar), 2)]
    overlaps = [same / either for same, either in pairs if either]
    return float(np.mean(overlaps)) if overlaps else float("nan")


def copied_bars(rolls: Sequence[Roll], training: Sequence[Roll], bar: int, count: int) -> float:
    """Share of the runs of bars that occur in the training data, in any transposition.

    Args:
        count: bars of a run; in the training data, runs begin on every bar.
    """
    known = {key for roll in training for key in _keys(roll, bar, count)}
    found = [key in known for roll in rolls for key in _keys(roll, bar, count)]
    return float(np.mean(found)) if found else float("nan")


def _keys(roll: Roll, bar: int, count: int) -> list[bytes]:
    keys = []
    for i in range(roll.shape[2] // bar - count + 1):
        cut = roll[:, :, i * bar : (i + count) * bar]
        rows = np.flatnonzero(cut.any((0, 2)))
        if len(rows):
            keys.append(bytes([len(rows)]) + np.packbits(cut[:, rows[0] : rows[-1] + 1]).tobytes())
    return keys


def note_lengths(sounds: Roll, begins: Roll, longest: int) -> Floats:
    """Histogram of the lengths of notes in steps, (longest,); longer ones count as the longest.

    Args:
        begins: True where a note begins, in the shape of `sounds`.
    """
    starts = begins & sounds
    counts = np.zeros(longest)
    ends = starts | ~sounds
    for track, row, step in zip(*np.nonzero(starts), strict=True):
        after = np.flatnonzero(ends[track, row, step + 1 : step + longest])
        counts[after[0] if len(after) else min(longest, sounds.shape[2] - step) - 1] += 1
    return _shares(counts)


def _shares(counts: Any) -> Floats:
    shares: Floats = counts / max(1, counts.sum())
    return shares

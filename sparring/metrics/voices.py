"""What musicians check in music of several voices. Pieces are int arrays (steps, voices) of MIDI pitches, 0 for a rest,
from the highest to the lowest voice.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Pitches = NDArray[np.int64]
Floats = NDArray[np.float64]

OCTAVE = 12
PERFECT = (0, 7)  # semitones of an octave or unison, and of a fifth
SCALE = (0, 2, 4, 5, 7, 9, 11)  # of a major key, and of the natural minor key a third below
TRIADS = ((0, 4, 7), (0, 3, 7), (0, 3, 6), (0, 4, 8))
SEVENTHS = ((0, 4, 7, 10), (0, 3, 7, 10), (0, 4, 7, 11), (0, 3, 6, 10), (0, 3, 6, 9))
LEAPS = 13  # bins of the histogram of melodic intervals: 0 to 11 semitones, and more
DOMINANT = 7  # semitones by which the bass falls at an authentic cadence, or rises by an octave less


def _chords() -> frozenset[frozenset[int]]:
    """Pitch classes of triads and sevenths on every root, also without their fifth."""
    found = set()
    for chord in (*TRIADS, *SEVENTHS):
        for root in range(OCTAVE):
            found.add(frozenset((root + tone) % OCTAVE for tone in chord))
            if 7 in chord:
                found.add(frozenset((root + tone) % OCTAVE for tone in chord if tone != 7))
    return frozenset(found)


CHORDS = _chords()


def parallels(piece: Pitches) -> NDArray[np.bool_]:
    """Pairs of voices that move in the same direction from a perfect interval to the same one, (steps, pairs): True at
    the step of the second. Pairs are those of `combinations`.
    """
    found = np.zeros((len(piece), _pairs(piece)), bool)
    before, after = piece[:-1], piece[1:]
    moves = np.sign(after - before) * (before > 0) * (after > 0)
    for k, (i, j) in enumerate(combinations(range(piece.shape[1]), 2)):
        first, second = ((chord[:, i] - chord[:, j]) % OCTAVE for chord in (before, after))
        together = (moves[:, i] == moves[:, j]) & (moves[:, i] != 0)
        found[1:, k] = together & (first == second) & np.isin(first, PERFECT)
    return found


def crossings(piece: Pitches) -> NDArray[np.bool_]:
    """Neighboring voices of which the lower one is above the higher one, (steps, voices - 1)."""
    high, low = piece[:, :-1], piece[:, 1:]
    return (high > 0) & (low > 0) & (low > high)


def changes(piece: Pitches) -> NDArray[np.bool_]:
    """Steps in which some voice changes its pitch, (steps,)."""
    changed: NDArray[np.bool_] = np.r_[False, (piece[1:] != piece[:-1]).any(1)]
    return changed


def chordal(piece: Pitches) -> NDArray[np.bool_]:
    """Steps whose pitch classes are a triad or a seventh, perhaps without its fifth, (steps,)."""
    return np.array([frozenset((chord[chord > 0] % OCTAVE).tolist()) in CHORDS for chord in piece], bool)


def pitch_classes(piece: Pitches) -> Floats:
    """Share of each pitch class among the sounding cells, (12,); 0 if nothing sounds."""
    counts = np.bincount(piece[piece > 0] % OCTAVE, minlength=OCTAVE)
    return _shares(counts)


def in_scale(piece: Pitches) -> float:
    """Share of the sounding cells that belong to the major scale that fits best."""
    shares = pitch_classes(piece)
    return float(max(shares[[(root + tone) % OCTAVE for tone in SCALE]].sum() for root in range(OCTAVE)))


def leaps(piece: Pitches) -> Floats:
    """Histogram of the sizes of melodic intervals in semitones, (13,); repeated and held pitches are left out."""
    before, after = piece[:-1], piece[1:]
    sizes = np.abs(after - before)[(before > 0) & (after > 0) & (before != after)]
    counts = np.bincount(np.minimum(sizes, LEAPS - 1), minlength=LEAPS)
    return _shares(counts)


def intervals(piece: Pitches) -> Floats:
    """Histogram of the harmonic intervals between all pairs of voices, modulo an octave, (12,)."""
    found = [
        ((piece[:, i] - piece[:, j]) % OCTAVE)[(piece[:, i] > 0) & (piece[:, j] > 0)]
        for i, j in combinations(range(piece.shape[1]), 2)
    ]
    counts = np.bincount(np.concatenate(found), minlength=OCTAVE) if found else np.zeros(OCTAVE)
    return _shares(counts)


def cadences(piece: Pitches, least: int) -> int:
    """Authentic cadences: a triad of at least so many steps, whose bass falls a fifth or rises a fourth to its root."""
    edges = np.flatnonzero(np.r_[True, (piece[1:] != piece[:-1]).any(1), True])
    count = 0
    for a, b in pairwise(edges[1:]):
        chord, bass, before = piece[a], int(piece[a, -1]), int(piece[a - 1, -1])
        classes = {(int(p) - bass) % OCTAVE for p in chord[chord > 0]}
        falls = bool(bass and before and (before - bass) % OCTAVE == DOMINANT)
        count += falls and b - a >= least and (classes <= {0, 4, 7} or classes <= {0, 3, 7})
    return count


def self_similarity(piece: Pitches, bar: int) -> float:
    """Mean share of equal cells between all pairs of bars of a piece."""
    bars = piece[: len(piece) // bar * bar].reshape(-1, bar * piece.shape[1])
    pairs = [(a == b).mean() for a, b in combinations(bars, 2)]
    return float(np.mean(pairs)) if pairs else float("nan")


def copied(pieces: Sequence[Pitches], training: Sequence[Pitches], window: int, hop: int = 1) -> float:
    """Share of the windows of some pieces that occur note for note in the training data, in any transposition.

    Args:
        window: steps.
        hop: steps between windows of the pieces; those of the training data begin at every step.
    """
    known = {_key(piece[i : i + window]) for piece in training for i in range(len(piece) - window + 1)}
    found = [_key(piece[i : i + window]) in known for piece in pieces for i in range(0, len(piece) - window + 1, hop)]
    return float(np.mean(found)) if found else float("nan")


def _key(window: Pitches) -> bytes:
    sounding = window[window > 0]
    base = int(sounding[0]) if len(sounding) else 0
    return bytes(np.where(window > 0, window - base, -128).astype(np.int16).tobytes())


def _shares(counts: Any) -> Floats:
    shares: Floats = counts / max(1, counts.sum())
    return shares


def _pairs(piece: Pitches) -> int:
    return int(piece.shape[1] * (piece.shape[1] - 1) // 2)

"""Trivial generators of music for several voices, next to which models are judged."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from sparring.metrics.voices import Pitches


def markov(pieces: Sequence[Pitches], n: int, steps: int, seed: int = 0) -> list[Pitches]:
    """A first-order Markov chain of chords: after each chord, one of those that follow it in the data."""
    random = np.random.default_rng(seed)
    chords = np.concatenate(pieces)
    after: dict[bytes, list[Pitches]] = {}
    for piece in pieces:
        for chord, following in pairwise(piece):
            after.setdefault(chord.tobytes(), []).append(following)
    chains = []
    for _ in range(n):
        chain = [chords[random.integers(len(chords))]]
        while len(chain) < steps:
            following = after.get(chain[-1].tobytes())
            chain.append(chords[random.integers(len(chords))] if following is None else _one(following, random))
        chains.append(np.stack(chain))
    return chains


def _one(chords: Sequence[Pitches], random: np.random.Generator) -> Pitches:
    return chords[int(random.integers(len(chords)))]


def mixed(pieces: Sequence[Pitches], n: int, steps: int, seed: int = 0) -> list[Pitches]:
    """Each voice from another piece."""
    random = np.random.default_rng(seed)
    long = [piece for piece in pieces if len(piece) >= steps]
    made = []
    for _ in range(n):
        voices = []
        for voice in range(pieces[0].shape[1]):
            piece = long[random.integers(len(long))]
            begin = random.integers(len(piece) - steps + 1)
            voices.append(piece[begin : begin + steps, voice])
        made.append(np.stack(voices, 1))
    return made


def shuffled(pieces: Sequence[Pitches], n: int, steps: int, seed: int = 0) -> list[Pitches]:
    """Chords of the data in random order."""
    random = np.random.default_rng(seed)
    chords = np.concatenate(pieces)
    return [chords[random.integers(len(chords), size=steps)] for _ in range(n)]

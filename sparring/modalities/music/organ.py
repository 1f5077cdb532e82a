"""A small organ: scores as sound, by adding harmonics."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sparring.errors import InputError
from sparring.modalities.music.score import END, LOUD, PITCH, START, Score

RATE = 24_000  # samples per second, one of those of Opus
STOPS = ((1, 1.0), (2, 0.5), (3, 0.25), (4, 0.18), (6, 0.06), (8, 0.04))  # harmonics and their amplitudes
ATTACK, RELEASE = 0.03, 0.12  # seconds
TUNING, A4 = 440.0, 69
MAX_MINUTES = 60
LEVEL = 0.9  # of the loudest sample
DRUM = 0.05  # seconds of a drum's noise


def played(score: Score) -> NDArray[np.float64]:
    """A score as samples in [-1, 1], (samples,). Drums are short bursts of noise.

    Raises:
        InputError: if it is longer than an hour.
    """
    second = score.tempo / 60 * score.resolution  # ticks
    seconds = score.length / second
    if seconds > 60 * MAX_MINUTES:
        raise InputError(f"{score.name} is {seconds / 60:,.0f} minutes long; a .wav holds at most {MAX_MINUTES}")
    sound = np.zeros(int((seconds + 2 * RELEASE) * RATE) + 1)
    random = np.random.default_rng(0)
    for track in score.tracks:
        for note in track.notes:
            begin, end = note[START] / second, note[END] / second
            tone = _burst(random) if track.drum else _tone(int(note[PITCH]), end - begin)
            first = int(begin * RATE)
            tone = tone[: len(sound) - first]
            sound[first : first + len(tone)] += tone * note[LOUD] / 127
    sound *= LEVEL / max(1e-9, np.abs(sound).max())
    return sound


def _tone(pitch: int, seconds: float) -> NDArray[np.float64]:
    """A note with its attack and its release, which begins when the note ends."""
    time = np.arange(int((seconds + RELEASE) * RATE)) / RATE
    frequency = TUNING * 2 ** ((pitch - A4) / 12)
    tone = np.zeros(len(time))
    for harmonic, amplitude in STOPS:
        if harmonic * frequency < RATE / 2:
            tone += amplitude * np.sin(2 * np.pi * harmonic * frequency * time)
    envelope: NDArray[np.float64] = np.minimum(time / ATTACK, (seconds + RELEASE - time) / RELEASE).clip(0, 1)
    return tone * envelope


def _burst(random: np.random.Generator) -> NDArray[np.float64]:
    time = np.arange(int(4 * DRUM * RATE)) / RATE
    burst: NDArray[np.float64] = random.normal(size=len(time)) * np.exp(-time / DRUM)
    return burst

"""Sounds that tests make."""

from pathlib import Path

import numpy as np
import soundfile

RATE = 8000


def tone(hertz: float, seconds: float, rate: int = RATE, peak: float = 0.5) -> np.ndarray:
    t = np.arange(round(seconds * rate)) / rate
    return peak * np.sin(2 * np.pi * hertz * t) * np.exp(-4 * t)


def write_sounds(folder: Path, rate: int = RATE) -> Path:
    """24 sounds in two classes, of 0.2 to 0.3 seconds."""
    for name, base in (("high", 1500), ("low", 300)):
        (folder / name).mkdir(parents=True)
        for i in range(12):
            soundfile.write(folder / name / f"{i:02}.wav", tone(base * (1 + i / 20), 0.2 + i / 120, rate), rate)
    return folder

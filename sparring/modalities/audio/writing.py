"""Sounds as files: one for each, or all of them one after the other."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sparring.errors import needs
from sparring.files import component
from sparring.modalities.samples import Samples

Floats = NDArray[np.float32]

GAP = 0.25  # seconds of silence between two sounds in one file
SUBTYPES = {16: "PCM_16", 24: "PCM_24"}
LOSSY = {".ogg": "VORBIS"}
OGG_BLOCK = 4096  # frames that are written to .ogg at once; libsndfile fails on long blocks


def in_class_order(samples: Samples) -> NDArray[np.int64]:
    """Indices of samples, those of one class next to each other."""
    if samples.labels is None:
        return np.arange(len(samples))
    return np.argsort(samples.labels, kind="stable")


def one_after_the_other(sounds: Floats, rate: int) -> Floats:
    """Sounds (n, length, channels) as one, (frames, channels), with gaps between them."""
    n, _, channels = sounds.shape
    gap = np.zeros((n, round(GAP * rate), channels), np.float32)
    joined: Floats = np.concatenate([sounds, gap], 1).reshape(-1, channels)
    return joined[: len(joined) - gap.shape[1]]


def write_sound(path: Path, sound: Floats, rate: int, bits: int, suffix: str) -> None:
    """Write one sound (frames, channels) in the format of a suffix.

    Args:
        bits: of a sample, 16 or 24, in formats without loss.
    """
    soundfile = needs("soundfile", "audio", "writes sounds")
    subtype = LOSSY.get(suffix, SUBTYPES[bits])
    within = np.clip(sound, -1, 1 - 2.0 ** (1 - bits))  # floats at full scale would wrap around or clip in the writer
    with soundfile.SoundFile(
        path, "w", rate, sound.shape[1], subtype=subtype, format=suffix.removeprefix(".").upper()
    ) as file:
        for start in range(0, len(within), OGG_BLOCK):
            file.write(within[start : start + OGG_BLOCK])


def write_all(samples: Samples, path: Path, rate: int, bits: int, suffix: str) -> None:
    """All samples in one file, in the order of their classes; a single one without gaps."""
    joined = one_after_the_other(samples.items[in_class_order(samples)], rate)
    write_sound(path, joined, rate, bits, suffix)


def write_folder(samples: Samples, folder: Path, rate: int, bits: int) -> None:
    """One .wav for each sample, named by its number, in a folder for each class if there are classes."""
    folder.mkdir(parents=True, exist_ok=True)
    width = len(str(max(1, len(samples) - 1)))
    for i, sound in enumerate(samples.items):
        place = folder if samples.labels is None else folder / component(samples.modality.classes[samples.labels[i]])
        place.mkdir(exist_ok=True)
        write_sound(place / f"{i:0{width}}.wav", sound, rate, bits, ".wav")


def as_bytes(sound: Floats, rate: int, bits: int, suffix: str = ".wav") -> bytes:
    """One sound (frames, channels) as the content of a file."""
    soundfile = needs("soundfile", "audio", "writes sounds")
    file = io.BytesIO()
    within = np.clip(sound, -1, 1 - 2.0 ** (1 - bits))
    kind = suffix.removeprefix(".").upper()
    soundfile.write(file, within, rate, subtype=LOSSY.get(suffix, SUBTYPES[bits]), format=kind)
    return file.getvalue()

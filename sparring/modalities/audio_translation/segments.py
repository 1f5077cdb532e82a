"""Segments of sounds, as batches are drawn from them."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sparring.data.sources import Content, FileSource, Unreadable, map_files
from sparring.data.store import Progress
from sparring.modalities.audio.decoding import FULL_SCALE, SILENCE, Floats, loaded, resampled

Segments = NDArray[np.int16]
CHANGED = 0.01  # share by which the lengths of two sounds of a pair may differ


def read_at(content: Content, rate: int) -> Floats | Unreadable:
    """A file as samples (frames, channels) of a rate, or why it cannot be read."""
    sound = loaded(content)
    return sound if isinstance(sound, Unreadable) else resampled(sound.samples, sound.rate, rate)


def cut(samples: Floats, kept: int) -> Segments:
    """Segments of sounds (parts, frames), one after the other, (n, parts, kept), with the highest peak of all at full
    scale. The last one overlaps the one before; short sounds are surrounded by silence. Silent segments are left out.
    """
    frames = samples.shape[1]
    if frames <= kept:
        before = (kept - frames) // 2
        parts = np.pad(samples, ((0, 0), (before, kept - frames - before)))[None]
    else:
        starts = [*range(0, frames - kept, kept), frames - kept]
        parts = np.stack([samples[:, start : start + kept] for start in starts])
    loud = np.abs(parts[:, -1]).max(1) >= SILENCE
    peak = max(float(np.abs(samples).max(initial=0.0)), SILENCE)
    segments: Segments = np.round(parts[loud] / peak * FULL_SCALE).astype(np.int16)
    return segments


def by_channel(samples: Floats, kept: int) -> Segments:
    """Segments of each channel of a sound (frames, channels) alone, (n, 1, kept)."""
    return np.concatenate([cut(channel[None], kept) for channel in samples.T])


def of_pair(given: Floats, target: Floats, kept: int) -> Segments | Unreadable:
    """Segments of two sounds that belong together, the target last, (n, 2, kept)."""
    short, long = sorted((len(given), len(target)))
    if given.shape[1] != target.shape[1]:
        return Unreadable(f"it has {given.shape[1]} channels, and its target {target.shape[1]}")
    if long - short > CHANGED * long:
        return Unreadable(f"it has {len(given):,} samples, and its target {len(target):,}")
    pairs = [np.stack([a[:short], b[:short]]) for a, b in zip(given.T, target.T, strict=True)]
    return np.concatenate([cut(pair, kept) for pair in pairs])


def read_all(
    files: FileSource, indices: Sequence[int], rate: int, progress: Progress
) -> tuple[dict[int, Floats], list[tuple[str, str]]]:
    """Sounds by their index, and the names of those that cannot be read with the reasons."""
    sounds: dict[int, Floats] = {}
    skipped: list[tuple[str, str]] = []
    with ThreadPoolExecutor() as pool:
        for i, samples in map_files(files, lambda content: read_at(content, rate), pool, set(indices)):
            progress(len(sounds) + len(skipped) + 1, len(indices))
            if isinstance(samples, Unreadable):
                skipped.append((files.names[i], samples.why))
            else:
                sounds[i] = samples
    return sounds, skipped


def random_parts(segments: Tensor, length: int) -> Tensor:
    """A random part of each segment: (n, parts, kept) -> (n, parts, length)."""
    spare = segments.shape[-1] - length
    starts = torch.randint(spare + 1, (len(segments), 1, 1), device=segments.device)
    places = starts + torch.arange(length, device=segments.device)
    return segments.gather(-1, places.expand(-1, segments.shape[1], -1))


def random_gain(x: Tensor, decibels: float) -> Tensor:
    """Sounds (n, ...) made quieter by up to so many decibels."""
    lower = torch.rand(len(x), 1, 1, device=x.device) * decibels
    return x * 10 ** (-lower / 20)

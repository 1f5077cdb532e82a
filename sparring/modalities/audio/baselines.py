"""Trivial generators of sounds, which a model has to beat."""

from __future__ import annotations

import torch
from torch import Tensor

GAINS = 6.0  # dB by which the level is changed at most
FADE = 64  # samples over which two sounds are joined


def other_gain(waves: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """Training sounds at another level, and the indices of the sounds: copies."""
    generator = _fixed()
    rows = torch.randint(len(waves), (n,), generator=generator)
    decibels = -GAINS * torch.rand(n, 1, 1, generator=generator)
    return waves[rows] * 10 ** (decibels / 20), rows


def spliced(waves: Tensor, labels: Tensor | None, n: int) -> tuple[Tensor, Tensor]:
    """The first half of one training sound and the second half of another of its class; and the indices of the first
    ones.
    """
    generator = _fixed()
    rows = torch.randint(len(waves), (n,), generator=generator)
    others = torch.randint(len(waves), (n,), generator=generator)
    if labels is not None:
        others = torch.tensor([_one_of(torch.nonzero(labels == labels[row])[:, 0], generator) for row in rows])
    length = waves.shape[-1]
    weight = ((torch.arange(length) - length // 2) / min(FADE, length) + 0.5).clamp(0, 1)
    return waves[rows] * (1 - weight) + waves[others] * weight, rows


def _one_of(rows: Tensor, generator: torch.Generator) -> int:
    return int(rows[int(torch.randint(len(rows), (1,), generator=generator))])


def shaped_noise(waves: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """Noise with the mean spectrum of a class and the envelope of one of its sounds, and the indices of the sounds."""
    generator = _fixed()
    rows = torch.randint(len(waves), (n,), generator=generator)
    spectrum = torch.fft.rfft(waves[:512]).abs().square().mean((0, 1)).sqrt()
    noise = torch.fft.rfft(torch.randn(n, *waves.shape[1:], generator=generator))
    shaped = torch.fft.irfft(noise * spectrum, waves.shape[-1])
    envelope = _smooth(waves[rows].abs())
    made = shaped * envelope / _smooth(shaped.abs()).clamp(min=1e-6)
    return made / made.abs().amax((1, 2), keepdim=True).clamp(min=1e-6), rows


def _smooth(x: Tensor) -> Tensor:
    """Means over about a fiftieth of the length."""
    width = max(1, x.shape[-1] // 50) | 1
    return torch.nn.functional.avg_pool1d(x, width, 1, width // 2, count_include_pad=False)


def _fixed() -> torch.Generator:
    return torch.Generator().manual_seed(0)

"""Distances of recordings in the short-time Fourier domain: differentiable, over (n, channels, samples)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from sparring.layers.stft import FLOOR, STFT, log_mel, mel_filters

MEL_SIZES = (32, 64, 128, 256, 512, 1024, 2048)  # samples of a frame, Kumar et al. 2023, arXiv:2306.06546
SAMPLES_PER_MEL = 6.4  # of a frame; 5 mels for frames of 32 samples, as there
MAX_MELS = 80
QUIET = math.log(1e-4)  # of log-mel levels: -80 dB, below which differences are not heard
POWER = 0.3  # Wilson et al. 2018, arXiv:1811.07030


def mel_scales(rate: int, samples: int) -> list[tuple[STFT, Tensor]]:
    """Frames and mel filters of several sizes, for segments of this length: those that fit at least twice.

    Args:
        rate: samples per second.
    """
    sizes = [size for size in MEL_SIZES if 2 * size <= samples]
    return [(STFT(s, s // 4), mel_filters(rate, s, min(MAX_MELS, int(s / SAMPLES_PER_MEL)))) for s in sizes]


def mel_distance(x: Tensor, y: Tensor, scales: Sequence[tuple[STFT, Tensor]]) -> Tensor:
    """Mean absolute difference of log-mel spectrograms in nats, the mean over several sizes of frames. Levels below
    -80 dB count as -80 dB. Kumar et al. 2023, arXiv:2306.06546, section 3.4.

    Args:
        scales: from `mel_scales`.
    """
    parts = []
    for stft, filters in scales:
        filters = filters.to(x.device)
        levels = (log_mel(signal, stft, filters).clamp(min=QUIET) for signal in (x, y))
        parts.append(torch.sub(*levels).abs().mean())
    return torch.stack(parts).mean()


def compressed_distance(x: Tensor, y: Tensor, stft: STFT, phase: float = 0.5) -> Tensor:
    """Mean squared difference of spectra whose magnitudes are raised to the power of 0.3, so that quiet parts count:
    of the complex values with a weight of `phase`, of their magnitudes with the rest. Wilson et al. 2018,
    arXiv:1811.07030; Braun and Tashev 2020, arXiv:2009.12286.
    """
    a, b = (_compressed(stft.spectrum(signal)) for signal in (x, y))
    values = (torch.view_as_real(a[0]) - torch.view_as_real(b[0])).square().sum(-1).mean()
    magnitudes = (a[1] - b[1]).square().mean()
    return phase * values + (1 - phase) * magnitudes


def _compressed(spectrum: Tensor) -> tuple[Tensor, Tensor]:
    """Compressed values, and their magnitudes."""
    size = spectrum.abs().clamp(min=FLOOR)
    return spectrum * size ** (POWER - 1), size**POWER

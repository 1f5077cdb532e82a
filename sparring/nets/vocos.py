"""Vocos: a vocoder that generates the coefficients of a short-time Fourier transform, never samples. Siuzdak 2023,
arXiv:2306.00814.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sparring.layers.stft import LOG_FLOOR, STFT
from sparring.nets.convnext import ConvNeXt
from sparring.nets.signal_to_signal import SignalToSignal

MAX_MAGNITUDE = 100.0  # of a coefficient, which keeps the exponential from overflowing early in training


class SpectrumHead(nn.Linear):
    """(n, frames, width) -> a complex spectrum (n, bins, frames): a magnitude, as its logarithm, and a phase, whose
    cosine and sine are taken so that it may grow beyond a turn. Equations 3 to 6 of the paper.
    """

    def __init__(self, width: int, bins: int) -> None:
        super().__init__(width, 2 * bins)
        nn.init.trunc_normal_(self.weight, std=0.02)
        nn.init.zeros_(self.bias)

    def forward(self, h: Tensor) -> Tensor:
        log_magnitude, phase = super().forward(h).float().mT.chunk(2, 1)
        magnitude = log_magnitude.exp().clamp(max=MAX_MAGNITUDE)
        return torch.complex(magnitude * phase.cos(), magnitude * phase.sin())


class Vocos(SignalToSignal):
    """Log-mel spectrograms (n, mels, frames) -> waveforms (n, 1, hop frames).

    Args:
        mels: bands of the spectrograms.
        stft: frames of the spectrograms, and of the generated coefficients.
        width: channels of every layer; the paper's is 512.
        depth: number of blocks.
    """

    silence = LOG_FLOOR

    def __init__(self, mels: int, stft: STFT, width: int = 128, depth: int = 8) -> None:
        super().__init__()
        self.stft, self.times = stft, stft.hop
        self.body = ConvNeXt(mels, width, depth)
        self.head = SpectrumHead(width, stft.bins)
        self.reach = self.body.reach + stft.size // stft.hop

    def forward(self, x: Tensor) -> Tensor:
        h = self.body(F.pad(x, (self.body.margin, self.body.margin), value=LOG_FLOOR))
        return self.stft.inverse(self.head(h))[:, None]

"""A restoration net for recordings: a complex mask of the short-time Fourier transform, and what the mask cannot give.

Masks with a real and an imaginary part: Williamson et al. 2016, doi:10.1109/TASLP.2015.2512042. A band in which the
given recording holds nothing stays empty under any mask, so the net adds coefficients of its own: their magnitude as a
logarithm and their phase, as `nets.vocos` generates them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sparring.layers.stft import FLOOR, STFT
from sparring.nets.convnext import ConvNeXt
from sparring.nets.signal_to_signal import SignalToSignal

QUIET = -6.0  # logarithm of the added magnitude at the start of training
MAX_ADDED = 100.0  # magnitude of an added coefficient
POWER = 0.3  # of magnitudes as the net sees them, so that quiet parts count. Wilson et al. 2018, arXiv:1811.07030


class MaskNet(SignalToSignal):
    """Degraded recordings (n, 1, samples) -> recordings of the same length. At the start of training it returns its
    input nearly unchanged.

    Args:
        stft: frames that the net sees and masks.
        width: channels of every layer.
        depth: number of blocks.
        adds: True if the net adds coefficients of its own to the masked ones.
    """

    def __init__(self, stft: STFT, width: int = 128, depth: int = 6, adds: bool = True) -> None:
        super().__init__()
        self.stft, self.adds, self.stride = stft, adds, stft.hop
        self.body = ConvNeXt(2 * stft.bins, width, depth)
        self.head = nn.Linear(width, (4 if adds else 2) * stft.bins)
        nn.init.zeros_(self.head.weight)
        with torch.no_grad():
            self.head.bias.zero_()
            self.head.bias[: stft.bins] = 1.0
            self.head.bias[2 * stft.bins : 3 * stft.bins] = QUIET  # none if the net adds nothing
        self.reach = (self.body.reach + stft.size // stft.hop) * stft.hop + stft.size

    def forward(self, x: Tensor) -> Tensor:
        spectrum = self.stft.spectrum(x[:, 0])
        size = spectrum.abs()
        compressed = spectrum * (size.clamp(min=FLOOR) ** (POWER - 1))
        seen = torch.cat([compressed.real, compressed.imag], 1)
        margin = self.body.margin
        real, imaginary, *added = (
            self.head(self.body(F.pad(seen, (margin, margin)))).float().mT.chunk(4 if self.adds else 2, 1)
        )
        restored = spectrum * torch.complex(real, imaginary)
        if self.adds:
            log_magnitude, phase = added
            magnitude = log_magnitude.exp().clamp(max=MAX_ADDED)
            restored = restored + torch.complex(magnitude * phase.cos(), magnitude * phase.sin())
        return self.stft.inverse(restored)[:, None]

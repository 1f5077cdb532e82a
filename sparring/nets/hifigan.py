"""HiFi-GAN's generator. Kong et al. 2020, arXiv:2010.05646, appendix A.1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

from sparring.layers.stft import LOG_FLOOR
from sparring.nets.signal_to_signal import SignalToSignal

Version = Literal["V1", "V3"]  # V2 is a V1 of 128 channels
KERNELS = {"V1": (3, 7, 11), "V3": (3, 5, 7)}  # of the blocks of a stage
DILATIONS = {"V1": ((1, 3, 5),) * 3, "V3": ((1, 2), (2, 6), (3, 12))}
STRIDES = {"V1": (8, 8, 2, 2), "V3": (8, 8, 4)}  # the paper's, for a hop of 256 samples
SLOPE = 0.1  # of the leaky ReLU
OUTER_KERNEL = 7  # of the first and the last convolution
MIN_CHANNELS = 8  # of the last stage


def strides(hop: int, version: Version = "V3") -> tuple[int, ...]:
    """Factors by which the stages upsample, for a hop in samples: the paper's for 256, otherwise factors of at most 8,
    the largest first.

    Raises:
        ValueError: if the hop has a prime factor above 8.
    """
    if hop == 256:
        return STRIDES[version]
    factors, rest = list[int](), hop
    for factor in (8, 7, 6, 5, 4, 3, 2):
        while rest % factor == 0:
            factors.append(factor)
            rest //= factor
    if rest > 1:
        raise ValueError(f"a hop of {hop} samples has a prime factor above 8; give one such as {1 << hop.bit_length()}")
    return tuple(factors)


class ResidualStack(nn.Module):
    """(n, channels, length) -> the same shape: dilated convolutions, each added to its input. "ResBlock2" of V3."""

    def __init__(self, channels: int, kernel: int, dilations: Sequence[int]) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            _normed(nn.Conv1d(channels, channels, kernel, dilation=d, padding=d * (kernel // 2))) for d in dilations
        )
        self.reach = sum(d * (kernel // 2) for d in dilations)

    def forward(self, x: Tensor) -> Tensor:
        for conv in self.convs:
            x = x + conv(F.leaky_relu(x, SLOPE))
        return x


class ResidualPairs(nn.Module):
    """(n, channels, length) -> the same shape: pairs of a dilated and a plain convolution, each pair added to its
    input. "ResBlock1" of V1.
    """

    def __init__(self, channels: int, kernel: int, dilations: Sequence[int]) -> None:
        super().__init__()
        margin = kernel // 2
        self.dilated = nn.ModuleList(
            _normed(nn.Conv1d(channels, channels, kernel, dilation=d, padding=d * margin)) for d in dilations
        )
        self.plain = nn.ModuleList(_normed(nn.Conv1d(channels, channels, kernel, padding=margin)) for _ in dilations)
        self.reach = sum((d + 1) * margin for d in dilations)

    def forward(self, x: Tensor) -> Tensor:
        for dilated, plain in zip(self.dilated, self.plain, strict=True):
            x = x + plain(F.leaky_relu(dilated(F.leaky_relu(x, SLOPE)), SLOPE))
        return x


class HifiGan(SignalToSignal):
    """Log-mel spectrograms (n, mels, frames) -> waveforms (n, 1, hop frames) in (-1, 1).

    Args:
        mels: bands of the spectrograms.
        hop: samples per frame.
        width: channels of the first layer; each stage halves them, to no fewer than 8.
        version: of the paper.
        outside: value of spectrograms beyond their ends.
    """

    silence = LOG_FLOOR

    def __init__(
        self, mels: int, hop: int, width: int = 256, version: Version = "V3", outside: float = LOG_FLOOR
    ) -> None:
        super().__init__()
        self.times, self.outside = hop, outside
        self.first = _normed(nn.Conv1d(mels, width, OUTER_KERNEL))
        self.ups, self.stages = nn.ModuleList(), nn.ModuleList()
        reach, length, before = float(OUTER_KERNEL // 2 + 1), 1, width
        block = ResidualPairs if version == "V1" else ResidualStack
        settings = list(zip(KERNELS[version], DILATIONS[version], strict=True))
        for stride in strides(hop, version):
            after = max(MIN_CHANNELS, before // 2)
            margin = stride // 2 + stride % 2
            self.ups.append(
                _normed(nn.ConvTranspose1d(before, after, 2 * stride, stride, margin, output_padding=stride % 2))
            )
            blocks = [block(after, kernel, dilations) for kernel, dilations in settings]
            self.stages.append(nn.ModuleList(blocks))
            reach += 1 / length  # an upsampled value depends on two values before
            length, before = length * stride, after
            reach += max(each.reach for each in blocks) / length
        self.last = _normed(nn.Conv1d(before, 1, OUTER_KERNEL, padding=OUTER_KERNEL // 2))
        self.reach = int(reach + OUTER_KERNEL / length) + 1

    def forward(self, x: Tensor) -> Tensor:
        margin = OUTER_KERNEL // 2
        h = self.first(F.pad(x, (margin, margin), value=self.outside))
        for up, blocks in zip(self.ups, self.stages, strict=True):
            assert isinstance(blocks, nn.ModuleList)
            h = up(F.leaky_relu(h, SLOPE))
            h = torch.stack([block(h) for block in blocks]).mean(0)
        return torch.tanh(self.last(F.leaky_relu(h)).float())


def _normed(layer: nn.Conv1d | nn.ConvTranspose1d) -> nn.Module:
    """With weight normalization (Salimans and Kingma 2016, arXiv:1602.07868) and the paper's initial weights."""
    nn.init.normal_(layer.weight, std=0.01)
    normed: nn.Module = weight_norm(layer)
    return normed

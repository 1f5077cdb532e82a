"""Discriminators of waveforms: one per period, one per resolution. Both are thin enough to be trained on a CPU."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

from sparring.layers.stft import STFT
from sparring.nets.discriminator import Discriminator

SLOPE = 0.1  # of the leaky ReLU
PERIODS = (2, 3, 5, 7, 11)  # HiFi-GAN's: primes, so that no two of them see the same samples
MIN_PERIOD_ROWS = 8  # rows of a signal that is folded by a period
PERIOD_WIDTHS = (1, 4, 8, 8)  # widths of the layers that stride
RESOLUTION_LAYERS = 3  # that halve the number of frequencies, after the first one


class Layers(nn.Module):
    """Convolutions with a leaky ReLU after each but the last, which gives the logits. Returns the maps of all."""

    def __init__(self, convs: Sequence[nn.Conv2d]) -> None:
        super().__init__()
        self.convs = nn.ModuleList(weight_norm(conv) for conv in convs)

    def forward(self, h: Tensor) -> list[Tensor]:
        maps: list[Tensor] = []
        for conv in self.convs:
            h = conv(F.leaky_relu(h, SLOPE) if maps else h)
            maps.append(h)
        return maps


class PeriodNet(Layers):
    """Waveforms (n, 1, samples), folded into rows of `period` samples: each column of the result is every period-th
    sample, and no convolution mixes columns. Kong et al. 2020, arXiv:2010.05646, section 2.3.

    Args:
        width: channels of the first layer; the paper's is 32, with up to 1024 in later ones.
    """

    def __init__(self, period: int, width: int) -> None:
        widths = [1, *(width * w for w in PERIOD_WIDTHS)]
        convs = [nn.Conv2d(before, after, (5, 1), (3, 1), (2, 0)) for before, after in pairwise(widths)]
        super().__init__(
            [*convs, nn.Conv2d(widths[-1], widths[-1], (5, 1), 1, (2, 0)), nn.Conv2d(widths[-1], 1, (3, 1), 1, (1, 0))]
        )
        self.period = period

    def forward(self, x: Tensor) -> list[Tensor]:
        folded = F.pad(x, (0, -x.shape[-1] % self.period), mode="reflect")
        return super().forward(folded.reshape(len(x), 1, -1, self.period))


class ResolutionNet(Layers):
    """Waveforms (n, 1, samples), by the real and the imaginary part of their spectrum at one resolution. Jang et al.
    2021, arXiv:2106.07889, section 2.3 (with magnitudes); Kumar et al. 2023, arXiv:2306.06546, section 3.3 (with
    complex spectra).

    Args:
        width: channels of every layer; the papers' is 32.
    """

    def __init__(self, stft: STFT, width: int) -> None:
        halving = [nn.Conv2d(width, width, (3, 9), (1, 2), (1, 4)) for _ in range(RESOLUTION_LAYERS)]
        super().__init__(
            [
                nn.Conv2d(2, width, (3, 9), (1, 2), (1, 4)),
                *halving,
                nn.Conv2d(width, width, 3, 1, 1),
                nn.Conv2d(width, 1, 3, 1, 1),
            ]
        )
        self.stft = stft

    def forward(self, x: Tensor) -> list[Tensor]:
        spectrum = self.stft.spectrum(x).mT * (2 / self.stft.size) ** 0.5  # noise of any size of frame is as loud
        return super().forward(torch.cat([spectrum.real, spectrum.imag], 1))


class AudioDiscriminator(Discriminator):
    """Waveforms (n, 1, samples) -> logits of every period and resolution.

    Its features are the maps of all layers of all nets, in one vector; the last map of each net holds its logits. They
    are compared layer by layer: `games.audio_terms.LayerMatching`.

    Args:
        samples: length of the waveforms.
        periods: by which they are folded; those that leave too few rows are left out.
        resolutions: frames of their spectra.
        width: channels of the nets' first layers.

    Attributes:
        sizes: numbers of each map, in the order of the features.

    Raises:
        ValueError: if the waveforms are too short.
    """

    def __init__(
        self, samples: int, periods: Sequence[int] = PERIODS, resolutions: Sequence[STFT] = (), width: int = 8
    ) -> None:
        super().__init__()
        periods = [period for period in periods if samples >= period * MIN_PERIOD_ROWS]
        resolutions = [stft for stft in resolutions if stft.size <= samples]
        if not periods or not resolutions:
            raise ValueError(f"{samples} samples are too short to be judged; give longer segments")
        nets: list[Layers] = [PeriodNet(period, width) for period in periods]
        self.nets = nn.ModuleList([*nets, *(ResolutionNet(stft, width) for stft in resolutions)])
        with torch.no_grad():
            maps = self._maps(torch.zeros(1, 1, samples))
        self.shapes = [[m.shape[1:] for m in group] for group in maps]
        self.sizes = [shape.numel() for group in self.shapes for shape in group]
        self.length = sum(self.sizes)

    def _maps(self, x: Tensor) -> list[list[Tensor]]:
        return [net(x) for net in self.nets]

    def features(self, x: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        return torch.cat([m.flatten(1) for group in self._maps(x) for m in group], 1)

    def judge(self, h: Tensor, label: Tensor | None = None) -> list[Tensor]:  # noqa: ARG002
        parts = iter(torch.split(h, self.sizes, 1))
        groups = [[next(parts) for _ in group] for group in self.shapes]
        return [group[-1].view(-1, *shapes[-1]) for group, shapes in zip(groups, self.shapes, strict=True)]


def resolutions(samples: int) -> list[STFT]:
    """Three resolutions for waveforms of this length, a factor of two apart, each with a hop of a quarter: 1024, 512
    and 256 samples for 8,192.
    """
    largest = 1 << max(6, min(11, (samples // 8).bit_length() - 1))
    return [STFT(size, size // 4) for size in (largest, largest // 2, largest // 4)]

"""Nets for series with volatility clustering: G is noise times a volatility, D averages features over time."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sparring.layers.initial import init_he
from sparring.nets.discriminator import Discriminator as Base
from sparring.nets.tcn import MAX_CHUNK, TCN, Block, receptive

SCALES = (4, 16, 64)  # time constants of the slow latents, in time steps
MIN_STEPS = 4  # of the coarsest resolution that D uses
MAX_LOG_VOLATILITY = 4.0
KERNEL_LENGTH = 4  # length of the slow latents' kernel / the longest time constant


class Slow(nn.Module):
    """White noise (n, scales, steps) -> noise of standard deviation 1 whose autocorrelation decays with the time
    constants SCALES, (n, scales, steps - before).
    """

    kernel: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.before = KERNEL_LENGTH * max(SCALES) - 1
        lag = torch.arange(self.before, -1, -1)
        kernels = torch.stack([torch.exp(-lag / scale) for scale in SCALES])
        self.register_buffer("kernel", (kernels / kernels.norm(dim=1, keepdim=True))[:, None], persistent=False)

    def forward(self, z: Tensor) -> Tensor:
        return F.conv1d(z, self.kernel, groups=len(SCALES))


class Generator(nn.Module):
    """Latents of each time step and of those before the first -> series (n, channels, steps): noise times a volatility,
    plus a drift. A linear combination of the step's latents is part of the noise, so that channels are soon correlated.
    As the stochastic volatility net of Wiese et al. 2019, arXiv:1907.06673, with latents of several time constants.

    Args:
        z: independent latents per time step; the slow ones are additional.
        channels: of the series.
        width: channels of the hidden layers.
        depth: of the temporal convolutions.
    """

    def __init__(self, z: int, channels: int, width: int, depth: int) -> None:
        super().__init__()
        self.z = z + len(SCALES)
        self.slow = Slow()
        self.net = TCN(self.z, 3 * channels, width, depth, "leaky")
        self.mixed = nn.Conv1d(z, channels, 1)
        nn.init.eye_(self.mixed.weight.data[:, :, 0])  # at first, each channel has its own noise
        self.before = self.slow.before + receptive(depth) - 1

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        steps = z.view(z.shape[0], -1, self.z).transpose(1, 2)
        if torch.is_grad_enabled() or steps.shape[2] <= MAX_CHUNK:
            return self._series(steps)
        starts = range(0, steps.shape[2] - self.before, MAX_CHUNK)
        return torch.cat([self._series(steps[:, :, i : i + MAX_CHUNK + self.before]) for i in starts], 2)

    def _series(self, z: Tensor) -> Tensor:
        slow = self.slow(z[:, : len(SCALES)])
        white = z[:, len(SCALES) :, self.slow.before :]
        noise, volatility, drift = self.net(torch.cat([slow, white], 1)).float().chunk(3, 1)
        noise = noise + self.mixed(white)[:, :, -noise.shape[2] :].float()
        series: Tensor = noise * torch.exp(volatility.clamp(max=MAX_LOG_VOLATILITY)) + drift
        return series


class Discriminator(Base):
    """Series (n, channels, steps) -> logits (n,): convolutional features of the values and their absolute values at
    several resolutions, each half of the previous one, averaged over time.

    Args:
        channels: of the series.
        width: channels of the hidden layers.
        depth: number of resolutions; fewer if the window is too short.
        window: length of the judged series in time steps.
    """

    def __init__(self, channels: int, width: int, depth: int, window: int) -> None:
        super().__init__()
        self.length = 2 * width
        self.blocks = nn.ModuleList()
        before = 2 * channels
        while len(self.blocks) < depth and window >= MIN_STEPS:
            self.blocks.append(Block(before, width, 2, 1, "leaky"))
            before, window = width, (window - 2) // 2
        self.seen = nn.Linear(width * len(self.blocks), 2 * width)
        self.head = nn.Sequential(
            nn.LeakyReLU(0.2), nn.Linear(2 * width, 2 * width), nn.LeakyReLU(0.2), nn.Linear(2 * width, 1)
        )
        self.apply(init_he)

    def features(self, x: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        h = torch.cat([x, x.abs()], 1)
        means = []
        for block in self.blocks:
            h = block(h)
            means.append(h.mean(2))
            h = F.avg_pool1d(h, 2)
        features: Tensor = self.seen(torch.cat(means, 1))
        return features

    def judge(self, h: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        logits: Tensor = self.head(h)
        return logits.squeeze(1)

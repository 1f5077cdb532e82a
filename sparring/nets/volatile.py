"""Nets for series whose moves come in clusters: noise times a volatility of its own, and a D that looks at means."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sparring.layers.initial import scaled
from sparring.nets.discriminator import Discriminator as Base
from sparring.nets.tcn import AT_ONCE, TCN, Block, receptive

SCALES = (4, 16, 64)  # steps in which slow latents forget
SHORTEST = 4  # steps of a resolution
MOST = 4.0  # logarithm of a volatility
MEMORY = 4  # times the longest of these that is looked back


class Slow(nn.Module):
    """Noise (n, scales, steps) -> noise of deviation 1 that forgets in so many steps, (n, scales, steps - before)."""

    kernel: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.before = MEMORY * max(SCALES) - 1
        ago = torch.arange(self.before, -1, -1)
        kernels = torch.stack([torch.exp(-ago / scale) for scale in SCALES])
        self.register_buffer("kernel", (kernels / kernels.norm(dim=1, keepdim=True))[:, None], persistent=False)

    def forward(self, z: Tensor) -> Tensor:
        return F.conv1d(z, self.kernel, groups=len(SCALES))


class Generator(nn.Module):
    """Latents of each step and of those before them -> series (n, channels, steps): noise times a volatility, and a
    drift. The latents of a step, mixed, are part of its noise, so that channels soon go together. As the
    stochastic volatility net of Wiese et al. 2019, arXiv:1907.06673, on latents of several speeds.

    Args:
        z: quick latents of a step; the slow ones come beside them.
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
        nn.init.eye_(self.mixed.weight.data[:, :, 0])  # noise of its own for each channel, to begin with
        self.before = self.slow.before + receptive(depth) - 1

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        steps = z.view(z.shape[0], -1, self.z).transpose(1, 2)
        if torch.is_grad_enabled() or steps.shape[2] <= AT_ONCE:
            return self._made(steps)
        starts = range(0, steps.shape[2] - self.before, AT_ONCE)
        return torch.cat([self._made(steps[:, :, i : i + AT_ONCE + self.before]) for i in starts], 2)

    def _made(self, z: Tensor) -> Tensor:
        slow = self.slow(z[:, : len(SCALES)])
        quick = z[:, len(SCALES) :, self.slow.before :]
        noise, volatility, drift = self.net(torch.cat([slow, quick], 1)).float().chunk(3, 1)
        noise = noise + self.mixed(quick)[:, :, -noise.shape[2] :].float()
        made: Tensor = noise * torch.exp(volatility.clamp(max=MOST)) + drift
        return made


class Discriminator(Base):
    """Series (n, channels, steps) -> logits (n,): what convolutions see of values and of their sizes at several
    resolutions, each half as fine as the one before, as means over time.

    Args:
        channels: of the series.
        width: channels of the hidden layers.
        depth: resolutions, fewer where the window is too short for so many.
        window: steps of what is judged.
    """

    def __init__(self, channels: int, width: int, depth: int, window: int) -> None:
        super().__init__()
        self.length = 2 * width
        self.blocks = nn.ModuleList()
        before = 2 * channels
        while len(self.blocks) < depth and window >= SHORTEST:
            self.blocks.append(Block(before, width, 2, 1, "leaky"))
            before, window = width, (window - 2) // 2
        self.seen = nn.Linear(width * len(self.blocks), 2 * width)
        self.head = nn.Sequential(
            nn.LeakyReLU(0.2), nn.Linear(2 * width, 2 * width), nn.LeakyReLU(0.2), nn.Linear(2 * width, 1)
        )
        self.apply(scaled)

    def features(self, x: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        h = torch.cat([x, x.abs()], 1)
        means = []
        for block in self.blocks:
            h = block(h)
            means.append(h.mean(2))
            h = F.avg_pool1d(h, 2)
        seen: Tensor = self.seen(torch.cat(means, 1))
        return seen

    def judge(self, h: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        logits: Tensor = self.head(h)
        return logits.squeeze(1)

"""Nets for series whose moves come in clusters: noise times a volatility of its own, and a D that looks at means."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sparring.layers.initial import scaled
from sparring.nets.discriminator import Discriminator as Base
from sparring.nets.tcn import AT_ONCE, TCN, Block, receptive

SCALES = (4, 16, 64)  # steps in which slow latents forget
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
    drift. The volatility net of Wiese et al. 2019, arXiv:1907.06673, section 5.3, on latents of several speeds.

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
        self.before = self.slow.before + receptive(depth) - 1

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        steps = z.view(len(z), -1, self.z).transpose(1, 2)
        if torch.is_grad_enabled() or steps.shape[2] <= AT_ONCE:
            return self._made(steps)
        starts = range(0, steps.shape[2] - self.before, AT_ONCE)
        return torch.cat([self._made(steps[:, :, i : i + AT_ONCE + self.before]) for i in starts], 2)

    def _made(self, z: Tensor) -> Tensor:
        slow = self.slow(z[:, : len(SCALES)])
        h = torch.cat([slow, z[:, len(SCALES) :, self.slow.before :]], 1)
        noise, volatility, drift = self.net(h).float().chunk(3, 1)
        made: Tensor = noise * torch.exp(volatility.clamp(max=MOST)) + drift
        return made


class Discriminator(Base):
    """Series (n, channels, steps) -> logits (n,): what convolutions of several dilations see, and how large it is, as
    means over time.

    Args:
        channels: of the series.
        width: channels of the hidden layers.
        depth: blocks after the first.
    """

    def __init__(self, channels: int, width: int, depth: int) -> None:
        super().__init__()
        self.length = 2 * width
        first = Block(2 * channels, width, 1, 1, "leaky")
        self.blocks = nn.ModuleList([first, *(Block(width, width, 2, 2**i, "leaky") for i in range(depth))])
        self.seen = nn.Linear(width * (depth + 1), 2 * width)
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
        seen: Tensor = self.seen(torch.cat(means, 1))
        return seen

    def judge(self, h: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        logits: Tensor = self.head(h)
        return logits.squeeze(1)

"""Clips of which some frames are given: a convolutional net that generates the others, and a D of whole clips.

All frames of a clip are channels of one image, as in SimVP (Gao et al. 2022, arXiv:2206.05099), so that a clip costs
little more than a frame. Every generated frame is a background of given frames behind a masked foreground, as in VGAN
(Vondrick et al. 2016, arXiv:1609.02612), since most pixels of most films do not move.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sparring.nets.image_to_image import ImageToImage
from sparring.nets.video import ClipDiscriminator

BLOCKS = 3  # residual blocks at the lowest resolution
MASK_BIAS = -2.0  # of the masks' logits: at first a frame is its background, nearly
CHANGES = 2.0  # factor of the changes from frame to frame that D sees, which are smaller than the frames


def blend(known: Sequence[bool]) -> Tensor:
    """The weight of each given frame in the background of each frame that is not given, (unknown, known): linear in
    time between two given frames, and the nearest given frame beyond the first and the last.

    Args:
        known: for each frame of a clip whether it is given; at least one is.
    """
    given = [i for i, is_given in enumerate(known) if is_given]
    rows = []
    for t in (i for i, is_given in enumerate(known) if not is_given):
        row = torch.zeros(len(given))
        before, after = [i for i in given if i < t], [i for i in given if i > t]
        if before and after:
            share = (t - before[-1]) / (after[0] - before[-1])
            row[given.index(before[-1])], row[given.index(after[0])] = 1 - share, share
        else:
            row[given.index(before[-1] if before else after[0])] = 1
        rows.append(row)
    return torch.stack(rows)


class Residual(nn.Module):
    """Two convolutions whose result is added to their input; the second one begins at 0."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.SiLU(), nn.Conv2d(width, width, 3, padding=1), nn.SiLU(), nn.Conv2d(width, width, 3, padding=1)
        )
        last = self.layers[-1]
        assert isinstance(last, nn.Conv2d)
        nn.init.normal_(last.weight, std=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        h: Tensor = self.layers(x)
        return x + h


class Generator(ImageToImage):
    """Given frames one after the other, then constant maps of noise, (n, k channels + z, h, w) -> whole clips
    (n, channels, frames, h, w) in [-1, 1], whose given frames are unchanged.

    Args:
        known: for each frame of a clip whether it is given.
        channels: of a frame.
        z: maps of noise.
        width: channels at full resolution, doubled with each halving.
        depth: number of halvings.
    """

    weights: Tensor
    order: Tensor

    def __init__(self, known: Sequence[bool], channels: int, z: int, width: int, depth: int) -> None:
        super().__init__()
        self.reach, self.z, self.channels, self.halved = None, z, channels, 2**depth
        self.register_buffer("weights", blend(known), persistent=False)
        places = [i for i, is_given in enumerate(known) if is_given] + [i for i, given in enumerate(known) if not given]
        self.register_buffer("order", torch.tensor(places).argsort(), persistent=False)
        widths = [width * 2**i for i in range(depth + 1)]
        self.first = nn.Conv2d(sum(known) * channels, width, 3, padding=1)
        self.down = nn.ModuleList(
            nn.Sequential(nn.SiLU(), nn.Conv2d(before, after, 4, stride=2, padding=1))
            for before, after in pairwise(widths)
        )
        self.noise = nn.Linear(z, widths[-1])
        self.body = nn.Sequential(*(Residual(widths[-1]) for _ in range(BLOCKS)))
        self.up = nn.ModuleList(
            nn.Sequential(nn.SiLU(), nn.Conv2d(after + before, before, 3, padding=1))
            for before, after in reversed(list(pairwise(widths)))
        )
        self.last = nn.Sequential(nn.SiLU(), nn.Conv2d(width, len(self.weights) * (channels + 1), 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        x = F.pad(x, (0, -width % self.halved, 0, -height % self.halved), mode="replicate")
        given, z = x[:, : -self.z], x[:, -self.z :].mean((2, 3))
        h, skips = self.first(given), []
        for down in self.down:
            skips.append(h)
            h = down(h)
        h = self.body(h + self.noise(z)[:, :, None, None])
        for up in self.up:
            h = up(torch.cat([F.interpolate(h, scale_factor=2.0, mode="nearest"), skips.pop()], 1))
        unknown, known = self.weights.shape
        frames = given.reshape(-1, known, self.channels, *x.shape[2:])
        made = self.last(h).view(-1, unknown, self.channels + 1, *x.shape[2:])
        color, mask = made[:, :, :-1].tanh(), (made[:, :, -1:] + MASK_BIAS).sigmoid()
        background = (self.weights[:, :, None, None, None].to(frames.dtype) * frames[:, None]).sum(2)
        clips = torch.cat([frames, background.lerp(color, mask)], 1)[:, self.order]
        return clips.transpose(1, 2)[..., :height, :width]


class Discriminator(ClipDiscriminator):
    """Whole clips (n, channels, frames, size, size) -> logits (n,). D sees the frames and their changes. What a clip
    was generated from is a part of it, so the condition is ignored.

    Args:
        size, channels: of the frames.
        width: channels of the first hidden layer; each further layer has twice as many.
        frames: of a clip.
    """

    def __init__(self, size: int, channels: int, width: int, frames: int) -> None:
        super().__init__(size, 2 * channels, width, frames)

    def features(self, x: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        changes = torch.cat([torch.zeros_like(x[:, :, :1]), x[:, :, 1:] - x[:, :, :-1]], 2)
        return super().features(torch.cat([x, CHANGES * changes], 1))

    def judge(self, h: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        return super().judge(h)

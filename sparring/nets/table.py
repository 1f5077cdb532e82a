"""Fully connected residual nets for rows of tables."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sparring.layers.spans import Spans
from sparring.nets.discriminator import Discriminator as Base


class Block(nn.Module):
    """(n, width) -> (n, width)."""

    def __init__(self, width: int, norm: bool) -> None:
        super().__init__()
        layers = [nn.LayerNorm(width)] if norm else []
        self.layers = nn.Sequential(
            *layers, nn.Linear(width, width), nn.LeakyReLU(0.2, inplace=True), nn.Linear(width, width)
        )

    def forward(self, h: Tensor) -> Tensor:
        added: Tensor = self.layers(h)
        return h + added


class Generator(nn.Module):
    """Latents (n, z + places), of which the last are Gumbel noise, and codes that are asked for (n, spans) -> rows.

    Args:
        z: length of the noise.
        spans: the layout of a row.
        width: of the hidden layers.
        depth: residual blocks.
    """

    def __init__(self, z: int, spans: Spans, width: int, depth: int) -> None:
        super().__init__()
        self.z, self.spans = z, spans
        self.begin = nn.Linear(z + spans.places, width)
        self.blocks = nn.Sequential(*(Block(width, norm=True) for _ in range(depth)))
        self.end = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, spans.width))

    def made(self, z: Tensor, label: Tensor) -> Tensor:
        """Logits of all places, and scalars, (n, width)."""
        asked = self.spans.onehot(label)
        made: Tensor = self.end(self.blocks(self.begin(torch.cat([z[:, : self.z], asked], 1))))
        return made

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        row: Tensor = self.spans(self.made(z, label), z[:, self.z :], label)
        return row


class Discriminator(Base):
    """Rows (n, width), and the codes that they were asked for by (n, spans) -> logits (n / pack,).

    Args:
        spans: the layout of a row.
        width: of the hidden layers.
        depth: residual blocks.
        pack: rows that are judged together. Lin et al. 2017, arXiv:1712.04086.
    """

    def __init__(self, spans: Spans, width: int, depth: int, pack: int = 1) -> None:
        super().__init__()
        self.pack, self.length = pack, width
        self.begin = nn.Linear(pack * (spans.width + spans.spans), width)
        self.blocks = nn.Sequential(*(Block(width, norm=False) for _ in range(depth)), nn.LeakyReLU(0.2, inplace=True))
        self.head = nn.Linear(width, 1)

    def features(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        assert label is not None
        seen = torch.cat([x, (label >= 0).to(x)], 1)
        h: Tensor = self.blocks(self.begin(seen.view(len(seen) // self.pack, -1)))
        return h

    def judge(self, h: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        logit: Tensor = self.head(h)
        return logit.squeeze(1)

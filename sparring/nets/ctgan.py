"""CTGAN's nets. Xu et al. 2019, arXiv:1907.00503, section 4.4."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sparring.layers.spans import Spans
from sparring.nets.discriminator import Discriminator as Base


class Residual(nn.Module):
    """(n, before) -> (n, width + before): a layer's output, concatenated with its input."""

    def __init__(self, before: int, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(before, width), nn.BatchNorm1d(width), nn.ReLU(inplace=True))

    def forward(self, h: Tensor) -> Tensor:
        return torch.cat([self.layers(h), h], 1)


class Generator(nn.Module):
    """Latents (n, z + places), the last of which are Gumbel noise, and requested codes (n, spans) -> rows.

    Args:
        z: length of the noise.
        spans: the layout of a row.
        widths: of the hidden layers.
    """

    def __init__(self, z: int, spans: Spans, widths: Sequence[int]) -> None:
        super().__init__()
        self.z, self.spans = z, spans
        layers: list[nn.Module] = []
        before = z + spans.places
        for width in widths:
            layers.append(Residual(before, width))
            before += width
        self.layers = nn.Sequential(*layers, nn.Linear(before, spans.width))

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        logits = self.layers(torch.cat([z[:, : self.z], self.spans.onehot(label)], 1))
        row: Tensor = self.spans(logits, z[:, self.z :])
        return row


class Discriminator(Base):
    """Rows (n, width), and the codes requested for them (n, spans) -> logits (n / pack,).

    Args:
        spans: the layout of a row.
        widths: of the hidden layers, each with dropout.
        pack: rows judged together. Lin et al. 2017, arXiv:1712.04086.
    """

    def __init__(self, spans: Spans, widths: Sequence[int], pack: int) -> None:
        super().__init__()
        self.spans, self.pack = spans, pack
        layers: list[nn.Module] = []
        before = pack * (spans.width + spans.places)
        for width in widths:
            layers += [nn.Linear(before, width), nn.LeakyReLU(0.2, inplace=True), nn.Dropout(0.5)]
            before = width
        self.layers, self.head, self.length = nn.Sequential(*layers), nn.Linear(before, 1), before

    def features(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        assert label is not None
        rows = torch.cat([x, self.spans.onehot(label)], 1)
        h: Tensor = self.layers(rows.view(len(rows) // self.pack, -1))
        return h

    def judge(self, h: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        logit: Tensor = self.head(h)
        return logit.squeeze(1)

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
        residual: Tensor = self.layers(h)
        return h + residual


class Generator(nn.Module):
    """Latents (n, z + places), the last of which are Gumbel noise, and requested codes (n, spans) -> rows.

    Args:
        z: length of the noise.
        spans: the layout of a row.
        width: of the hidden layers.
        depth: number of residual blocks.
    """

    def __init__(self, z: int, spans: Spans, width: int, depth: int) -> None:
        super().__init__()
        self.z, self.spans = z, spans
        self.begin = nn.Linear(z + spans.places, width)
        self.blocks = nn.Sequential(*(Block(width, norm=True) for _ in range(depth)))
        self.end = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, spans.width))

    def logits(self, z: Tensor, label: Tensor) -> Tensor:
        """Logits of all positions, and scalars, (n, width)."""
        requested = self.spans.onehot(label)
        logits: Tensor = self.end(self.blocks(self.begin(torch.cat([z[:, : self.z], requested], 1))))
        return logits

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        row: Tensor = self.spans(self.logits(z, label), z[:, self.z :], label)
        return row


class Redraw:
    """Draws single columns of rows again, given all others. Only the weights that one column needs are used, so that a
    sweep over all columns of a wide table takes far less than as many calls of the generator.

    Args:
        G: the generator.
        codes: of the rows, (n, spans); changed in place.
    """

    @torch.no_grad()
    def __init__(self, G: Generator, codes: Tensor) -> None:
        self.G, self.codes = G, codes
        begin = G.begin.weight[:, G.z :]  # (width, places)
        self._hidden = G.spans.onehot(codes) @ begin.T  # what the codes add to the first hidden layer
        self._embedding = begin.T.contiguous()  # (places, width)

    @torch.no_grad()
    def __call__(self, column: int, z: Tensor, noise: Tensor) -> None:
        """Draw one column.

        Args:
            z: latents, (n, z).
            noise: Gumbel noise of the column's positions, (n, positions).
        """
        G, place = self.G, self.G.spans.places_of(column)
        codes = self.codes[:, column]
        self._hidden -= self._embedding[place][codes]
        norm, end = G.end.children()
        assert isinstance(end, nn.Linear)
        first = nn.functional.linear(z, G.begin.weight[:, : G.z], G.begin.bias) + self._hidden
        hidden = norm(G.blocks(first))
        codes.copy_((nn.functional.linear(hidden, end.weight[place], end.bias[place]) + noise).argmax(1))
        self._hidden += self._embedding[place][codes]


class Discriminator(Base):
    """Rows (n, width), and the codes requested for them (n, spans) -> logits (n / pack,).

    Args:
        spans: the layout of a row.
        width: of the hidden layers.
        depth: number of residual blocks.
        pack: rows judged together. Lin et al. 2017, arXiv:1712.04086.
    """

    def __init__(self, spans: Spans, width: int, depth: int, pack: int = 1) -> None:
        super().__init__()
        self.pack, self.length = pack, width
        self.begin = nn.Linear(pack * (spans.width + spans.spans), width)
        self.blocks = nn.Sequential(*(Block(width, norm=False) for _ in range(depth)), nn.LeakyReLU(0.2, inplace=True))
        self.head = nn.Linear(width, 1)

    def features(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        assert label is not None
        rows = torch.cat([x, (label >= 0).to(x)], 1)  # D is given which columns were requested
        h: Tensor = self.blocks(self.begin(rows.view(rows.shape[0] // self.pack, -1)))
        return h

    def judge(self, h: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        logit: Tensor = self.head(h)
        return logit.squeeze(1)

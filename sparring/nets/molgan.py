"""MolGAN's nets. De Cao and Kipf 2018, arXiv:1805.11973, section 3.

A graph is a row of one-hot vectors: of the type of each of its atoms, and then of the bond of each pair of atoms, the
first position of each for "none".
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sparring.layers.spans import Spans
from sparring.nets.discriminator import Discriminator as Base


class Generator(nn.Module):
    """Latents (n, z + width), the last of which are Gumbel noise -> graphs (n, width).

    Args:
        z: length of the noise.
        spans: the layout of a graph.
        hidden: widths of the hidden layers.
    """

    def __init__(self, z: int, spans: Spans, hidden: Sequence[int]) -> None:
        super().__init__()
        self.z, self.spans = z, spans
        layers: list[nn.Module] = []
        before = z
        for width in hidden:
            layers += [nn.Linear(before, width), nn.Tanh()]
            before = width
        self.layers = nn.Sequential(*layers, nn.Linear(before, spans.width))

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:  # noqa: ARG002
        graph: Tensor = self.spans(self.layers(z[:, : self.z]), z[:, self.z :])
        return graph


class Relational(nn.Module):
    """A layer of a relational graph convolutional net. Schlichtkrull et al. 2017, arXiv:1703.06103.

    Args:
        before, after: channels of an atom.
        bonds: types of bonds.
    """

    def __init__(self, before: int, after: int, bonds: int) -> None:
        super().__init__()
        self.own = nn.Linear(before, after)
        self.others = nn.Linear(before, bonds * after, bias=False)
        self.bonds = bonds

    def forward(self, h: Tensor, adjacency: Tensor) -> Tensor:
        """Atoms (n, atoms, before) and bonds (n, types, atoms, atoms) -> (n, atoms, after)."""
        n, atoms, _ = h.shape
        sent = self.others(h).reshape(n, atoms, self.bonds, -1).transpose(1, 2)  # (n, types, atoms, after)
        received = (adjacency @ sent).sum(1)
        neighbors = adjacency.sum((1, 3)).clamp(min=1)[..., None]
        result: Tensor = (self.own(h) + received / neighbors).tanh()
        return result


class Discriminator(Base):
    """Graphs (n, width) -> numbers (n,), whatever the order of their atoms.

    Args:
        atoms: number of atoms.
        types: of atoms, with "none".
        bonds: types of bonds, with "none".
        widths: channels of an atom after each layer.
        length: of a graph's vector.
    """

    def __init__(self, atoms: int, types: int, bonds: int, widths: Sequence[int], length: int) -> None:
        super().__init__()
        self.atoms, self.types, self.bonds, self.length = atoms, types, bonds, length
        layers, before = [], types
        for width in widths:
            layers.append(Relational(before, width, bonds - 1))
            before = width + types  # atoms keep their types
        self.layers = nn.ModuleList(layers)
        self.gate, self.content = nn.Linear(before, length), nn.Linear(before, length)
        self.end = nn.Linear(length, length)
        self.head = nn.Linear(length, 1)
        i, j = torch.triu_indices(atoms, atoms, 1)
        pair, places = torch.arange(len(i)), torch.zeros(len(i), atoms, atoms)
        places[pair, i, j] = places[pair, j, i] = 1
        self.register_buffer("places", places.flatten(1), persistent=False)

    places: Tensor  # (pairs, atoms * atoms): where the bond of a pair is in an adjacency matrix

    def features(self, x: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        own = x[:, : self.atoms * self.types].reshape(len(x), self.atoms, self.types)
        pairs = x[:, self.atoms * self.types :].reshape(len(x), -1, self.bonds)[..., 1:]  # (n, pairs, types)
        adjacency = (pairs.transpose(1, 2) @ self.places).reshape(len(x), -1, self.atoms, self.atoms)
        h = own
        for layer in self.layers:
            h = torch.cat([layer(h, adjacency), own], 2)
        vector = (self.gate(h).sigmoid() * self.content(h).tanh()).sum(1).tanh()
        result: Tensor = self.end(vector).tanh()
        return result

    def judge(self, h: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        number: Tensor = self.head(h)
        return number.squeeze(1)

"""Fully connected nets, for vectors and small images. Goodfellow et al. 2014, arXiv:1406.2661."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Literal

from torch import Tensor, nn

from sparring.layers.condition import Appended, Condition
from sparring.layers.learned_steepness import LearnedSteepness
from sparring.nets.discriminator import Discriminator as Base

Activation = Literal["leaky", "relu"]
ImageOutput = Literal["tanh", "sigmoid"]
Output = Literal["tanh", "sigmoid", "linear"]


def _activation(kind: Activation) -> nn.Module:
    return nn.LeakyReLU(0.2, inplace=True) if kind == "leaky" else nn.ReLU(inplace=True)


class Generator(nn.Module):
    """Latents (n, latents)[, labels (n,)] -> samples (n, *shape).

    Args:
        latents: length of the latent vector.
        shape: of a sample.
        widths: of the hidden layers.
        norm: batch norm after each hidden layer except the first.
        activation: of the hidden layers; leaky ReLU has slope 0.2.
        output: "tanh" and "sigmoid" have the range [-1, 1] (the sigmoid is rescaled), "linear" is unbounded.
        condition: number of classes, or columns; 0 for none; its embedding is appended to z.
        steep: units of learned steepness, as additional inputs, for data with separate modes.
    """

    def __init__(
        self,
        latents: int,
        shape: Sequence[int],
        widths: Sequence[int],
        norm: bool = True,
        activation: Activation = "leaky",
        output: Output = "tanh",
        condition: Condition = 0,
        steep: int = 0,
    ) -> None:
        super().__init__()
        self.shape, self.output = tuple(shape), output
        self.steep = LearnedSteepness(latents, steep) if steep else None
        self.condition = Appended(condition)
        layers: list[nn.Module] = []
        before = latents + steep + self.condition.width
        for i, width in enumerate(widths):
            layers.append(nn.Linear(before, width))
            if norm and i > 0:
                layers.append(nn.BatchNorm1d(width, momentum=0.2))
            layers.append(_activation(activation))
            before = width
        self.layers = nn.Sequential(*layers, nn.Linear(before, prod(shape)))

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        if self.steep is not None:
            z = self.steep(z)
        x: Tensor = self.layers(self.condition(z, label))
        if self.output == "tanh":
            x = x.tanh()
        elif self.output == "sigmoid":
            x = 2 * x.sigmoid() - 1
        return x.view(-1, *self.shape)


class Discriminator(Base):
    """Samples (n, *shape)[, labels (n,)] -> logits (n,).

    Args:
        shape: of a sample.
        widths: of the hidden layers.
        activation: of the hidden layers; leaky ReLU has slope 0.2.
        condition: number of classes, or columns; 0 for none; its embedding is appended to the sample.
    """

    def __init__(
        self,
        shape: Sequence[int],
        widths: Sequence[int],
        activation: Activation = "leaky",
        condition: Condition = 0,
    ) -> None:
        super().__init__()
        self.condition = Appended(condition)
        layers: list[nn.Module] = []
        before = prod(shape) + self.condition.width
        for width in widths:
            layers += [nn.Linear(before, width), _activation(activation)]
            before = width
        self.layers, self.head = nn.Sequential(*layers), nn.Linear(before, 1)
        self.length = before

    def features(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        h: Tensor = self.layers(self.condition(x.flatten(1), label))
        return h

    def judge(self, h: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        logit: Tensor = self.head(h)
        return logit.squeeze(1)

"""What samples are made from: noise, codes that are to mean something, the choice of a generator."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Part(ABC):
    """Some of the numbers that a sample is made from.

    Attributes:
        name: of the part.
        width: how many numbers.
        distribution: of the numbers, for the descriptions of exported files.
    """

    distribution: ClassVar[str] = ""
    name: str
    width: int

    @abstractmethod
    def draw(self, n: int, device: torch.device, truncation: float | None) -> Tensor:
        """(n, width), from the device's generator."""


class Normal(Part):
    """Independent normal numbers of deviation 1."""

    distribution = "normal"

    def draw(self, n: int, device: torch.device, truncation: float | None) -> Tensor:
        if truncation is None:
            return torch.randn(n, self.width, device=device)
        z = torch.empty(n, self.width, device=device)
        return nn.init.trunc_normal_(z, a=-truncation, b=truncation)


@dataclass(frozen=True)
class Path(Normal):
    """Independent normal numbers for each step of a sequence, and for some steps before it.

    Attributes:
        channels: numbers of a step.
        before: steps that come before the first.
    """

    channels: int
    before: int

    def stretched(self, length: int) -> Path:
        """For a sequence of so many steps."""
        return replace(self, width=self.channels * (self.before + length))


class Uniform(Part):
    """Independent numbers between -1 and 1."""

    distribution = "uniform in [-1, 1]"

    def draw(self, n: int, device: torch.device, truncation: float | None) -> Tensor:  # noqa: ARG002
        return 2 * torch.rand(n, self.width, device=device) - 1


class OneHot(Part):
    """A 1 among zeros, each place as probable as any other."""

    distribution = "one-hot"

    def draw(self, n: int, device: torch.device, truncation: float | None) -> Tensor:  # noqa: ARG002
        return F.one_hot(torch.randint(self.width, (n,), device=device), self.width).float()


class Gumbel(Part):
    """Independent numbers of the standard Gumbel distribution: added to logits, the greatest is a draw of their
    softmax. Jang et al. 2016, arXiv:1611.01144.
    """

    distribution = "-log(-log u) of u uniform in [0, 1]"

    def draw(self, n: int, device: torch.device, truncation: float | None) -> Tensor:  # noqa: ARG002
        return -(torch.rand(n, self.width, device=device) + 1e-20).log().neg().log()


class Prior:
    """Parts beside one another, as latent vectors.

    Attributes:
        parts: of a vector, in order.
        width: how long a vector is.
    """

    def __init__(self, *parts: Part) -> None:
        self.parts = parts
        self.width = sum(part.width for part in parts)

    def draw(self, n: int, device: torch.device, truncation: float | None = None) -> Tensor:
        """Latents (n, width), from the device's generator.

        Args:
            truncation: where given, normal numbers are drawn within so many standard deviations: less
                variety for more typical samples (Brock et al. 2018, arXiv:1809.11096).
        """
        none = torch.zeros(n, 0, device=device)  # where samples are made of something else
        return torch.cat([none, *(part.draw(n, device, truncation) for part in self.parts)], 1)

    def stretched(self, length: int) -> Prior:
        """For samples of another length."""
        return Prior(*(part.stretched(length) if isinstance(part, Path) else part for part in self.parts))

    def place(self, name: str) -> slice:
        """Where in a vector a part lies."""
        begin = 0
        for part in self.parts:
            if part.name == name:
                return slice(begin, begin + part.width)
            begin += part.width
        raise ValueError(f"the prior has no part {name!r}")


def path(channels: int, before: int, length: int) -> Prior:
    """Nothing but noise for each step of a sequence, and for some before it."""
    return Prior(Path("z", 0, channels, before).stretched(length))


def normal(width: int) -> Prior:
    """Nothing but noise."""
    return Prior(Normal("z", width))

"""Priors: distributions of the latents, such as noise, interpretable codes, the choice of a generator."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sparring.errors import InputError


@dataclass(frozen=True)
class Part(ABC):
    """One part of the latents.

    Attributes:
        name: of the part.
        width: number of latents.
        distribution: its name, for the descriptions of exported files.
    """

    distribution: ClassVar[str] = ""
    name: str
    width: int

    @abstractmethod
    def draw(self, n: int, device: torch.device, truncation: float | None) -> Tensor:
        """Latents (n, width), from the device's random generator."""

    def draw_columns(self, n: int, device: torch.device, columns: slice) -> Tensor:
        """Those columns of the latents that `draw` would return."""
        return self.draw(n, device, None)[:, columns]


class Normal(Part):
    """Independent standard normal latents."""

    distribution = "normal"

    def draw(self, n: int, device: torch.device, truncation: float | None) -> Tensor:
        if truncation is None:
            return torch.randn(n, self.width, device=device)
        z = torch.empty(n, self.width, device=device)
        return nn.init.trunc_normal_(z, a=-truncation, b=truncation)


@dataclass(frozen=True)
class Path(Normal):
    """Independent standard normal latents for each step of a sequence, and for some steps before it.

    Attributes:
        channels: latents per step.
        before: number of steps before the first.
    """

    channels: int
    before: int

    def stretched(self, length: int) -> Path:
        """This part for a sequence of `length` steps."""
        return replace(self, width=self.channels * (self.before + length))


@dataclass(frozen=True)
class Times(Part):
    """The times of the steps of a sample, which are not random: the same for all samples, and no direction to explore.

    Attributes:
        every: steps of the training data from one step to the next.
    """

    distribution = "times, in steps of the training data"
    every: float = 1.0

    def draw(self, n: int, device: torch.device, truncation: float | None) -> Tensor:  # noqa: ARG002
        return (torch.arange(self.width, device=device) * self.every).expand(n, -1)

    def stretched(self, length: int | None, every: float) -> Times:
        """This part for samples of `length` steps."""
        return replace(self, width=length or self.width, every=every)


class Uniform(Part):
    """Independent latents, uniform in [-1, 1]."""

    distribution = "uniform in [-1, 1]"

    def draw(self, n: int, device: torch.device, truncation: float | None) -> Tensor:  # noqa: ARG002
        return 2 * torch.rand(n, self.width, device=device) - 1


class OneHot(Part):
    """One-hot vectors, uniform over the positions."""

    distribution = "one-hot"

    def draw(self, n: int, device: torch.device, truncation: float | None) -> Tensor:  # noqa: ARG002
        return F.one_hot(torch.randint(self.width, (n,), device=device), self.width).float()


class Gumbel(Part):
    """Independent latents of the standard Gumbel distribution: the argmax of logits plus these latents is a draw from
    their softmax. Jang et al. 2016, arXiv:1611.01144.
    """

    distribution = "-log(-log u) of u uniform in [0, 1]"

    def draw(self, n: int, device: torch.device, truncation: float | None) -> Tensor:  # noqa: ARG002
        return _gumbel(torch.rand(n, self.width, device=device))

    def draw_columns(self, n: int, device: torch.device, columns: slice) -> Tensor:
        return _gumbel(torch.rand(n, self.width, device=device)[:, columns])  # logarithms take longer than drawing


def _gumbel(uniform: Tensor) -> Tensor:
    return -(uniform + 1e-20).log().neg().log()


class Prior:
    """Parts, concatenated to latent vectors.

    Attributes:
        parts: in order.
        width: length of a vector.
    """

    def __init__(self, *parts: Part) -> None:
        self.parts = parts
        self.width = sum(part.width for part in parts)

    def draw(self, n: int, device: torch.device, truncation: float | None = None) -> Tensor:
        """Latents (n, width), from the device's generator.

        Args:
            truncation: if given, normal latents are drawn within this many standard deviations: less diverse, more
                typical samples (Brock et al. 2018, arXiv:1809.11096).
        """
        none = torch.zeros(n, 0, device=device)  # a prior without parts: samples are generated from given items
        return torch.cat([none, *(part.draw(n, device, truncation) for part in self.parts)], 1)

    def stretched(self, length: int | None, every: float = 1.0) -> Prior:
        """This prior for samples of another length.

        Args:
            length: None for the length that was trained on.
            every: steps of the training data from one step to the next.

        Raises:
            InputError: if steps are 1 apart, whatever is asked.
        """
        if every != 1 and not any(isinstance(part, Times) for part in self.parts):
            raise InputError("this recipe generates step after step, as far apart as in its training data; remove rate")

        def changed(part: Part) -> Part:
            if isinstance(part, Times):
                return part.stretched(length, every)
            return part.stretched(length) if isinstance(part, Path) and length is not None else part

        return Prior(*map(changed, self.parts))

    def place(self, name: str) -> slice:
        """Position of a part in a vector."""
        begin = 0
        for part in self.parts:
            if part.name == name:
                return slice(begin, begin + part.width)
            begin += part.width
        raise ValueError(f"the prior has no part {name!r}")


def path(channels: int, before: int, length: int) -> Prior:
    """Standard normal noise for each step of a sequence, and for some steps before it."""
    return Prior(Path("z", 0, channels, before).stretched(length))


def normal(width: int) -> Prior:
    """Standard normal noise."""
    return Prior(Normal("z", width))

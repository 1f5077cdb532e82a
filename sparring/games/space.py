"""The latent space of a game: the points that samples are generated from, to be explored."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import cached_property
from math import inf

import torch
from torch import Tensor

from sparring.data.tensors import VALUES, Tensors
from sparring.games.prior import Normal, OneHot, Part, Path, Prior, Times, Uniform
from sparring.layers.condition import typical
from sparring.nets.stylegan2 import Generator, Modulated
from sparring.seeds import Seeds, seeded

SAMPLES = 4000  # styles drawn to estimate their mean and standard deviation

Generate = Callable[[Tensor, Tensor | None], Tensors]
Encode = Callable[[Tensor, Tensor | None], Tensor]


class LatentSpace(ABC):
    """The points that samples are generated from. Every method is deterministic.

    Attributes:
        name: "z" for latents, "w" for styles.
        parts: parts of a point, in order; () if its numbers have no roles.
        layers: number of layers of G that may each take a point of their own; 1 if all take the same.
        per_step: True if latents belong to single steps of a sample, so that directions of all together say little.
        encodes: True if the game has an encoder.
    """

    name: str
    parts: tuple[Part, ...] = ()
    layers: int = 1
    per_step: bool = False
    encodes: bool = False

    @property
    @abstractmethod
    def movable(self) -> Tensor:
        """Which numbers of a point may be changed gradually, bool (width,); those of one-hot parts may not."""

    @property
    @abstractmethod
    def bounds(self) -> Tensor:
        """Largest absolute value of each number, (width,); infinite if it is unbounded."""

    @property
    @abstractmethod
    def center(self) -> Tensor:
        """The point (width,) of an average sample."""

    @property
    @abstractmethod
    def deviation(self) -> Tensor:
        """Standard deviation of each number of a point, (width,); 0 where it may not be moved."""

    @abstractmethod
    def points(self, z: Tensor, condition: Tensor | None) -> Tensor:
        """The points (n, width) of latents (n, z) that the game drew."""

    @abstractmethod
    def generate(self, points: Tensor, condition: Tensor | None) -> Tensors:
        """Samples of points (n, width), or (n, layers, width) if layers may take different points. Differentiable."""

    @abstractmethod
    def between(self, a: Tensor, b: Tensor, steps: int) -> Tensor:
        """A walk from points (..., width) to others, both included: (steps, ..., width)."""

    def weights(self) -> Sequence[Tensor]:
        """Matrices (n, width) that layers multiply points by; () if they are not known in advance."""
        return ()

    def encode(self, values: Tensor, condition: Tensor | None) -> Tensor:
        """The points (n, width) that the encoder assigns to values (n, ...)."""
        raise NotImplementedError(f"the game of this space {self.name} has no encoder")

    def guess(self, values: Tensor, condition: Tensor | None) -> Tensor | None:
        """Points (n, width) from which a search for given values starts; None if none is better than a sample."""
        return self.encode(values, condition) if self.encodes else None


class PriorSpace(LatentSpace):
    """The latents z of a prior.

    Args:
        prior: of the game.
        generate: latents (n, width), conditions -> samples.
        device: where the game is.
        encode: values, conditions -> latents, if the game has an encoder.
    """

    name = "z"

    def __init__(self, prior: Prior, generate: Generate, device: torch.device, encode: Encode | None = None) -> None:
        self.prior, self.parts, self.device = prior, prior.parts, device
        self._generate, self._encode = generate, encode
        self.per_step = any(isinstance(part, Path) for part in prior.parts)
        self.encodes = encode is not None

    @cached_property
    def movable(self) -> Tensor:
        return self._by_part(lambda part: not isinstance(part, OneHot | Times)).bool()

    @cached_property
    def bounds(self) -> Tensor:
        return self._by_part(lambda part: 1.0 if isinstance(part, Uniform) else inf)

    @cached_property
    def center(self) -> Tensor:
        """Latents of 0; one-hot parts have their first value, and times are as they are."""
        middle = torch.zeros(self.prior.width, device=self.device)
        for part in self.parts:
            if isinstance(part, Times):
                middle[self.prior.place(part.name)] = part.draw(1, self.device, None)[0]
            if isinstance(part, OneHot):
                middle[self.prior.place(part.name).start] = 1
        return middle

    @cached_property
    def deviation(self) -> Tensor:
        return self._by_part(
            lambda part: 0.0 if isinstance(part, OneHot | Times) else 3**-0.5 if isinstance(part, Uniform) else 1
        )

    def _by_part(self, value: Callable[[Part], float]) -> Tensor:
        return torch.cat([torch.full((part.width,), float(value(part)), device=self.device) for part in self.parts])

    def points(self, z: Tensor, condition: Tensor | None) -> Tensor:  # noqa: ARG002
        return z

    def generate(self, points: Tensor, condition: Tensor | None) -> Tensors:
        return self._generate(points, condition)

    def between(self, a: Tensor, b: Tensor, steps: int) -> Tensor:
        return between(self.prior, a, b, steps)

    def encode(self, values: Tensor, condition: Tensor | None) -> Tensor:
        return super().encode(values, condition) if self._encode is None else self._encode(values, condition)


class StyleSpace(LatentSpace):
    """The styles w of a style-based generator, to which a mapping net takes the latents.

    Args:
        G: the generator.
        prior: of the latents.
        device: where G is.
    """

    name = "w"

    def __init__(self, G: Generator, prior: Prior, device: torch.device) -> None:
        self.G, self.prior, self.device, self.layers = G, prior, device, G.styles

    @cached_property
    def _styles(self) -> Tensor:
        """Styles of many samples of all classes, or of random codes of columns, (n, width)."""
        with torch.no_grad(), seeded(Seeds(0).key("styles"), self.device):
            z = self.prior.draw(SAMPLES, self.device)
            return self.points(z, typical(self.G.conditioned, SAMPLES, self.device))

    @property
    def movable(self) -> Tensor:
        return torch.ones_like(self.center, dtype=torch.bool)

    @property
    def bounds(self) -> Tensor:
        return torch.full_like(self.center, inf)

    @cached_property
    def center(self) -> Tensor:
        """The mean style."""
        return self._styles.mean(0)

    @cached_property
    def deviation(self) -> Tensor:
        return self._styles.std(0)

    def points(self, z: Tensor, condition: Tensor | None) -> Tensor:
        styles: Tensor = self.G.mapping(z, condition)
        return styles

    def generate(self, points: Tensor, condition: Tensor | None) -> Tensors:  # noqa: ARG002
        styles = points if points.ndim == 3 else points[:, None].expand(-1, self.layers, -1)
        return {VALUES: self.G.synthesis(styles)}

    def between(self, a: Tensor, b: Tensor, steps: int) -> Tensor:
        """A straight line: styles have no norm to keep."""
        return a.lerp(b, _shares(a, steps))

    def weights(self) -> Sequence[Tensor]:
        return [module.style.scaled()[0].detach() for module in self.G.modules() if isinstance(module, Modulated)]

    def guess(self, values: Tensor, condition: Tensor | None) -> Tensor | None:  # noqa: ARG002
        """The mean style. Karras et al. 2019, arXiv:1912.04958, appendix D."""
        return self.center.expand(len(values), -1)


def between(prior: Prior, a: Tensor, b: Tensor, steps: int) -> Tensor:
    """A walk from latents (..., width) to others: (steps, ..., width).

    Normal parts follow the great circle (Shoemake 1985, doi:10.1145/325165.325242), since the points on a straight line
    between two samples are shorter than either. One-hot parts keep their first value.
    """
    t = _shares(a, steps)
    parts = []
    for part in prior.parts:
        place = prior.place(part.name)
        p, q = a[..., place], b[..., place]
        if isinstance(part, OneHot):
            parts.append(p.expand(steps, *p.shape))
        elif isinstance(part, Normal):
            cosine = (p * q).sum(-1, keepdim=True) / (p.norm(dim=-1, keepdim=True) * q.norm(dim=-1, keepdim=True))
            angle = torch.arccos(cosine.clamp(-0.9999, 0.9999))
            parts.append((((1 - t) * angle).sin() * p + (t * angle).sin() * q) / angle.sin())
        else:
            parts.append(p.lerp(q, t))
    return torch.cat(parts, -1)


def _shares(a: Tensor, steps: int) -> Tensor:
    """From 0 to 1 along a new first dimension."""
    return torch.linspace(0, 1, steps, device=a.device).view(-1, *[1] * a.ndim)

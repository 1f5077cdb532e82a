"""What is done to samples, real and generated alike, before D sees them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from sparring.layers import augment
from sparring.loop import Round

Augment = Literal["none", "places", "diffaugment", "ada"]


class View(nn.Module, ABC):
    """Something that is done to all that D sees; its state, if it has any, is in buffers."""

    @abstractmethod
    def forward(self, x: Tensor, round: Round) -> Tensor:
        """Samples (n, ...) as D is to see them, differentiable."""

    def after(self, observed: Mapping[str, Tensor]) -> None:
        """Take note of what D's move has shown."""


class InstanceNoise(View):
    """Normal noise of standard deviation sigma that falls to 0 with the run's progress, so that real
    and generated samples overlap. Sønderby et al. 2016, arXiv:1610.04490.
    """

    def __init__(self, sigma: float) -> None:
        super().__init__()
        self.sigma = sigma

    def forward(self, x: Tensor, round: Round) -> Tensor:
        return x + self.sigma * (1 - round.progress) * torch.randn_like(x)


class Changed(View):
    """A random change of everything, always.

    Args:
        change: samples (n, ...) -> changed ones, of which each gets its own change.
    """

    def __init__(self, change: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.change = change

    def forward(self, x: Tensor, round: Round) -> Tensor:  # noqa: ARG002
        return self.change(x)


class Ada(View):
    """`augment.ada`, as probable as D's overfitting asks for. Karras et al. 2020, arXiv:2006.06676.

    D overfits where both of the paper's heuristics say so. r_v: how far its logits on held-out samples
    have gone from those on training samples towards those on generated ones. r_t: how much more often
    than not it takes a training sample for more real than a generated one, which needs no zero of the
    logits, as a relativistic loss has none. Without r_t, a D that no longer tells anything keeps changes
    probable for ever: r_v is the ratio of two differences near 0.

    Args:
        batch: samples per step.
        every: steps between looks at held-out samples.
        target: what r_v is steered to.
        telling: what r_t is steered to.
        kimg: thousands of samples in which the probability could go from 0 to 1.
        most: the largest probability; beyond it changes leak into what G makes.
    """

    p: Tensor
    means: Tensor

    def __init__(
        self, batch: int, every: int, target: float = 0.4, telling: float = 0.6, kimg: float = 100.0, most: float = 0.8
    ) -> None:
        super().__init__()
        self.target, self.telling, self.most = target, telling, most
        self.step = batch * every / (1000 * kimg)
        self.register_buffer("p", torch.zeros(()))
        self.register_buffer("means", torch.tensor([0, 0, 0, 0.5]))  # logits on real, held out, fake; accuracy

    def forward(self, x: Tensor, round: Round) -> Tensor:  # noqa: ARG002
        return augment.ada(x, self.p)

    def after(self, observed: Mapping[str, Tensor]) -> None:
        if "D_held" not in observed:
            return
        self.means.lerp_(torch.stack([observed[name] for name in ("D_real", "D_held", "D_fake", "D_accuracy")]), 0.1)
        real, held, fake, accuracy = self.means.unbind()
        known = (real - held) / (real - fake).clamp(min=1e-6)
        over = torch.minimum(known - self.target, 2 * accuracy - 1 - self.telling)
        self.p.add_(self.step * over.sign()).clamp_(0, self.most)

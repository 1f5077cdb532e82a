"""Views: transformations of D's input, applied to real and generated samples alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from sparring.layers import augment
from sparring.loop import Round
from sparring.losses.adversarial import Logits
from sparring.nets.discriminator import Discriminator

Augment = Literal["none", "places", "diffaugment", "ada"]


class View(nn.Module, ABC):
    """A transformation of D's input; its state, if any, is in buffers.

    Attributes:
        lasts: True if D's input differs from samples without what is random, too.
    """

    lasts = False

    @abstractmethod
    def forward(self, x: Tensor, round: Round) -> Tensor:
        """Samples (n, ...) as D sees them, differentiable."""

    def fixed(self, x: Tensor) -> Tensor:
        """Samples (n, ...) as D sees them after the training, without what is random."""
        return x

    def after(self, observed: Mapping[str, Tensor]) -> None:
        """Update the state with the observations of D's move."""


class InstanceNoise(View):
    """Normal noise whose standard deviation falls from sigma to 0 over the run, so that real and generated samples
    overlap. Sønderby et al. 2016, arXiv:1610.04490.
    """

    def __init__(self, sigma: float) -> None:
        super().__init__()
        self.sigma = sigma

    def forward(self, x: Tensor, round: Round) -> Tensor:
        return x + self.sigma * (1 - round.progress) * torch.randn_like(x)


class Changed(View):
    """A random transformation of every sample.

    Args:
        change: samples (n, ...) -> transformed samples, each with its own random parameters.
        fixed: the part of it that is not random; None if all of it is.
    """

    def __init__(self, change: Callable[[Tensor], Tensor], fixed: Callable[[Tensor], Tensor] | None = None) -> None:
        super().__init__()
        self.change, self._fixed, self.lasts = change, fixed, fixed is not None

    def forward(self, x: Tensor, round: Round) -> Tensor:  # noqa: ARG002
        return self.change(x)

    def fixed(self, x: Tensor) -> Tensor:
        return x if self._fixed is None else self._fixed(x)


class Ada(View):
    """Adaptive discriminator augmentation: the probability of `augment.ada` follows D's overfitting. Karras et al.
    2020, arXiv:2006.06676.

    D overfits if both of the paper's heuristics say so. r_v: where D's mean logit on held-out samples lies between that
    on training samples (0) and that on generated ones (1). r_t: how much more often than not a training sample has a
    higher logit than a generated one; it needs no zero of the logits, which a relativistic loss does not have. r_v
    alone would keep the probability high for a D that no longer separates anything, because it is then a ratio of two
    differences near 0.

    Args:
        batch: samples per step.
        every: steps between batches of held-out samples.
        target: target of r_v.
        telling: target of r_t.
        kimg: thousands of samples in which the probability can rise from 0 to 1.
        most: largest probability; above it, augmentations leak into generated samples.
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


class Viewed(Discriminator):
    """A D that is given samples, and sees them through views: logits as after the training.

    Args:
        D: judges what the views return.
        views: of the game.
    """

    def __init__(self, D: Discriminator, views: Sequence[View]) -> None:
        super().__init__()
        self.D, self.views, self.length, self.pack = D, tuple(views), D.length, D.pack

    def features(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        for view in self.views:
            x = view.fixed(x)
        return self.D.features(x, label)

    def judge(self, h: Tensor, label: Tensor | None = None) -> Logits:
        return self.D.judge(h, label)

"""What is done to samples, real and generated alike, before D sees them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from sparring.layers import augment
from sparring.loop import Round

Augment = Literal["none", "diffaugment", "ada"]


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


class DiffAugment(View):
    """`augment.diffaugment`, always."""

    def forward(self, x: Tensor, round: Round) -> Tensor:  # noqa: ARG002
        return augment.diffaugment(x)


class Ada(View):
    """`augment.ada`, as probable as D's overfitting asks for. Karras et al. 2020, arXiv:2006.06676.

    The heuristic is the paper's first, r_v: how far D's logits on held-out samples have gone from
    those on training samples towards those on generated ones. It needs no zero of the logits, which
    a relativistic loss does not have.

    Args:
        batch: samples per step.
        every: steps between looks at held-out samples.
        target: what r_v is steered to.
        kimg: thousands of samples in which the probability could go from 0 to 1.
        most: the largest probability; beyond it changes leak into what G makes.
    """

    p: Tensor
    logits: Tensor

    def __init__(self, batch: int, every: int, target: float = 0.4, kimg: float = 100.0, most: float = 0.8) -> None:
        super().__init__()
        self.target, self.most = target, most
        self.step = batch * every / (1000 * kimg)
        self.register_buffer("p", torch.zeros(()))
        self.register_buffer("logits", torch.zeros(3))  # running means: real, held out, fake

    def forward(self, x: Tensor, round: Round) -> Tensor:  # noqa: ARG002
        return augment.ada(x, self.p)

    def after(self, observed: Mapping[str, Tensor]) -> None:
        if "D_held" not in observed:
            return
        now = torch.stack([observed["D_real"], observed["D_held"], observed["D_fake"]])
        self.logits.lerp_(now, 0.1)
        real, held, fake = self.logits.unbind()
        overfitting = (real - held) / (real - fake).clamp(min=1e-6)
        self.p.add_(self.step * (overfitting - self.target).sign()).clamp_(0, self.most)

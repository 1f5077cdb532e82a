"""The techniques of "Improved techniques for training GANs"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from sparring.games.terms import History, Matching, Term
from sparring.layers.minibatch import MinibatchHead
from sparring.losses.adversarial import StandardLoss
from sparring.modalities import Images
from sparring.nets import dcgan
from sparring.nets.discriminator import Discriminator
from sparring.recipes.base import (
    Count,
    DcganNets,
    Decay,
    Natural,
    Positive,
    Share,
    StandardGan,
    Weight,
    discriminator,
    losses,
)


@dataclass(frozen=True)
class ImprovedGan(StandardGan[Images], DcganNets[Images]):
    """Feature matching, minibatch discrimination, history, smoothing.

    Salimans et al. 2016, "Improved techniques for training GANs", arXiv:1606.03498, section 3, on DCGAN's nets.
    Each technique has a field, and 0 turns it off. In the paper, feature matching replaces G's adversarial loss; here
    it is added. Virtual batch normalization is left out.

    sparring train mnist --recipe improved_gan
    """

    bf16: ClassVar[tuple[str, ...]] = ("images",)

    # Generator
    z: Count = 100
    width: Count = 32
    # Discriminator
    norm: dcgan.Norm = "batch"
    kernels: Natural = discriminator(32, "projections in which D compares the samples of a batch, B")
    kernel: Count = discriminator(8, "length of a projection, C")
    # Losses
    loss: StandardLoss = "non_saturating"
    smoothing: Share = 0.1
    matching: Weight = losses(0.1, "weight of feature matching in G's loss")
    history: Weight = losses(1e-4, "weight of the distance between parameters and their historical average")
    # Optimization
    batch: Count = 64
    steps: Count = 20_000
    lr: Positive = 1e-3
    beta1: Decay = 0.5
    beta2: Decay = 0.999
    ema_kimg: Weight = 10.0
    ema_ramp: Share = 0.05

    def nets(self, modality: Images) -> tuple[nn.Module, Discriminator]:
        G, D = super().nets(modality)
        if self.kernels:
            D.head = MinibatchHead(D.length, self.kernels, self.kernel, modality.condition)
        return G, D

    def terms(self, modality: Images, G: nn.Module, D: Discriminator) -> Sequence[Term]:  # noqa: ARG002
        matching = [Matching(self.matching)] if self.matching else []
        history = [History("D", D, self.history), History("G", G, self.history)] if self.history else []
        return [*matching, *history]

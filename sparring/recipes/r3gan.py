"""R3GAN: a modern baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from torch import nn
from torch.optim import Adam

from sparring.games.gan import GAN
from sparring.games.terms import R1, R2, Term
from sparring.losses.adversarial import AdversarialLoss, relativistic
from sparring.modalities import Modality
from sparring.nets import dcgan, r3gan
from sparring.nets.discriminator import Discriminator
from sparring.recipes.base import (
    Adversarial,
    Count,
    Decay,
    Fraction,
    OfPictures,
    Phase,
    Positive,
    Weight,
    generator,
    losses,
    optimisation,
)
from sparring.schedules import cosine


@dataclass(frozen=True)
class Regularised(Adversarial):
    """The relativistic loss with R1 and R2 and its schedules, on any pair of nets.

    Attributes:
        side: of pictures, in pixels, for which gamma is what the table says; 0 for it to be so always.
    """

    side: ClassVar[int] = 0

    z: Count = generator(64, "length of the latent vector")
    gamma: Weight = losses(1.0, "weight of R1 and R2 at the start")
    gamma_end: Weight = losses(0.1, "their weight at the end of the burn-in")
    lr: Positive = optimisation(2e-4, "learning rate of Adam at the start, for G and D")
    lr_end: Positive = optimisation(5e-5, "its value at the end of the burn-in")
    beta2: Decay = optimisation(0.9, "Adam's decay of the second moment at the start; beta1 is 0")
    beta2_end: Decay = optimisation(0.99, "its value at the end of the burn-in")
    burn_in: Fraction = optimisation(0.2, "share of the run in which all these go along a cosine")
    lazy: Count = optimisation(1, "steps between those in which D minimises R1 and R2, so many times as strong")

    def strength(self, modality: Modality) -> float:
        """What gamma is multiplied by, for such data: it grows with the number of pixels."""
        return (modality.shape[-1] / self.side) ** 2 if self.side else 1.0

    def adversary(self) -> AdversarialLoss:
        return relativistic()

    def terms(self, modality: Modality, G: nn.Module, D: Discriminator) -> Sequence[Term]:  # noqa: ARG002
        strength = self.strength(modality)
        gamma = partial(cosine, strength * self.gamma, strength * self.gamma_end, share=self.burn_in)
        return [R1(gamma, self.lazy), R2(gamma, self.lazy)]

    def phases(self, game: GAN) -> list[Phase]:
        adam = partial(Adam, lr=self.lr, betas=(0.0, self.beta2), fused=True)
        return [Phase(game.players(adam, adam, schedule=self.settings))]

    def settings(self, progress: float) -> Mapping[str, object]:
        """Of both optimizers, at a point of the run in [0, 1]."""
        beta2 = cosine(self.beta2, self.beta2_end, progress, self.burn_in)
        return {"lr": cosine(self.lr, self.lr_end, progress, self.burn_in), "betas": (0.0, beta2)}


@dataclass(frozen=True)
class R3gan(Regularised, OfPictures):
    """Residual nets without norm, a relativistic loss with R1 and R2.

    Huang et al. 2024, "The GAN is dead; long live the GAN! A modern baseline GAN", arXiv:2501.05441.
    The paper's nets are wider (768 channels) and train for tens of millions of pictures; its schedules are stretched to
    the run. Gamma is that of 64 pixels, and grows with their number. It trains stably, to a quality beyond StyleGAN2's.

    sparring train mnist --recipe r3gan
    """

    side: ClassVar[int] = 64

    width: Count = generator(64, "channels of every stage, in D too")
    depth: Count = generator(2, "residual blocks per stage, in D too")
    group: Count = generator(16, "channels per group of the 3 x 3 convolutions, in D too")
    expansion: Count = generator(2, "how many times wider a block is inside, in D too")

    def nets(self, modality: Modality) -> tuple[nn.Module, Discriminator]:
        channels, size, _ = modality.shape
        widths = [self.width] * (dcgan.stages(size) + 1)
        block = (widths, self.depth, self.group, self.expansion, len(modality.classes))
        return r3gan.Generator(self.z, size, channels, *block), r3gan.Discriminator(size, channels, *block)

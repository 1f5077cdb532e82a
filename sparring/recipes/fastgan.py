"""FastGAN."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from sparring.games.selfsupervised import Redrawn
from sparring.games.terms import Term
from sparring.games.views import Augment
from sparring.losses.adversarial import AdversarialLoss, hinge
from sparring.modalities import Modality
from sparring.nets import fastgan
from sparring.nets.discriminator import Discriminator
from sparring.recipes.base import Count, OfPictures, Weight, WithAdam, generator, losses


@dataclass(frozen=True)
class Fastgan(WithAdam, OfPictures):
    """A light pair for a hundred pictures, with a self-supervised D.

    Liu et al. 2021, "Towards faster and stabilized GAN training for high-fidelity few-shot image synthesis",
    arXiv:2101.04775, with the augmentation of Zhao et al. 2020, arXiv:2006.10738. D redraws by absolute
    distance of pixels, since the paper's perceptual one needs weights from elsewhere. Fine maps are scaled by
    coarse ones in G, and D's features must be enough to draw real pictures again.

    sparring train photos/ --recipe fastgan
    """

    bf16: ClassVar[tuple[str, ...]] = ("images",)

    augment: Augment = "diffaugment"
    batch: Count = 8
    z: Count = 256
    width: Count = generator(8, "channels next to the picture, in D too; 64 in the paper")
    redrawn: Weight = losses(1.0, "weight of the distance between real pictures and what is drawn from D's features")

    def adversary(self) -> AdversarialLoss:
        return hinge()

    def nets(self, modality: Modality) -> tuple[nn.Module, Discriminator]:
        channels, size, _ = modality.shape
        classes = len(modality.classes)
        return (
            fastgan.Generator(self.z, size, channels, self.width, classes),
            fastgan.Discriminator(size, channels, self.width, classes),
        )

    def terms(self, modality: Modality, G: nn.Module, D: Discriminator) -> Sequence[Term]:  # noqa: ARG002
        assert isinstance(D, fastgan.Discriminator)
        channels, size, _ = modality.shape
        return [Redrawn(D, channels, size, self.redrawn)] if self.redrawn else []

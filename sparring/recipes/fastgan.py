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
from sparring.modalities import Images
from sparring.nets import fastgan
from sparring.nets.discriminator import Discriminator
from sparring.recipes.base import (
    AdamGan,
    Count,
    Decay,
    ImageRecipe,
    PerceptualRecipe,
    Positive,
    Share,
    Weight,
    generator,
    losses,
)


@dataclass(frozen=True)
class Fastgan(AdamGan[Images], ImageRecipe[Images], PerceptualRecipe[Images]):
    """Light nets for a hundred images, with a self-supervised D.

    Liu et al. 2021, "Towards faster and stabilized GAN training for high-fidelity few-shot image synthesis",
    arXiv:2101.04775, with the augmentation of Zhao et al. 2020, arXiv:2006.10738. In G, high-resolution maps are scaled
    by low-resolution ones. D is also an autoencoder: real images are reconstructed from its features. The distance is
    the absolute difference of pixels. The paper's perceptual distance is added with perceptual=1, which needs the extra
    'pretrained'.

    sparring train photos/ --recipe fastgan
    """

    bf16: ClassVar[tuple[str, ...]] = ("images",)

    # Data
    augment: Augment = "diffaugment"
    # Generator
    z: Count = 256
    width: Count = generator(8, "channels next to the image, in G and D; 64 in the paper")
    # Losses
    redrawn: Weight = losses(1.0, "weight of the reconstruction of real images from D's features")
    perceptual: Weight = losses(
        0.0, "weight of the perceptual distance in this reconstruction, which needs the extra 'pretrained'"
    )
    # Optimization
    batch: Count = 8
    steps: Count = 20_000
    lr: Positive = 2e-4
    beta1: Decay = 0.5
    beta2: Decay = 0.999
    ema_kimg: Weight = 10.0
    ema_ramp: Share = 0.05

    def adversarial_loss(self) -> AdversarialLoss:
        return hinge()

    def nets(self, modality: Images) -> tuple[nn.Module, Discriminator]:
        channels, size, _ = modality.shape
        condition = modality.condition
        return (
            fastgan.Generator(self.z, size, channels, self.width, condition),
            fastgan.Discriminator(size, channels, self.width, condition),
        )

    def terms(self, modality: Images, G: nn.Module, D: Discriminator) -> Sequence[Term]:  # noqa: ARG002
        assert isinstance(D, fastgan.Discriminator)
        channels, size, _ = modality.shape
        return [Redrawn(D, channels, size, self.redrawn, self.perceptual)] if self.redrawn else []

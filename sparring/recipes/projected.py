"""Projected GAN."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from sparring.errors import InputError
from sparring.games.views import Augment
from sparring.losses.adversarial import AdversarialLoss, hinge
from sparring.modalities import Images
from sparring.nets import efficientnet_lite, fastgan, projected
from sparring.nets.discriminator import Discriminator
from sparring.recipes.base import (
    AdamGan,
    Count,
    Decay,
    ImageRecipe,
    Positive,
    Share,
    Weight,
    discriminator,
    generator,
)


@dataclass(frozen=True)
class Projected(AdamGan[Images], ImageRecipe[Images]):
    """Four D's on fixed features of a net trained on ImageNet.

    Sauer et al. 2021, "Projected GANs converge faster", arXiv:2111.01007, with FastGAN's generator. The paper's tables
    report lower FIDs than before on 22 sets, large ones and some of a few hundred images, up to 40 times sooner. The
    features of four scales are mixed by fixed random convolutions, so that no D can rely on a few of them, and each D
    takes one scale. The fixed net is EfficientNet-Lite0, as in the paper: pip install 'sparring[pretrained]'. It is
    needed for training only. D takes most of the time, less with a smaller resolution. The paper's values are batch=64
    G=64 D=64 resolution=224.

    sparring train photos/ --recipe projected
    """

    # Data
    augment: Augment = "diffaugment"
    # Generator
    z: Count = 256
    G: Count = generator(16, "channels next to the image; 64 in the paper")
    # Discriminator
    D: Count = discriminator(32, "channels of the mixed features of the highest resolution; 64 in the paper")
    resolution: Count = discriminator(128, "height and width of the images for the fixed net; 224 in the paper's code")
    # Optimization
    batch: Count = 16
    steps: Count = 20_000
    lr: Positive = 2e-4
    beta1: Decay = 0.0
    beta2: Decay = 0.99
    ema_kimg: Weight = 20.0
    ema_ramp: Share = 0.05

    def check(self) -> None:
        super().check()
        if self.resolution % efficientnet_lite.STRIDE:
            raise InputError(
                f"resolution={self.resolution} is no multiple of {efficientnet_lite.STRIDE}; give 96 or 128"
            )

    def adversarial_loss(self) -> AdversarialLoss:
        return hinge()

    def nets(self, modality: Images) -> tuple[nn.Module, Discriminator]:
        channels, size, _ = modality.shape
        G = fastgan.Generator(self.z, size, channels, self.G, modality.condition)
        return G, projected.Discriminator(self.resolution, self.D, modality.condition)

    def check_installed(self) -> None:
        efficientnet_lite.check()

"""ESRGAN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from sparring.losses.adversarial import AdversarialLoss, relativistic
from sparring.modalities import Degraded
from sparring.nets.image_to_image import ImageToImage
from sparring.nets.restorer import Restorer, Upsampling
from sparring.recipes.base import (
    Count,
    Decay,
    Natural,
    Positive,
    RestorationRecipe,
    Share,
    Weight,
    Words,
    generator,
    losses,
)


@dataclass(frozen=True)
class Esrgan(RestorationRecipe):
    """Super-resolution with dense blocks and a relativistic D.

    Wang et al. 2018, "ESRGAN: enhanced super-resolution generative adversarial networks", arXiv:1809.00219. A net for
    GPUs: its 23 blocks of width 64 have 16.7 million weights. D compares each real image with the generated one of the
    same item (Jolicoeur-Martineau 2018, arXiv:1807.00734), not with the mean as in the paper. The content loss
    compares features of EfficientNet-Lite0 before activation in place of VGG's (`perceptual`), if the extra
    'pretrained' is installed, and D's own (`content`). `sparring apply --sharpness` interpolates between the nets of
    both phases, as in the paper's section 3.4.

    sparring train photos/ --recipe esrgan depth=4 width=32
    """

    perceptual_weight: ClassVar[float] = 0.1

    # Data
    degrade: Words = ("x4",)
    # Generator
    width: Count = generator(64, "channels of every layer")
    depth: Count = generator(23, "blocks, each of three dense blocks")
    growth: Count = generator(32, "channels that a convolution of a block adds")
    enlarging: Upsampling = generator("steps", "enlargement in the last layer at once, or in steps of two")
    # Discriminator
    D: Count = 32
    layers: Natural = 3
    # Losses
    pixels: Weight = 0.5
    content: Weight = 0.1
    features: Literal["D", "vgg"] = "D"
    perceptual: Weight | None = losses(
        None,
        "weight of the content loss in features of an ImageNet net, in place of VGG's; none: "
        f"{perceptual_weight:g} if the extra 'pretrained' is installed, otherwise 0",
    )
    adversarial: Positive = 0.02
    # Optimization
    batch: Count = 16
    steps: Count = 20_000
    alone: Share = 0.5
    lr: Positive = 2e-4
    beta1: Decay = 0.9
    beta2: Decay = 0.999
    ema_kimg: Weight = 10.0
    ema_ramp: Share = 0.05

    def build_generator(self, modality: Degraded) -> ImageToImage:
        return Restorer(
            modality.given,
            modality.channels,
            modality.times,
            self.width,
            self.depth,
            "dense",
            self.growth,
            self.enlarging,
        )

    def adversarial_loss(self) -> AdversarialLoss:
        return relativistic()

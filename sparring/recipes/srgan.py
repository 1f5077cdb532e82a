"""SRGAN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from sparring.losses.adversarial import AdversarialLoss, non_saturating
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
class Srgan(RestorationRecipe):
    """Super-resolution with textures that D accepts as real.

    Ledig et al. 2016, "Photo-realistic single image super-resolution using a generative adversarial network",
    arXiv:1609.04802, without batch norm, as in Lim et al. 2017, arXiv:1707.02921. The content loss compares
    features of EfficientNet-Lite0 in place of VGG's (`perceptual`), if the extra 'pretrained' is installed, and D's own
    (`content`). In the first half of the steps G is trained without D. The net of that phase has the smallest error and
    is kept: `sparring apply --sharpness 0` uses it. The paper's net is width=64, depth=16, enlarging=steps.

    sparring train photos/ --recipe srgan degrade=x4
    """

    bf16: ClassVar[tuple[str, ...]] = ("degraded",)
    perceptual_weight: ClassVar[float] = 0.1

    # Data
    degrade: Words = ("x4",)
    # Generator
    width: Count = generator(40, "channels of every layer")
    depth: Count = generator(8, "residual blocks")
    enlarging: Upsampling = generator(
        "last", "enlargement in the last layer at once, or in steps of two, which takes much longer"
    )
    # Discriminator
    D: Count = 32
    layers: Natural = 3
    # Losses
    pixels: Weight = 1.0
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
    lr: Positive = 5e-4
    beta1: Decay = 0.9
    beta2: Decay = 0.999
    ema_kimg: Weight = 10.0
    ema_ramp: Share = 0.05

    def build_generator(self, modality: Degraded) -> ImageToImage:
        return Restorer(
            modality.given, modality.channels, modality.times, self.width, self.depth, enlarging=self.enlarging
        )

    def adversarial_loss(self) -> AdversarialLoss:
        return non_saturating()

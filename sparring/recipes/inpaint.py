"""Inpainting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from sparring.errors import InputError
from sparring.layers.degrade import parse
from sparring.losses.adversarial import AdversarialLoss, hinge
from sparring.modalities import Degraded
from sparring.nets.gated import Inpainter
from sparring.nets.image_to_image import ImageToImage
from sparring.recipes.base import Count, Decay, Natural, Positive, RestorationRecipe, Share, Weight, Words, generator


@dataclass(frozen=True)
class Inpaint(RestorationRecipe):
    """Fills holes with plausible content.

    Yu et al. 2018, "Free-form image inpainting with gated convolution", arXiv:1806.03589: gated convolutions learn
    which pixels of an image with holes are valid, and a spectrally normalized D judges patches. One net instead of the
    paper's two, with dilated convolutions instead of attention. Pixels outside the holes are never changed.

    sparring train photos/ --recipe inpaint degrade=freeform
    """

    bf16: ClassVar[tuple[str, ...]] = ("degraded",)

    # Data
    degrade: Words = ("freeform",)
    # Generator
    width: Count = generator(24, "channels of the first layer")
    # Discriminator
    D: Count = 32
    layers: Natural = 3
    # Losses
    pixels: Weight = 1.0
    content: Weight = 0.1
    features: Literal["D", "vgg"] = "D"
    perceptual: Weight = 0.0
    adversarial: Positive = 0.02
    # Optimization
    batch: Count = 16
    steps: Count = 20_000
    alone: Share = 0.5
    lr: Positive = 1e-3
    beta1: Decay = 0.9
    beta2: Decay = 0.999
    ema_kimg: Weight = 10.0
    ema_ramp: Share = 0.05

    def check(self) -> None:
        super().check()
        if not parse(self.degrade).masks:
            raise InputError(
                f"degrade={','.join(self.degrade)} leaves no holes to fill; give boxes, strokes or freeform"
            )

    def build_generator(self, modality: Degraded) -> ImageToImage:
        return Inpainter(modality.channels, self.width)

    def adversarial_loss(self) -> AdversarialLoss:
        return hinge()

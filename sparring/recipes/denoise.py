"""Denoising."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from sparring.losses.adversarial import AdversarialLoss, non_saturating
from sparring.modalities import Degraded
from sparring.nets.image_to_image import ImageToImage
from sparring.nets.restorer import Restorer
from sparring.recipes.base import Count, Decay, Natural, Positive, RestorationRecipe, Share, Weight, Words, generator


@dataclass(frozen=True)
class Denoise(RestorationRecipe):
    """Removes noise and keeps the grain that real images have.

    The net of `srgan` without enlargement, which predicts the noise to subtract: Zhang et al. 2016, "Beyond a Gaussian
    denoiser", arXiv:1608.03981. It is trained against D, because the mean of all plausible images is too smooth. Any
    degradation that keeps the size can be reverted: `degrade=jpeg10-60`, `degrade=blur0.5-2,noise0-20`.

    sparring train photos/ --recipe denoise degrade=noise0-50
    """

    bf16: ClassVar[tuple[str, ...]] = ("degraded",)

    # Data
    degrade: Words = ("noise0-50",)
    # Generator
    width: Count = generator(32, "channels of every layer")
    depth: Count = generator(6, "residual blocks")
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
    lr: Positive = 5e-4
    beta1: Decay = 0.9
    beta2: Decay = 0.999
    ema_kimg: Weight = 10.0
    ema_ramp: Share = 0.05

    def build_generator(self, modality: Degraded) -> ImageToImage:
        return Restorer(modality.given, modality.channels, modality.times, self.width, self.depth)

    def adversarial_loss(self) -> AdversarialLoss:
        return non_saturating()

"""Colorization of grayscale images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sparring.errors import InputError
from sparring.layers.degrade import parse
from sparring.losses.adversarial import AdversarialLoss, non_saturating
from sparring.modalities import Degraded
from sparring.nets.image_to_image import ImageToImage
from sparring.nets.patchgan import PatchGAN, halving_layers
from sparring.nets.unet import UNet, default_depth
from sparring.recipes.base import Count, Decay, Natural, Positive, RestorationRecipe, Share, Weight, Words, generator


@dataclass(frozen=True)
class Colorize(RestorationRecipe):
    """Colorizes grayscale images.

    Nazeri et al. 2018, "Image colorization with generative adversarial networks", arXiv:1803.05400: pix2pix's U-Net
    with the grayscale image as its input. D receives the grayscale image too. Without D, the best output is the mean
    of all plausible colors, which is brown.

    sparring train photos/ --recipe colorize
    """

    # Data
    degrade: Words = ("grey",)
    # Generator
    width: Count = generator(32, "channels of the first layer")
    # Discriminator
    D: Count = 32
    layers: Natural = 3
    # Losses
    pixels: Weight = 1.0
    content: Weight = 0.0
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

    def check(self) -> None:
        super().check()
        chain = parse(self.degrade)
        if chain.channels(3) != 1 or chain.times != 1:
            raise InputError(
                f"degrade={','.join(self.degrade)} cannot be colorized; give a degradation that removes the colors and "
                "keeps the size: grey"
            )

    def build_generator(self, modality: Degraded) -> ImageToImage:
        if modality.channels < 3:
            raise InputError("these images have no colors to learn from; give color images")
        depth = default_depth(modality.size)
        return UNet(modality.given, modality.channels, self.width, depth, "batch", "resize", dropout=0.0)

    def build_discriminator(self, modality: Degraded) -> PatchGAN:
        layers = halving_layers(modality.size, self.layers)
        return PatchGAN(modality.channels, modality.given, self.D, layers, norm="none", spectral=True)

    def adversarial_loss(self) -> AdversarialLoss:
        return non_saturating()

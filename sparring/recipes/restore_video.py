"""Restoration of video."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from sparring.errors import InputError
from sparring.layers.degrade import parse
from sparring.losses.adversarial import AdversarialLoss, non_saturating
from sparring.modalities import Degraded, DegradedVideo
from sparring.nets.discriminator import Discriminator
from sparring.nets.image_to_image import ImageToImage
from sparring.nets.neighbors import SEEN, Neighbors
from sparring.nets.patchgan import PatchGAN, halving_layers
from sparring.nets.restorer import Restorer
from sparring.recipes.base import Count, Decay, Natural, Positive, RestorationRecipe, Share, Weight, Words, generator


@dataclass(frozen=True)
class RestoreVideo(RestorationRecipe):
    """Denoises or enlarges films; G and D see neighboring frames.

    The net of `denoise` restores every frame from itself and its neighbors, and D sees three restored frames together,
    so that it recognizes flicker, as in TecoGAN (Chu et al. 2018, arXiv:1811.09393). It learns from clean films:
    `degrade=noise0-50`, `degrade=jpeg10-60`, `degrade=x4`.

    sparring train films/ --recipe restore_video degrade=noise0-50
    """

    takes: ClassVar[tuple[Degraded, ...]] = (DegradedVideo(),)

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
    features: Literal["D"] = "D"
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
        if parse(self.degrade).masks:
            raise InputError(f"degrade={','.join(self.degrade)} makes holes, which recipe 'inpaint' fills")
        if self.perceptual:
            raise InputError(f"perceptual={self.perceptual:g} is for images; remove perceptual=")

    def build_generator(self, modality: Degraded) -> ImageToImage:
        return Neighbors(Restorer(SEEN * modality.given, modality.channels, modality.times, self.width, self.depth))

    def build_discriminator(self, modality: Degraded) -> Discriminator:
        layers = halving_layers(modality.size, self.layers)
        return PatchGAN(SEEN * modality.channels, width=self.D, layers=layers, norm="none", spectral=True)

    def adversarial_loss(self) -> AdversarialLoss:
        return non_saturating()

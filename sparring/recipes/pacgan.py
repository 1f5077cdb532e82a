"""Packed GAN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from sparring.errors import InputError
from sparring.losses.adversarial import StandardLoss
from sparring.modalities import Images, Points
from sparring.nets import dcgan
from sparring.nets.discriminator import Discriminator
from sparring.nets.packed import Packed
from sparring.recipes.base import (
    Count,
    Decay,
    PointsOrImages,
    Positive,
    Share,
    StandardGan,
    Weight,
    Widths,
    discriminator,
)


@dataclass(frozen=True)
class Pacgan(StandardGan[Points | Images], PointsOrImages):
    """D judges packs of samples, so that it detects repetition.

    Lin et al. 2017, "PacGAN: the power of two samples in generative adversarial networks", arXiv:1712.04086, on
    DCGAN's nets for images and on fully connected nets for points. On data with labels, each sample of a pack comes
    with its own label.

    sparring train ring --recipe pacgan
    """

    bf16: ClassVar[tuple[str, ...]] = ("images",)

    # Generator
    z: Count = 100
    width: Count = 32
    hidden: Widths = (128, 128)
    # Discriminator
    norm: dcgan.Norm = "batch"
    pack: Count = discriminator(2, "samples that D judges together, m")
    # Losses
    loss: StandardLoss = "non_saturating"
    smoothing: Share = 0.0
    # Optimization
    batch: Count = 64
    steps: Count = 20_000
    lr: Positive = 1e-3
    beta1: Decay = 0.5
    beta2: Decay = 0.999
    ema_kimg: Weight = 10.0
    ema_ramp: Share = 0.05

    def nets(self, modality: Points | Images) -> tuple[nn.Module, Discriminator]:
        G, _ = super().nets(modality)
        return G, Packed(self.build_discriminator, modality.shape, self.pack, modality.condition)

    def check(self) -> None:
        super().check()
        if self.batch // self.shards % self.pack:
            factors = f"shards={self.shards} x pack={self.pack}"
            raise InputError(f"batch={self.batch} must be a multiple of {factors}")

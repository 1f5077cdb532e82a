"""Noise is taken off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sparring.losses.adversarial import AdversarialLoss, non_saturating
from sparring.modalities import Degraded
from sparring.nets.picture_net import PictureNet
from sparring.nets.restorer import Restorer
from sparring.recipes.base import Count, Restoring, Words, generator


@dataclass(frozen=True)
class Denoise(Restoring):
    """Noise is taken off, with the grain that real pictures have.

    The net of `srgan` at the pictures' own size, which learns what to subtract: Zhang et al. 2016, "Beyond a Gaussian
    denoiser", arXiv:1608.03981; against D, for a mean of all that might have been is smooth. Any degradation that
    keeps the size will do: `degrade=jpeg10-60`, `degrade=blur0.5-2,noise0-20`.

    sparring train photos/ --recipe denoise degrade=noise0-50
    """

    bf16: ClassVar[tuple[str, ...]] = ("degraded",)

    degrade: Words = ("noise0-50",)
    width: Count = generator(32, "channels of every layer")
    depth: Count = generator(6, "residual blocks")

    def net(self, modality: Degraded) -> PictureNet:
        return Restorer(modality.given, modality.channels, modality.times, self.width, self.depth)

    def adversary(self) -> AdversarialLoss:
        return non_saturating()

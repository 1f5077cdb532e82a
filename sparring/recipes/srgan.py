"""SRGAN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sparring.losses.adversarial import AdversarialLoss, non_saturating
from sparring.modalities import Degraded
from sparring.nets.picture_net import PictureNet
from sparring.nets.restorer import Enlarging, Restorer
from sparring.recipes.base import Count, Restoring, Words, generator


@dataclass(frozen=True)
class Srgan(Restoring):
    """Small pictures are enlarged, with textures that D takes for real.

    Ledig et al. 2016, "Photo-realistic single image super-resolution using a generative adversarial network",
    arXiv:1609.04802, without batch norm, after Lim et al. 2017, arXiv:1707.02921, and with D's own features where the
    paper takes those of a classifier. In the first half of the steps G plays without D; that net errs least, and is
    kept: `sparring apply --sharpness 0` is that one. The paper's net is width=64, depth=16, enlarging=steps.

    sparring train photos/ --recipe srgan degrade=x4
    """

    bf16: ClassVar[tuple[str, ...]] = ("degraded",)

    degrade: Words = ("x4",)
    width: Count = generator(40, "channels of every layer")
    depth: Count = generator(8, "residual blocks")
    enlarging: Enlarging = generator("last", "by the last layer at once, or in steps of two, which takes much longer")

    def net(self, modality: Degraded) -> PictureNet:
        return Restorer(
            modality.given, modality.channels, modality.times, self.width, self.depth, enlarging=self.enlarging
        )

    def adversary(self) -> AdversarialLoss:
        return non_saturating()

"""ESRGAN."""

from __future__ import annotations

from dataclasses import dataclass

from sparring.losses.adversarial import AdversarialLoss, relativistic
from sparring.modalities import Degraded
from sparring.nets.picture_net import PictureNet
from sparring.nets.restorer import Enlarging, Restorer
from sparring.recipes.base import Count, Positive, Restoring, Weight, generator


@dataclass(frozen=True)
class Esrgan(Restoring):
    """Dense blocks enlarge pictures, under a relativistic D.

    Wang et al. 2018, "ESRGAN: enhanced super-resolution generative adversarial networks", arXiv:1809.00219. A net for
    GPUs: its 23 blocks of width 64 have 16.7 million weights. D compares each picture with the one that was made beside
    it (Jolicoeur-Martineau 2018, arXiv:1807.00734), not with the mean as in the paper, and D's own features stand where
    the paper takes those of a classifier. `sparring apply --sharpness` mixes the nets of both phases, as in the paper's
    section 3.4.

    sparring train photos/ --recipe esrgan depth=4 width=32
    """

    width: Count = generator(64, "channels of every layer")
    depth: Count = generator(23, "blocks of three dense ones")
    growth: Count = generator(32, "channels that a convolution of a block adds")
    enlarging: Enlarging = generator("steps", "by the last layer at once, or in steps of two")
    lr: Positive = 2e-4
    pixels: Weight = 0.5
    adversarial: Positive = 0.02

    def net(self, modality: Degraded) -> PictureNet:
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

    def adversary(self) -> AdversarialLoss:
        return relativistic()

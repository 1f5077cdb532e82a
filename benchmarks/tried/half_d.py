"""The default for images with half of the channels in D."""

from __future__ import annotations

from dataclasses import dataclass

from sparring.layers.condition import Condition
from sparring.nets import dcgan
from sparring.nets.discriminator import Discriminator
from sparring.recipes.r3gan_strided import R3ganStrided


@dataclass(frozen=True)
class HalfD(R3ganStrided):
    """`r3gan_strided` with a narrower D."""

    def build_discriminator(self, shape: tuple[int, ...], condition: Condition = 0) -> Discriminator:
        channels, size, _ = shape
        return dcgan.Discriminator(size, channels, self.width // 2, self.norm, condition)

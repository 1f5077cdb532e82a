"""Packed GAN."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from sparring.errors import InputError
from sparring.modalities import Modality
from sparring.nets import dcgan, mlp
from sparring.nets.discriminator import Discriminator
from sparring.nets.packed import Packed
from sparring.recipes.base import Count, Either, Light, discriminator


@dataclass(frozen=True)
class Pacgan(Light, Either):
    """D judges samples in packs, so that it sees G repeat itself.

    Lin et al. 2017, "PacGAN: the power of two samples in generative adversarial networks", arXiv:1712.04086, on
    DCGAN's nets for pictures and on fully connected ones for points. With labels, each sample of a pack has its
    own beside it.

    sparring train ring --recipe pacgan
    """

    pack: Count = discriminator(2, "samples that D judges together, m")

    def nets(self, modality: Modality) -> tuple[nn.Module, Discriminator]:
        G, _ = super().nets(modality)

        def build(shape: tuple[int, ...]) -> Discriminator:
            if modality.kind == "points":
                return mlp.Discriminator(shape, self.hidden)
            return dcgan.Discriminator(shape[1], shape[0], self.width, self.norm)

        return G, Packed(build, modality.shape, self.pack, len(modality.classes))

    def check(self) -> None:
        super().check()
        if self.batch // self.accumulate % self.pack:
            parts = f"accumulate={self.accumulate} times pack={self.pack}"
            raise InputError(f"batch={self.batch} does not split into {parts} equal parts")

"""pix2pix."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from sparring.games.translation import L1, PairedTranslation
from sparring.losses.adversarial import least_squares, non_saturating
from sparring.modalities import Modality
from sparring.modalities import Paired as PairsOf
from sparring.nets import unet
from sparring.nets.patchgan import PatchGAN, deep
from sparring.recipes.base import Count, Natural, OfMapped, Phase, Share, Weight, data, discriminator, generator, losses


@dataclass(frozen=True)
class Pix2pix(OfMapped):
    """A U-Net learns from pairs what to make of a picture.

    Isola et al. 2016, "Image-to-image translation with conditional adversarial networks", arXiv:1611.07004. D sees
    patches, beside what is given. Give two folders with files of the same names (input/ and target/), or files with
    both halves side by side. Large pictures are learnt in squares, at their own scale, and `sparring apply` takes
    pictures of any size. The paper's widths are 64; its net halves 256 pixels eight times.

    sparring train pairs/ --recipe pix2pix
    """

    takes: ClassVar[tuple[Modality, ...]] = (PairsOf(),)
    bf16: ClassVar[tuple[str, ...]] = ("pairs",)

    reverse: bool = data(False, "whether the first kind is made of the second")
    batch: Count = 4
    G: Count = generator(32, "channels of the first layer")
    depth: Natural = generator(0, "how often the picture is halved; 0 for down to 4 pixels, five times at most")
    norm: unet.Norm = generator("batch", "after most layers, in D too")
    up: unet.Up = generator("resize", "how pictures are doubled: transposed in the paper, which leaves checkerboards")
    dropout: Share = generator(0.5, "share of units that the innermost doublings drop, in training")
    D: Count = discriminator(32, "channels of the first layer")
    layers: Natural = discriminator(3, "that halve the picture, fewer where it is small; 3 see 70 x 70 pixels")
    loss: Literal["non_saturating", "least_squares"] = losses("non_saturating", "what G and D minimise")
    L1: Weight = losses(100.0, "weight of the distance from the truth, lambda")

    def modality(self, kind: str) -> Modality:
        modality = super().modality(kind)
        assert isinstance(modality, PairsOf)
        return replace(modality, reverse=self.reverse)

    def game(self, modality: Modality) -> PairedTranslation:
        assert isinstance(modality, PairsOf)
        depth = self.depth or max(1, min(5, modality.size.bit_length() - 3))
        G = unet.UNet(modality.given, modality.channels, self.G, depth, self.norm, self.up, self.dropout)
        D = PatchGAN(modality.channels, modality.given, self.D, deep(modality.size, self.layers), self.norm)
        loss = {"non_saturating": non_saturating, "least_squares": least_squares}[self.loss]()
        return PairedTranslation(G, D, loss, [L1(self.L1)] if self.L1 else [])

    def phases(self, game: Any) -> list[Phase]:
        adam = self.adam()
        return [Phase(game.players(adam, adam, schedule=self.fading))]

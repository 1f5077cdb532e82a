"""CUT."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

from sparring.games.cut import Contrast, Contrasted
from sparring.games.terms import R1
from sparring.games.translation import PairedTranslation
from sparring.losses.adversarial import squares
from sparring.modalities import Modality, Unpaired
from sparring.nets.patchgan import PatchGAN, deep
from sparring.nets.translator import Translator
from sparring.recipes.base import Count, Natural, OfMapped, Phase, Share, Weight, data, discriminator, generator, losses


@dataclass(frozen=True)
class Cut(OfMapped):
    """One way between two kinds of pictures: patches stay alike.

    Park et al. 2020, "Contrastive learning for unpaired image-to-image translation", arXiv:2007.15651. As `cyclegan`
    for pictures without partners, but one way only, with one net: instead of the way back, a patch of what is made must
    be told from others by the patch of the same place. The paper's widths are 64, with 9 blocks.

    sparring train apples2oranges/ --recipe cut
    """

    takes: ClassVar[tuple[Modality, ...]] = (Unpaired(),)

    crop: Share = data(0.12, "how much larger pictures are kept than the part that is cut out of them at random")
    batch: Count = 4
    G: Count = generator(32, "channels of the first layer and the last")
    depth: Count = generator(4, "residual blocks")
    heads: Count = generator(64, "units of the heads that patches are compared through; 256 in the paper")
    D: Count = discriminator(32, "channels of the first layer")
    layers: Natural = discriminator(3, "that halve the picture, fewer where it is small; 3 see 70 x 70 pixels")
    contrast: Weight = losses(1.0, "weight of telling patches apart, lambda")
    patches: Count = losses(256, "places of each layer of each picture that are compared")
    gamma: Weight = losses(0.03, "weight of R1, which keeps D from being sure: not the paper's")
    identity: bool = losses(True, "whether wanted pictures, too, must stay what they are")

    def modality(self, kind: str) -> Modality:
        modality = super().modality(kind)
        assert isinstance(modality, Unpaired)
        return replace(modality, crop=self.crop)

    def game(self, modality: Modality) -> PairedTranslation:
        assert isinstance(modality, Unpaired)
        channels = modality.channels
        G = Contrasted(Translator(channels, channels, self.G, self.depth), self.heads)
        D = PatchGAN(channels, width=self.D, layers=deep(modality.size, self.layers), norm="instance")
        term = Contrast(G, self.contrast, self.patches, self.identity)
        terms = [t for t in (term, R1(self.gamma)) if t.weight]
        return PairedTranslation(G, D, squares(), terms)

    def phases(self, game: Any) -> list[Phase]:
        adam = self.adam()
        return [Phase(game.players(adam, adam, schedule=self.fading))]

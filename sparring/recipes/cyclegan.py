"""CycleGAN."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

from sparring.errors import InputError
from sparring.games.cycle import Cycle, Weights
from sparring.losses.adversarial import squares
from sparring.modalities import Modality, Unpaired
from sparring.nets.patchgan import PatchGAN, deep
from sparring.nets.translator import Translator
from sparring.recipes.base import Count, Natural, OfMapped, Phase, Share, Weight, data, discriminator, generator, losses


@dataclass(frozen=True)
class Cyclegan(OfMapped):
    """Two ways between two kinds of pictures, each the other's undoing.

    Zhu et al. 2017, "Unpaired image-to-image translation using cycle-consistent adversarial networks",
    arXiv:1703.10593. No picture needs a partner: give two folders (trainA/ and trainB/, or any two). `sparring apply
    --reverse` goes the other way. The paper's widths are 64, with 9 blocks at 256 pixels and 6 at 128.

    sparring train apples2oranges/ --recipe cyclegan
    """

    takes: ClassVar[tuple[Modality, ...]] = (Unpaired(),)

    crop: Share = data(0.12, "how much larger pictures are kept than the part that is cut out of them at random")
    batch: Count = 4
    G: Count = generator(32, "channels of the first layer and the last")
    depth: Count = generator(4, "residual blocks")
    D: Count = discriminator(32, "channels of the first layer")
    layers: Natural = discriminator(3, "that halve the picture, fewer where it is small; 3 see 70 x 70 pixels")
    pool: Count = discriminator(50, "pictures made before that D may see for new ones")
    cycle: Weight = losses(10.0, "weight of the distance there and back, lambda")
    identity: Weight = losses(0.5, "share of lambda for what should stay as it is")

    def check(self) -> None:
        super().check()
        if self.pool < self.batch:
            raise InputError(f"pool={self.pool} is smaller than batch={self.batch}; give a larger pool")

    def modality(self, kind: str) -> Modality:
        modality = super().modality(kind)
        assert isinstance(modality, Unpaired)
        return replace(modality, crop=self.crop)

    def game(self, modality: Modality) -> Cycle:
        assert isinstance(modality, Unpaired)
        channels, layers = modality.channels, deep(modality.size, self.layers)
        AB, BA = (Translator(channels, channels, self.G, self.depth) for _ in range(2))
        D_A, D_B = (PatchGAN(channels, width=self.D, layers=layers, norm="instance") for _ in range(2))
        weights = Weights(self.cycle, self.identity)
        return Cycle(AB, BA, D_A, D_B, squares(), modality.shape, self.pool, weights)

    def phases(self, game: Any) -> list[Phase]:
        adam = self.adam()
        return [Phase(game.players(adam, adam, schedule=self.fading))]

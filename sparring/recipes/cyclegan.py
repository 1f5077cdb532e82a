"""CycleGAN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from sparring.errors import InputError
from sparring.games.cycle import Cycle, Weights
from sparring.losses.adversarial import cyclegan_least_squares
from sparring.modalities import Unpaired
from sparring.nets import translator, unet
from sparring.nets.patchgan import PatchGAN, halving_layers
from sparring.nets.translator import Translator
from sparring.recipes.base import (
    Count,
    Decay,
    Natural,
    Phase,
    Positive,
    Share,
    TranslationRecipe,
    Weight,
    data,
    discriminator,
    generator,
    losses,
)


@dataclass(frozen=True)
class Cyclegan(TranslationRecipe[Unpaired]):
    """Unpaired translation in both directions, which invert each other.

    Zhu et al. 2017, "Unpaired image-to-image translation using cycle-consistent adversarial networks",
    arXiv:1703.10593. The images need no partners: give two folders (trainA/ and trainB/, or any two). `sparring apply
    --reverse` translates from the second to the first. The paper's width is 64, with 9 blocks at 256 pixels and 6 at
    128.

    sparring train apples2oranges/ --recipe cyclegan
    """

    takes: ClassVar[tuple[Unpaired, ...]] = (Unpaired(),)

    # Data
    crop: Share = data(0.12, "margin for random crops: stored images are larger by this share", sets="crop")
    # Generator
    G: Count = generator(32, "channels of the first and the last layer")
    depth: Count = generator(4, "residual blocks")
    up: unet.Up = generator("resize", "upsampling; transposed as in the paper causes checkerboard patterns")
    padding: translator.Padding = generator("reflect", "padding where the image is halved; zeros in the authors' code")
    # Discriminator
    D: Count = discriminator(32, "channels of the first layer")
    layers: Natural = discriminator(
        3, "maximum number of layers that halve the image, fewer for small images; 3 layers cover 70 x 70 pixels"
    )
    pool: Count = discriminator(50, "earlier generated images that D may receive instead of new ones")
    # Losses
    cycle: Weight = losses(10.0, "weight of the cycle-consistency loss, lambda")
    identity: Weight = losses(0.5, "weight of the identity loss, as a share of lambda")
    perceptual: Weight = losses(
        0.0,
        "weight of the cycle-consistency loss in features of an ImageNet net, which needs the extra 'pretrained'",
    )
    # Optimization
    batch: Count = 4
    steps: Count = 20_000
    lr: Positive = 2e-4
    beta1: Decay = 0.5
    beta2: Decay = 0.999
    ema_kimg: Weight = 10.0
    ema_ramp: Share = 0.05

    def check(self) -> None:
        super().check()
        if self.pool < self.batch:
            raise InputError(f"pool={self.pool} is smaller than batch={self.batch}; give a larger pool")

    def game(self, modality: Unpaired) -> Cycle:
        channels, layers = modality.channels, halving_layers(modality.size, self.layers)
        AB, BA = (Translator(channels, channels, self.G, self.depth, self.up, self.padding) for _ in range(2))
        D_A, D_B = (PatchGAN(channels, width=self.D, layers=layers, norm="instance") for _ in range(2))
        weights = Weights(self.cycle, self.identity, self.perceptual or 0.0)
        return Cycle(AB, BA, D_A, D_B, cyclegan_least_squares(), modality.shape, self.pool, weights)

    def phases(self, game: Any) -> list[Phase]:
        adam = self.adam()
        return [Phase(game.players(adam, adam, schedule=self.schedule))]

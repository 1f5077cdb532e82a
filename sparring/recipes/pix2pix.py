"""pix2pix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from sparring.games.translation import L1, PairedTranslation, Perceptual
from sparring.losses.adversarial import least_squares, non_saturating
from sparring.modalities import Paired
from sparring.nets import unet
from sparring.nets.patchgan import PatchGAN, halving_layers
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
class Pix2pix(TranslationRecipe[Paired]):
    """A U-Net learns from pairs how to translate an image.

    Isola et al. 2016, "Image-to-image translation with conditional adversarial networks", arXiv:1611.07004. D judges
    patches together with the input image. Give two folders with files of the same names (input/ and target/), or files
    with both halves side by side. Large images are learned from crops at their own scale, and `sparring apply` takes
    images of any size. The paper's width is 64; its net halves 256 pixels eight times.

    sparring train pairs/ --recipe pix2pix
    """

    takes: ClassVar[tuple[Paired, ...]] = (Paired(),)
    bf16: ClassVar[tuple[str, ...]] = ("pairs",)

    # Data
    reverse: bool = data(False, "translate from the second image of a pair to the first", sets="reverse")
    # Generator
    G: Count = generator(32, "channels of the first layer")
    depth: Natural = generator(0, "number of halvings; 0: down to 4 pixels, at most five")
    norm: unet.Norm = generator("batch", "normalization of most layers, in G and D")
    up: unet.Up = generator("resize", "upsampling; transposed as in the paper causes checkerboard patterns")
    dropout: Share = generator(0.5, "dropout rate of the innermost upsampling layers, in training")
    # Discriminator
    D: Count = discriminator(32, "channels of the first layer")
    layers: Natural = discriminator(
        3, "maximum number of layers that halve the image, fewer for small images; 3 layers cover 70 x 70 pixels"
    )
    # Losses
    loss: Literal["non_saturating", "least_squares"] = losses("non_saturating", "adversarial loss of G and D")
    L1: Weight = losses(100.0, "weight of the L1 distance to the target, lambda")
    perceptual: Weight = losses(
        0.0, "weight of the perceptual distance to the target, which needs the extra 'pretrained'"
    )
    # Optimization
    batch: Count = 4
    steps: Count = 20_000
    lr: Positive = 2e-4
    beta1: Decay = 0.5
    beta2: Decay = 0.999
    ema_kimg: Weight = 10.0
    ema_ramp: Share = 0.05

    def game(self, modality: Paired) -> PairedTranslation:
        depth = self.depth or unet.default_depth(modality.size)
        G = unet.UNet(modality.given, modality.channels, self.G, depth, self.norm, self.up, self.dropout)
        D = PatchGAN(modality.channels, modality.given, self.D, halving_layers(modality.size, self.layers), self.norm)
        loss = {"non_saturating": non_saturating, "least_squares": least_squares}[self.loss]()
        terms = [L1(self.L1), Perceptual(self.perceptual)]
        return PairedTranslation(G, D, loss, [t for t in terms if t.weight])

    def phases(self, game: Any) -> list[Phase]:
        adam = self.adam()
        return [Phase(game.players(adam, adam, schedule=self.schedule))]

"""CUT."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from sparring.games.cut import Contrast, Contrasted, PerceptualContrast
from sparring.games.terms import R1
from sparring.games.translation import PairedTranslation
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
class Cut(TranslationRecipe[Unpaired]):
    """Unpaired translation in one direction: patches stay alike.

    Park et al. 2020, "Contrastive learning for unpaired image-to-image translation", arXiv:2007.15651. For unpaired
    images, as `cyclegan`, but in one direction with one net: instead of a reverse net, a contrastive loss requires that
    each output patch can be matched with the input patch at the same position. The paper's width is 64, with 9 blocks.

    sparring train apples2oranges/ --recipe cut
    """

    takes: ClassVar[tuple[Unpaired, ...]] = (Unpaired(),)

    # Data
    crop: Share = data(0.12, "margin for random crops: stored images are larger by this share", sets="crop")
    # Generator
    G: Count = generator(32, "channels of the first and the last layer")
    depth: Count = generator(4, "residual blocks")
    up: unet.Up = generator("resize", "upsampling; transposed as in the paper causes checkerboard patterns")
    padding: translator.Padding = generator("reflect", "padding where the image is halved; zeros in the authors' code")
    heads: Count = generator(64, "units of the heads that embed patches for the comparison; 256 in the paper")
    # Discriminator
    D: Count = discriminator(32, "channels of the first layer")
    layers: Natural = discriminator(
        3, "maximum number of layers that halve the image, fewer for small images; 3 layers cover 70 x 70 pixels"
    )
    # Losses
    contrast: Weight = losses(1.0, "weight of the contrastive loss of patches, lambda")
    patches: Count = losses(256, "positions per layer and image that are compared")
    identity: bool = losses(True, "apply the contrastive loss to target images too, which G should keep as they are")
    perceptual: Weight = losses(
        0.0, "weight of the contrastive loss in features of an ImageNet net, which needs the extra 'pretrained'"
    )
    gamma: Weight = losses(0.03, "weight of R1, which limits D's confidence; not in the paper")
    # Optimization
    batch: Count = 4
    steps: Count = 20_000
    lr: Positive = 2e-4
    beta1: Decay = 0.5
    beta2: Decay = 0.999
    ema_kimg: Weight = 10.0
    ema_ramp: Share = 0.05

    def game(self, modality: Unpaired) -> PairedTranslation:
        channels = modality.channels
        G = Contrasted(Translator(channels, channels, self.G, self.depth, self.up, self.padding), self.heads)
        D = PatchGAN(channels, width=self.D, layers=halving_layers(modality.size, self.layers), norm="instance")
        contrast = Contrast(G, self.contrast, self.patches, self.identity)
        terms = [contrast, PerceptualContrast(self.perceptual, self.patches), R1(self.gamma)]
        return PairedTranslation(G, D, cyclegan_least_squares(), [t for t in terms if t.weight])

    def phases(self, game: Any) -> list[Phase]:
        adam = self.adam()
        return [Phase(game.players(adam, adam, schedule=self.schedule))]

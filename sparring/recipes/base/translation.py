"""Recipes for image translation, and for the restoration of degraded images."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Literal, TypeVar

from torch import Tensor

from sparring.errors import InputError
from sparring.games.gan import OptimizerFactory
from sparring.games.translation import L1, Content, PairedTranslation, Perceived, Perceptual
from sparring.layers.degrade import parse
from sparring.losses.adversarial import AdversarialLoss
from sparring.modalities import Degraded, Translation
from sparring.nets import pretrained
from sparring.nets.discriminator import Discriminator
from sparring.nets.image_to_image import ImageToImage
from sparring.nets.patchgan import PatchGAN, halving_layers
from sparring.recipes.base.adam import AdamFields
from sparring.recipes.base.fields import (
    Count,
    Decay,
    Natural,
    Pixels,
    Positive,
    Share,
    Weight,
    Words,
    data,
    discriminator,
    losses,
    optimization,
)
from sparring.recipes.base.perceptual import PerceptualRecipe
from sparring.recipes.base.recipe import Phase

T = TypeVar("T", bound=Translation)


@dataclass(frozen=True)
class TranslationRecipe(AdamFields, PerceptualRecipe[T]):
    """How images are read that are generated from given images, and the optimizer of the nets."""

    size: Pixels = data(0, "height and width of the training images or crops; 0: chosen from the data", sets="size")
    flip: bool = data(True, "mirror images at random", sets="flip")
    turn: bool = data(False, "rotate images at random by multiples of 90 degrees", sets="turn")

    def check(self) -> None:
        super().check()
        if self.noise:
            raise InputError(
                f"noise={self.noise:g} would hide from D the image that a sample is generated from; remove noise="
            )

    def schedule(self, progress: float) -> Mapping[str, object]:
        """Settings of the optimizers at a point of a phase in [0, 1]: the learning rate falls linearly in the second
        half.
        """
        return {"lr": self.lr * min(1.0, 2 * (1 - progress) + 1e-3)}


@dataclass(frozen=True)
class RestorationRecipe(TranslationRecipe[Degraded]):
    """A net that reverts a degradation: trained first on the distance to the clean images alone, then against D too.
    Recipes differ in the degradation, the nets and the losses.
    """

    takes: ClassVar[tuple[Degraded, ...]] = (Degraded(),)

    degrade: Words = data(
        ("x4",),
        "degradation of the clean images: x4, noise25, jpeg40, blur1.5, dose0.1, grey, boxes, ...",
        sets="degrade",
    )
    alone: Share = optimization(0.5, "share of the steps in which G is trained without D")
    batch: Count = 16
    lr: Positive = 5e-4
    beta1: Decay = 0.9
    pixels: Weight = losses(1.0, "weight of the L1 distance to the clean image")
    content: Weight = losses(0.1, "weight of the distance to the clean image in feature space")
    features: Literal["D", "vgg"] = losses("D", "feature space: D's own, or VGG19's, whose weights must be available")
    adversarial: Positive = losses(0.02, "weight of the adversarial loss; alone=1 trains without D")
    D: Count = discriminator(32, "channels of D's first layer")
    layers: Natural = discriminator(3, "maximum number of layers that halve the image; fewer for small images")

    def check(self) -> None:
        super().check()
        chain = parse(self.degrade)
        if chain.masks and len(chain.steps) > 1:
            raise InputError(
                f"degrade={','.join(self.degrade)} combines holes with other changes; give the holes alone"
            )

    @abstractmethod
    def build_generator(self, modality: Degraded) -> ImageToImage:
        """G."""

    @abstractmethod
    def adversarial_loss(self) -> AdversarialLoss:
        """The adversarial losses of G and D."""

    def build_discriminator(self, modality: Degraded) -> Discriminator:
        """D, which does not receive the degraded image: the restored one determines it."""
        layers = halving_layers(modality.size, self.layers)
        return PatchGAN(modality.channels, width=self.D, layers=layers, norm="none", spectral=True)

    def game(self, modality: Degraded) -> PairedTranslation:
        # The adversarial loss has weight 1 in the game, so the other weights are divided by its weight.
        scale = 1 / self.adversarial
        # VGG's weights are needed in training only, so they are loaded on first use.
        content = Content if self.features == "D" else partial(Perceived, features=_vgg_features)
        terms = [L1(self.pixels * scale), content(self.content * scale), Perceptual((self.perceptual or 0.0) * scale)]
        return PairedTranslation(
            self.build_generator(modality),
            self.build_discriminator(modality),
            self.adversarial_loss(),
            [t for t in terms if t.weight],
            [L1(1.0)] if self.alone else [],
        )

    def phases(self, game: Any) -> list[Phase]:
        return two_phases(game, self.adam(), self.alone, self.schedule)


def two_phases(
    game: PairedTranslation, adam: OptimizerFactory, alone: float, schedule: Callable[[float], Mapping[str, object]]
) -> list[Phase]:
    """A phase without D, for a share of the steps, and one against it."""
    first = Phase(game.restoring(adam, schedule=schedule), alone)
    second = Phase(game.players(adam, adam, schedule=schedule), 1 - alone)
    return [first, second]


def _vgg_features(x: Tensor) -> Tensor:
    return pretrained.vgg_features()(x)

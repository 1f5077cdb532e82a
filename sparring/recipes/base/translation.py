"""Recipes for pictures that are made of pictures: how they are read, and how a degradation is undone."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar, Literal

from torch import nn
from torch.optim import Adam, Optimizer

from sparring.errors import InputError
from sparring.games.translation import L1, Content, PairedTranslation, Perceived
from sparring.layers.degrade import parse
from sparring.losses.adversarial import AdversarialLoss
from sparring.modalities import Degraded, Modality, Translation
from sparring.nets import pretrained as weights
from sparring.nets.discriminator import Discriminator
from sparring.nets.patchgan import PatchGAN, deep
from sparring.nets.picture_net import PictureNet
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
    optimisation,
)
from sparring.recipes.base.recipe import Phase, Recipe


@dataclass(frozen=True)
class OfMapped(Recipe):
    """What recipes for pictures of pictures have beside: how these are read, and how they are optimised."""

    size: Pixels = data(0, "height and width of what nets are trained on; 0 for what the data suggest")
    flip: bool = data(True, "whether pictures are mirrored at random")
    turn: bool = data(False, "whether they are turned by right angles at random")
    lr: Positive = optimisation(2e-4, "learning rate of Adam, for G and D")
    beta1: Decay = optimisation(0.5, "Adam's decay of the first moment")
    beta2: Decay = optimisation(0.999, "Adam's decay of the second moment")

    def modality(self, kind: str) -> Modality:
        modality = super().modality(kind)
        assert isinstance(modality, Translation)
        return replace(modality, size=self.size, flip=self.flip, turn=self.turn)

    def check(self) -> None:
        super().check()
        if self.noise:
            raise InputError(f"noise={self.noise:g} would hide from D what pictures are made of; leave it out")

    def adam(self) -> Callable[[Iterable[nn.Parameter]], Optimizer]:
        """Makes an optimizer of some weights."""
        return partial(Adam, lr=self.lr, betas=(self.beta1, self.beta2), fused=True)

    def fading(self, progress: float) -> dict[str, object]:
        """The learning rate: constant for half of a phase, then down to nothing in a line."""
        return {"lr": self.lr * min(1.0, 2 * (1 - progress) + 1e-3)}


@dataclass(frozen=True)
class Restoring(OfMapped):
    """A net that undoes a degradation: first alone, by distance from the truth, then against D. Recipes differ in what
    is done to clean pictures, in nets and in losses.
    """

    takes: ClassVar[tuple[Modality, ...]] = (Degraded(),)

    degrade: Words = data(
        ("x4",), "what is done to clean pictures: x4, noise25, jpeg40, blur1.5, dose0.1, grey, boxes, ..."
    )
    alone: Share = optimisation(0.5, "share of the steps in which G plays alone")
    batch: Count = 16
    lr: Positive = 5e-4
    beta1: Decay = 0.9
    pixels: Weight = losses(1.0, "weight of the distance from the truth beside the adversarial loss")
    content: Weight = losses(0.1, "weight of the distance of features from those of the truth")
    features: Literal["D", "vgg"] = losses("D", "whose: D's own, or VGG19's, whose weights must be at hand")
    adversarial: Positive = losses(0.02, "weight of what D says; for a net without D, alone=1")
    D: Count = discriminator(32, "channels of D's first layer")
    layers: Natural = discriminator(3, "layers of D that halve the picture, fewer where it is small")

    def modality(self, kind: str) -> Modality:
        modality = super().modality(kind)
        assert isinstance(modality, Degraded)
        return replace(modality, degrade=self.degrade)

    def check(self) -> None:
        super().check()
        chain = parse(self.degrade)
        if chain.masks and len(chain.steps) > 1:
            raise InputError(
                f"degrade={','.join(self.degrade)} both hides and changes pixels; give holes by themselves"
            )

    @abstractmethod
    def net(self, modality: Degraded) -> PictureNet:
        """G."""

    @abstractmethod
    def adversary(self) -> AdversarialLoss:
        """What G and D minimise."""

    def judge(self, modality: Degraded) -> Discriminator:
        """D, which sees pictures alone: what they are made of follows from them."""
        return PatchGAN(
            modality.channels, width=self.D, layers=deep(modality.size, self.layers), norm="none", spectral=True
        )

    def game(self, modality: Modality) -> PairedTranslation:
        assert isinstance(modality, Degraded)
        # The adversarial loss has weight 1 in the game, so all else is divided by its weight.
        scale = 1 / self.adversarial
        # VGG's weights are looked for by whoever trains, not by whoever applies.
        seen = Content if self.features == "D" else partial(Perceived, features=lambda x: weights.perceived()(x))
        terms = [L1(self.pixels * scale), seen(self.content * scale)]
        return PairedTranslation(
            self.net(modality),
            self.judge(modality),
            self.adversary(),
            [t for t in terms if t.weight],
            [L1(1.0)] if self.alone else [],
        )

    def phases(self, game: Any) -> list[Phase]:
        adam, settings = self.adam(), {"schedule": self.fading}
        first = Phase(game.restoring(adam, **settings), self.alone)
        second = Phase(game.players(adam, adam, **settings), 1 - self.alone)
        return [phase for phase in (first, second) if phase.share]

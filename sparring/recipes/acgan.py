"""Auxiliary classifier GAN."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from sparring.errors import InputError
from sparring.games.terms import Classified, Term
from sparring.modalities import Modality
from sparring.nets.discriminator import Discriminator
from sparring.recipes.base import Light, Weight, losses


@dataclass(frozen=True)
class Acgan(Light):
    """D also tells the class, and G makes samples whose class it tells.

    Odena et al. 2016, "Conditional image synthesis with auxiliary classifier GANs", arXiv:1610.09585, on
    DCGAN's nets without the paper's dropout. Samples that are easy to classify are not all samples of a class:
    look at the class diversity. Without labels it plays dcgan's game.

    sparring train fashion-mnist --recipe acgan
    """

    judges_labels: ClassVar[bool] = False

    classify: Weight = losses(1.0, "weight of the classes' cross entropy in D's loss and in G's")

    def check(self) -> None:
        super().check()
        if not self.classify:
            raise InputError("classify=0 leaves nobody to teach the labels; take recipe dcgan with labels=false")

    def terms(self, modality: Modality, G: nn.Module, D: Discriminator) -> Sequence[Term]:  # noqa: ARG002
        classes = len(modality.classes)
        return [Classified(nn.Linear(D.length, classes), self.classify)] if classes else []

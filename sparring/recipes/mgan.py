"""Mixture GAN."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from torch import nn

from sparring.games.prior import Normal, OneHot, Prior
from sparring.games.terms import Read, Term
from sparring.losses.adversarial import StandardLoss
from sparring.modalities import Images, Points
from sparring.nets import dcgan
from sparring.nets.discriminator import Discriminator
from sparring.nets.multi_generator import MultiGenerator
from sparring.recipes.base import (
    Count,
    Decay,
    PointsOrImages,
    Positive,
    Share,
    StandardGan,
    Weight,
    Widths,
    generator,
    losses,
)


@dataclass(frozen=True)
class Mgan(StandardGan[Points | Images], PointsOrImages):
    """Several generators share the data, separated by a classifier.

    Hoang et al. 2017, "MGAN: training generative adversarial nets with multiple generators", arXiv:1708.02556.
    The generators share all layers except the first, the classifier shares D's features, and a sample's generator is
    chosen at random. The paper uses 8 generators for the ring and 10 for images.

    sparring train ring --recipe mgan
    """

    bf16: ClassVar[tuple[str, ...]] = ("images",)

    # Generator
    z: Count = 100
    generators: Count = generator(10, "number of generators, K")
    width: Count = 32
    hidden: Widths = (128, 128)
    # Discriminator
    norm: dcgan.Norm = "batch"
    # Losses
    loss: StandardLoss = "non_saturating"
    smoothing: Share = 0.0
    diversity: Weight = losses(0.125, "weight of the classification of the generators, beta")
    # Optimization
    batch: Count = 64
    steps: Count = 20_000
    lr: Positive = 1e-3
    beta1: Decay = 0.5
    beta2: Decay = 0.999
    ema_kimg: Weight = 10.0
    ema_ramp: Share = 0.05

    def prior(self, modality: Points | Images) -> Prior:  # noqa: ARG002
        return Prior(Normal("z", self.z), OneHot("generator", self.generators))

    def nets(self, modality: Points | Images) -> tuple[nn.Module, Discriminator]:
        _, D = super().nets(modality)
        build = partial(self.build_generator, modality.shape, condition=modality.condition)
        return MultiGenerator(build, self.z, self.generators), D

    def terms(self, modality: Points | Images, G: nn.Module, D: Discriminator) -> Sequence[Term]:  # noqa: ARG002
        classifier = nn.Linear(D.length, self.generators)
        return [Read(classifier, self.prior(modality), "generator", self.diversity)]

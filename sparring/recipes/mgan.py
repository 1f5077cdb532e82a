"""Mixture GAN."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from sparring.games.prior import Normal, OneHot, Prior
from sparring.games.terms import Read, Term
from sparring.modalities import Modality
from sparring.nets import dcgan, mlp
from sparring.nets.discriminator import Discriminator
from sparring.nets.multi_generator import Several
from sparring.recipes.base import Count, Either, Light, Weight, generator, losses


@dataclass(frozen=True)
class Mgan(Light, Either):
    """Several generators, told apart by a classifier, share the data.

    Hoang et al. 2017, "MGAN: training generative adversarial nets with multiple generators", arXiv:1708.02556.
    The generators share all but their first layer, the classifier shares D's features; a sample's generator is
    chosen at random. The paper's numbers are 8 generators on the ring and 10 on pictures.

    sparring train ring --recipe mgan
    """

    generators: Count = generator(10, "how many, K")
    diversity: Weight = losses(0.125, "weight of telling the generators apart, beta")

    def prior(self, modality: Modality) -> Prior:  # noqa: ARG002
        return Prior(Normal("z", self.z), OneHot("generator", self.generators))

    def nets(self, modality: Modality) -> tuple[nn.Module, Discriminator]:
        _, D = super().nets(modality)
        classes = len(modality.classes)

        def build(latents: int) -> nn.Module:
            if modality.kind == "points":
                return mlp.Generator(latents, modality.shape, self.hidden, True, "relu", "linear", classes)
            return dcgan.Generator(latents, modality.shape[1], modality.shape[0], self.width, classes)

        return Several(build, self.z, self.generators), D

    def terms(self, modality: Modality, G: nn.Module, D: Discriminator) -> Sequence[Term]:  # noqa: ARG002
        reader = nn.Linear(D.length, self.generators)
        return [Read(reader, self.prior(modality), "generator", self.diversity)]

"""The default for items of several parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from torch import nn

from sparring.games.joint import Contrast, PartPenalty
from sparring.games.prior import Normal, Prior
from sparring.games.terms import Term
from sparring.modalities.joint import Joint
from sparring.nets import joint
from sparring.nets.discriminator import Discriminator
from sparring.recipes.base import (
    Count,
    Decay,
    Fraction,
    JointRecipe,
    Natural,
    Positive,
    RelativisticGan,
    Share,
    Weight,
    generator,
    losses,
)
from sparring.schedules import cosine


@dataclass(frozen=True)
class JointGan(JointRecipe, RelativisticGan[Joint]):
    """Items of several parts: pictures with rows, sounds, texts.

    The game of `r3gan` (Huang et al. 2024, arXiv:2501.05441). One latent vector and what is given of an item go through
    a trunk, and a head for each part, a net of its own kind of data, makes it from the trunk's code. There is a D for
    each part, and one for all of them together. Which parts are given is drawn anew for each item of a batch, so that
    one model makes any parts from any others. Parts also find their partners in the batch by D's vectors of them
    (Zhang et al. 2021, arXiv:2101.04702).

    sparring train characters --recipe joint
    """

    # Generator
    z: Count = 64
    codes: Count = 64
    width: Count = 32
    inner: Count = 256
    depth: Natural = generator(2, "residual blocks of the trunk")
    # Losses
    contrast: Weight = losses(0.5, "weight of finding an item's other parts in the batch, in the losses of D and G")
    gamma: Weight = 1.0
    gamma_end: Weight = 0.1
    # Optimization
    batch: Count = 64
    steps: Count = 20_000
    lr: Positive = 1e-3
    lr_end: Positive = 1e-4
    beta1: Decay = 0.0
    beta2: Decay = 0.9
    beta2_end: Decay = 0.99
    burn_in: Fraction = 1.0
    lazy: Count = 8
    ema_kimg: Weight = 10.0
    ema_ramp: Share = 0.05

    def prior(self, modality: Joint) -> Prior:
        return Prior(Normal("z", self.z), *(part for nets in self.nets_of_parts(modality) for part in nets.own))

    def nets(self, modality: Joint) -> tuple[nn.Module, Discriminator]:
        each, layout = self.nets_of_parts(modality), modality.layout
        G = joint.Generator(
            layout, self.z, [nets.G for nets in each], [sum(part.width for part in nets.own) for nets in each],
            [joint.Encoder(nets.E, joint.EMBEDDING) for nets in each], self.codes, self.inner, self.depth,
        )  # fmt: skip
        return G, joint.Discriminator(layout, [nets.D for nets in each], self.inner)

    def terms(self, modality: Joint, G: nn.Module, D: Discriminator) -> Sequence[Term]:  # noqa: ARG002
        strengths = [nets.gamma for nets in self.nets_of_parts(modality)]
        gamma = partial(cosine, self.gamma, self.gamma_end, share=self.burn_in)
        penalties = [PartPenalty(name, gamma, modality.layout, strengths, self.lazy) for name in ("R1", "R2")]
        return [*penalties, *([Contrast(modality.layout, self.contrast)] if self.contrast else [])]

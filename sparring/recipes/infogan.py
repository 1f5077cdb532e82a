"""InfoGAN."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from torch import nn
from torch.optim import Adam

from sparring.games.gan import GAN
from sparring.games.prior import Normal, OneHot, Part, Prior, Uniform
from sparring.games.terms import Invariant, Read, Term
from sparring.layers import augment
from sparring.modalities import Modality
from sparring.nets import dcgan
from sparring.nets.discriminator import Discriminator
from sparring.recipes.base import (
    Count,
    Natural,
    Phase,
    Positive,
    Strided,
    Targeted,
    Weight,
    generator,
    losses,
    optimisation,
)


@dataclass(frozen=True)
class Infogan(Targeted, Strided):
    """Latent codes that can be read back come to mean something.

    Chen et al. 2016, "InfoGAN: interpretable representation learning by information maximizing generative adversarial
    nets", arXiv:1606.03657, with the paper's codes for MNIST, on DCGAN's nets: which digit, how slanted, how wide,
    without any label. So that the codes are no trifles, the category is read from tilted samples, the continuous ones
    from coarse ones, and real samples are to be read with certainty and alike when tilted (Ji et al. 2018,
    arXiv:1807.06653); the paper has none of these: invariance=0 tilted=false. `sparring explore` draws a sheet for
    every code.

    sparring train mnist --recipe infogan
    """

    bf16: ClassVar[tuple[str, ...]] = ("images",)

    batch: Count = 128
    labels: bool | None = False
    z: Count = 62
    width: Count = 32
    norm: dcgan.Norm = "layer"
    categories: Natural = generator(10, "values of the categorical code, 0 for none")
    continuous: Natural = generator(2, "continuous codes")
    information: Weight = losses(1.0, "weight of reading the categorical code back, lambda")
    information_continuous: Weight = losses(0.2, "of reading the continuous ones back")
    invariance: Weight = losses(1.0, "of real samples being told apart by category, alike when tilted; 0 in the paper")
    tilted: bool = losses(True, "whether codes are read from tilted and from coarse samples; not in the paper")
    lr_generator: Positive = optimisation(1e-3, "learning rate of G; lr is D's")

    def prior(self, modality: Modality) -> Prior:  # noqa: ARG002
        codes: list[Part] = [OneHot("category", self.categories)] if self.categories else []
        codes += [Uniform("continuous", self.continuous)] if self.continuous else []
        return Prior(Normal("z", self.z), *codes)

    def terms(self, modality: Modality, G: nn.Module, D: Discriminator) -> Sequence[Term]:  # noqa: ARG002
        prior, terms = self.prior(modality), list[Term]()
        for part in prior.parts[1:]:
            reader = _reader(D.length, part.width)
            if isinstance(part, OneHot):
                view = augment.tilted if self.tilted else None
                terms.append(Read(reader, prior, part.name, self.information, view))
                terms += [Invariant(reader, self.invariance, augment.tilted)] if self.invariance else []
            else:
                view = augment.coarse if self.tilted else None
                terms.append(Read(reader, prior, part.name, self.information_continuous, view))
        return terms

    def phases(self, game: GAN) -> list[Phase]:
        adam = partial(Adam, betas=(self.beta1, self.beta2), fused=True)
        return [Phase(game.players(partial(adam, lr=self.lr), partial(adam, lr=self.lr_generator)))]


def _reader(features: int, width: int) -> nn.Module:
    """The paper's Q, which shares D's features."""
    return nn.Sequential(nn.Linear(features, 128), nn.BatchNorm1d(128), nn.LeakyReLU(0.1), nn.Linear(128, width))

"""InfoGAN."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from sparring.games.gan import GAN
from sparring.games.prior import Normal, OneHot, Part, Prior, Uniform
from sparring.games.terms import Invariant, Read, Term
from sparring.layers import augment
from sparring.losses.adversarial import StandardLoss
from sparring.modalities import Images
from sparring.nets import dcgan
from sparring.nets.discriminator import Discriminator
from sparring.recipes.base import (
    Count,
    DcganNets,
    Decay,
    Natural,
    Phase,
    Positive,
    Share,
    StandardGan,
    Weight,
    generator,
    losses,
    optimization,
)


@dataclass(frozen=True)
class Infogan(StandardGan[Images], DcganNets[Images]):
    """Interpretable latent codes, by maximizing mutual information.

    Chen et al. 2016, "InfoGAN: interpretable representation learning by information maximizing generative adversarial
    nets", arXiv:1606.03657, with the paper's codes for MNIST, on DCGAN's nets. Without labels, the codes come to mean
    which digit, how slanted and how wide. Three additions keep the codes from encoding trivial details: the category is
    predicted from distorted samples, the continuous codes from coarse ones, and D must classify real samples with
    certainty and independently of distortion (Ji et al. 2018, arXiv:1807.06653). The paper has none of these:
    invariance=0 tilted=false. `sparring explore` draws a sheet for every code.

    sparring train mnist --recipe infogan
    """

    bf16: ClassVar[tuple[str, ...]] = ("images",)

    # Data
    labels: bool | None = False
    # Generator
    z: Count = 62
    categories: Natural = generator(10, "values of the categorical code; 0: no such code")
    continuous: Natural = generator(2, "number of continuous codes")
    width: Count = 32
    # Discriminator
    norm: dcgan.Norm = "layer"
    # Losses
    loss: StandardLoss = "non_saturating"
    smoothing: Share = 0.0
    information: Weight = losses(1.0, "weight of the prediction of the categorical code, lambda")
    information_continuous: Weight = losses(0.2, "weight of the prediction of the continuous codes")
    invariance: Weight = losses(1.0, "weight of a certain, distortion-invariant category of real samples; 0 in paper")
    tilted: bool = losses(True, "predict the codes from distorted and from coarse samples; not in the paper")
    # Optimization
    batch: Count = 128
    steps: Count = 20_000
    lr: Positive = optimization(2e-4, "learning rate of D")
    lr_generator: Positive = optimization(1e-3, "learning rate of G")
    beta1: Decay = 0.5
    beta2: Decay = 0.999
    ema_kimg: Weight = 10.0
    ema_ramp: Share = 0.05

    def prior(self, modality: Images) -> Prior:  # noqa: ARG002
        codes: list[Part] = [OneHot("category", self.categories)] if self.categories else []
        codes += [Uniform("continuous", self.continuous)] if self.continuous else []
        return Prior(Normal("z", self.z), *codes)

    def terms(self, modality: Images, G: nn.Module, D: Discriminator) -> Sequence[Term]:  # noqa: ARG002
        prior, terms = self.prior(modality), list[Term]()
        for part in prior.parts[1:]:
            Q = _build_Q(D.length, part.width)
            if isinstance(part, OneHot):
                view = augment.distorted if self.tilted else None
                terms.append(Read(Q, prior, part.name, self.information, view))
                terms += [Invariant(Q, self.invariance, augment.distorted)] if self.invariance else []
            else:
                view = augment.coarse if self.tilted else None
                terms.append(Read(Q, prior, part.name, self.information_continuous, view))
        return terms

    def phases(self, game: GAN) -> list[Phase]:
        return [Phase(game.players(self.adam(), self.adam(lr=self.lr_generator)))]


def _build_Q(features: int, width: int) -> nn.Module:
    """The paper's Q, which predicts a code from D's features."""
    return nn.Sequential(nn.Linear(features, 128), nn.BatchNorm1d(128), nn.LeakyReLU(0.1), nn.Linear(128, width))

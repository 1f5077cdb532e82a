"""VAE-GAN."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from sparring.games.gan import GAN
from sparring.games.vae import VAEGAN
from sparring.modalities import Modality
from sparring.nets import dcgan
from sparring.recipes.base import Count, Light, Weight, losses


@dataclass(frozen=True)
class Vaegan(Light):
    """A GAN whose G is an autoencoder's decoder: it reconstructs too.

    Larsen et al. 2015, "Autoencoding beyond pixels using a learned similarity metric", arXiv:1512.09300,
    algorithm 1, on DCGAN's nets. `sparring explore` shows real pictures beside what it makes of them. D's
    features measure what is alike, so that it does not blur.

    sparring train mnist --recipe vaegan
    """

    z: Count = 64
    likelihood: Weight = losses(1.0, "weight of D's features' distance in G's loss, gamma")
    beta: Weight = losses(0.01, "weight of the divergence from the prior in E's loss")

    def rules(self, modality: Modality) -> Callable[..., GAN]:
        channels, size, _ = modality.shape
        E = dcgan.Encoder(self.z, size, channels, self.width, len(modality.classes))
        return partial(VAEGAN, E, likelihood=self.likelihood, beta=self.beta)

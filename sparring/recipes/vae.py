"""Variational autoencoder."""

from __future__ import annotations

from dataclasses import dataclass

from sparring.errors import InputError
from sparring.games.prior import normal
from sparring.games.vae import VAE
from sparring.modalities import Images
from sparring.nets import dcgan
from sparring.recipes.base import (
    AdamFields,
    Count,
    Decay,
    ImageRecipe,
    Phase,
    Positive,
    Share,
    Weight,
    generator,
    losses,
    optimization,
)


@dataclass(frozen=True)
class Vae(AdamFields, ImageRecipe[Images]):
    """Not a GAN, but the usual comparison: all modes, but blurred.

    Kingma and Welling 2013, "Auto-encoding variational Bayes", arXiv:1312.6114, on DCGAN's nets, with normal
    likelihoods of optimal variance (Rybkin et al. 2020, arXiv:2006.13202). `sparring explore` shows real images next to
    their reconstructions.

    sparring train mnist --recipe vae
    """

    # Generator
    z: Count = generator(32, "length of the latent vector")
    width: Count = generator(32, "channels of the layer next to the image, in decoder and encoder")
    # Losses
    beta: Weight = losses(1.0, "weight of the divergence from the prior; 1 gives the variational bound")
    # Optimization
    batch: Count = 64
    steps: Count = 20_000
    lr: Positive = optimization(1e-3, "learning rate of Adam")
    beta1: Decay = 0.9
    beta2: Decay = 0.999
    ema_kimg: Weight = 10.0
    ema_ramp: Share = 0.05

    def game(self, modality: Images) -> VAE:
        channels, size, _ = modality.shape
        condition = modality.condition
        E = dcgan.Encoder(self.z, size, channels, self.width, condition)
        G = dcgan.Generator(self.z, size, channels, self.width, condition)
        return VAE(E, G, normal(self.z), len(modality.classes), self.beta, modality.condition_width > 0)

    def check(self) -> None:
        super().check()
        if self.noise or self.augment != "none":
            raise InputError("noise= and augment= change D's input, and a vae has no D; remove these fields")

    def phases(self, game: VAE) -> list[Phase]:
        return [Phase(game.players(self.adam()))]

"""Variational autoencoder."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from torch.optim import Adam

from sparring.errors import InputError
from sparring.games.prior import normal
from sparring.games.vae import VAE
from sparring.modalities import Modality
from sparring.nets import dcgan
from sparring.recipes.base import Count, OfPictures, Phase, Positive, Weight, generator, losses, optimisation


@dataclass(frozen=True)
class Vae(OfPictures):
    """No GAN, but what they are compared with: all modes, but blurred.

    Kingma and Welling 2013, "Auto-encoding variational Bayes", arXiv:1312.6114, on DCGAN's nets, under normal
    distributions of the best deviation (Rybkin et al. 2020, arXiv:2006.13202). `sparring explore` shows real
    pictures beside what it makes of them.

    sparring train mnist --recipe vae
    """

    z: Count = generator(32, "length of the latent vector")
    width: Count = generator(32, "channels of the layer next to the picture, in the encoder too")
    beta: Weight = losses(1.0, "weight of the divergence from the prior; 1 is the bound")
    lr: Positive = optimisation(1e-3, "learning rate of Adam")

    def game(self, modality: Modality) -> VAE:
        channels, size, _ = modality.shape
        classes = len(modality.classes)
        E = dcgan.Encoder(self.z, size, channels, self.width, classes)
        G = dcgan.Generator(self.z, size, channels, self.width, classes)
        return VAE(E, G, normal(self.z), classes, self.beta)

    def check(self) -> None:
        super().check()
        if self.noise or self.augment != "none":
            raise InputError("noise= and augment= change what D sees, and a vae has no D")

    def phases(self, game: VAE) -> list[Phase]:
        return [Phase(game.players(partial(Adam, lr=self.lr, fused=True)))]

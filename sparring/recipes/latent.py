"""A GAN in the code space of an autoencoder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import nn

from sparring.errors import InputError
from sparring.games import latent
from sparring.games.gan import GAN
from sparring.modalities import Images
from sparring.nets import autoencoder, codes
from sparring.nets.discriminator import Discriminator
from sparring.nets.patchgan import PatchGAN, halving_layers
from sparring.recipes.base import (
    Count,
    Decay,
    Fraction,
    ImageRecipe,
    Phase,
    Positive,
    RelativisticGan,
    Share,
    Weight,
    discriminator,
    generator,
    losses,
    optimization,
)
from sparring.schedules import cosine

GAMMA_SIDE = 8  # of the codes that gamma is given for


@dataclass(frozen=True)
class Latent(RelativisticGan[Images], ImageRecipe[Images]):
    """R3GAN's game in the code space of an autoencoder.

    Rombach et al. 2021, "High-resolution image synthesis with latent diffusion models", arXiv:2112.10752, with the game
    of Huang et al. 2024, arXiv:2501.05441, in place of diffusion. The autoencoder is a small one of Esser et al. 2020,
    arXiv:2012.09841, with normally distributed codes. It is trained in the first part of the run and frozen in the
    second, in which DCGAN's nets generate and judge codes. `sparring evaluate` shows the metrics of reconstructed
    images next to those of samples, which are limited by them. Gamma is given for codes of 8 x 8 positions and grows
    with their number.

    sparring train photos/ --recipe latent --time 10m
    """

    # Generator
    z: Count = 64
    width: Count = generator(64, "channels of the layers at the full resolution of codes, in G and D")
    code_channels: Count = generator(8, "channels of codes")
    halvings: Count = generator(3, "halvings of the image in the autoencoder; fewer for images below 32 pixels")
    coder: Count = generator(32, "channels of the decoder's layer next to the image; the encoder has half as many")
    # Discriminator
    patch: Count = discriminator(16, "channels of the first layer of P, which judges patches of reconstructions")
    # Losses
    gamma: Weight = 0.3
    gamma_end: Weight = 0.03
    patches: Weight = losses(0.005, "weight of P's judgment in the autoencoder's loss; the mean absolute error has 1")
    kl: Weight = losses(0.0001, "weight of the divergence of codes from a normal distribution, per number of a code")
    # Optimization
    batch: Count = 32
    steps: Count = 20_000
    autoencoding: Fraction = optimization(0.4, "share of the run in which the autoencoder is trained")
    coder_lr: Positive = optimization(4e-3, "learning rate of the autoencoder at the start; it falls to a hundredth")
    lr: Positive = 1e-3
    lr_end: Positive = 1e-4
    beta1: Decay = 0.0
    beta2: Decay = 0.9
    beta2_end: Decay = 0.99
    burn_in: Fraction = 1.0
    lazy: Count = 8
    ema_kimg: Weight = 10.0
    ema_ramp: Share = 0.05

    def nets(self, modality: Images) -> tuple[nn.Module, Discriminator]:
        shape = (self._side(modality), self.code_channels, self.width, modality.condition)
        return codes.Generator(self.z, *shape), codes.Discriminator(*shape)

    def game_class(self, modality: Images) -> Callable[..., GAN]:
        channels, size, _ = modality.shape
        halvings = self._halvings(modality)
        sizes, encoder = (size, channels, self.code_channels), max(1, self.coder // 2)
        nets = latent.Nets(
            autoencoder.Encoder(*sizes, encoder, halvings),
            autoencoder.Decoder(*sizes, self.coder, halvings),
            PatchGAN(channels, width=self.patch, layers=halving_layers(size), norm="none"),
            nn.BatchNorm2d(self.code_channels, affine=False),
        )
        return partial(latent.LatentGAN, nets, latent.Weights(self.patches, self.kl))

    def strength(self, modality: Images) -> float:
        return (self._side(modality) / GAMMA_SIDE) ** 2

    def _side(self, modality: Images) -> int:
        return autoencoder.code_side(modality.shape[1], self._halvings(modality))

    def _halvings(self, modality: Images) -> int:
        return autoencoder.halvings_of(modality.shape[1], self.halvings)

    def phases(self, game: Any) -> list[Phase]:
        adam = self.adam()
        coding = game.autoencoding(adam, self.coding_schedule)
        playing = game.players(adam, adam, schedule=self.schedule)
        return [Phase(coding, self.autoencoding), Phase(playing, 1 - self.autoencoding)]

    def coding_schedule(self, progress: float) -> Mapping[str, object]:
        """Settings of the optimizers of the first phase at a point of it in [0, 1]."""
        return {"lr": cosine(self.coder_lr, self.coder_lr / 100, progress), "betas": (0.5, 0.9)}

    def check(self) -> None:
        super().check()
        if self.autoencoding >= 1:
            raise InputError(f"autoencoding={self.autoencoding:g} leaves no time to train G; give less than 1")
        if self.augment not in ("none", "places"):
            raise InputError(f"augment={self.augment} changes colors, and D judges codes; use augment=places")

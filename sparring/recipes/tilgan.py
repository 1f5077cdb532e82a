"""A GAN in the code space of an autoencoder of texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import nn

from sparring.errors import InputError
from sparring.games import latent
from sparring.games.gan import GAN
from sparring.games.latent_text import LatentTextGAN
from sparring.modalities.text import Text
from sparring.nets import tilgan
from sparring.nets.discriminator import Discriminator
from sparring.recipes.base import (
    Count,
    Decay,
    Fraction,
    Phase,
    Positive,
    RelativisticGan,
    Share,
    TextRecipe,
    Weight,
    discriminator,
    generator,
    losses,
    optimization,
)
from sparring.schedules import cosine


@dataclass(frozen=True)
class TilGan(TextRecipe, RelativisticGan[Text]):
    """A GAN of the codes of a transformer autoencoder.

    Diao et al. 2021, "TILGAN: transformer-based implicit latent GAN for diverse and coherent text generation", Findings
    of ACL (no arXiv number). G generates a code for each place of a text, and D judges the whole code and spans of it.
    Here, the game is that of R3GAN (arXiv:2501.05441) in place of a divergence with a penalty, and the decoder predicts
    all tokens at once. Texts have no prompt and no other length.

    sparring train texts.txt --recipe tilgan
    """

    # Generator
    z: Count = 100
    width: Count = generator(256, "width of the hidden layers of G")
    code_channels: Count = generator(56, "numbers of a code for each place of a text")
    coder: Count = generator(512, "width of the autoencoder's transformers")
    layers: Count = generator(2, "layers of each transformer")
    heads: Count = generator(4, "heads of its attention")
    # Discriminator
    D: Count = discriminator(256, "width of the hidden layers of each part")
    # Losses
    gamma: Weight = 0.3
    gamma_end: Weight = 0.03
    kl: Weight = losses(0.01, "weight of the divergence of codes from a normal distribution, per number of a code")
    # Optimization
    batch: Count = 256
    steps: Count = 20_000
    passes: Count = 2000
    autoencoding: Fraction = optimization(0.3, "share of the run in which the autoencoder is trained")
    coder_lr: Positive = optimization(1e-3, "learning rate of the autoencoder at the start; it falls to a hundredth")
    lr: Positive = 5e-4
    lr_end: Positive = 5e-5
    beta1: Decay = 0.0
    beta2: Decay = 0.9
    beta2_end: Decay = 0.99
    burn_in: Fraction = 1.0
    lazy: Count = 1
    ema_kimg: Weight = 50.0
    ema_ramp: Share = 0.05

    def check(self) -> None:
        super().check()
        if self.autoencoding >= 1:
            raise InputError(f"autoencoding={self.autoencoding:g} leaves no time to train G; give less than 1")
        if self.coder % self.heads:
            raise InputError(f"coder={self.coder} must be a multiple of heads={self.heads}")

    def nets(self, modality: Text) -> tuple[nn.Module, Discriminator]:
        shape, classes = (self.code_channels, modality.length), len(modality.classes)
        G = tilgan.Generator(self.z, *shape, self.width, classes)
        return G, tilgan.CodeDiscriminator(*shape, self.D, classes)

    def game_class(self, modality: Text) -> Callable[..., GAN]:
        sizes = (len(modality.tokenizer.vocabulary), modality.length, self.code_channels)
        transformer = (self.coder, self.layers, self.heads)
        E, R = tilgan.Encoder(*sizes, *transformer), tilgan.Decoder(*sizes, *transformer)
        coder = latent.Coder(E, R, nn.BatchNorm1d(self.code_channels, affine=False))
        return partial(LatentTextGAN, coder, self.kl)

    def phases(self, game: Any) -> list[Phase]:
        adam = self.adam()
        coding = game.autoencoding(adam, self.coding_schedule)
        playing = game.players(adam, adam, schedule=self.schedule)
        return [Phase(coding, self.autoencoding), Phase(playing, 1 - self.autoencoding)]

    def coding_schedule(self, progress: float) -> Mapping[str, object]:
        """Settings of the optimizer of the first phase at a point of it in [0, 1]."""
        return {"lr": cosine(self.coder_lr, self.coder_lr / 100, progress), "betas": (0.9, 0.99)}

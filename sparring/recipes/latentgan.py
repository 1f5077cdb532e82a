"""LatentGAN: a GAN in the code space of an autoencoder of SMILES."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from torch import nn

from sparring.errors import InputError
from sparring.games.gan import GAN
from sparring.games.latent import Nets, Weights
from sparring.games.latent_sequences import SequenceLatentGAN
from sparring.games.terms import GP, Term
from sparring.losses.adversarial import AdversarialLoss, wasserstein
from sparring.modalities.molecules import Molecules
from sparring.nets import heteroencoder
from sparring.nets.discriminator import Discriminator
from sparring.recipes.base import (
    AdamGan,
    Count,
    Decay,
    Fraction,
    Phase,
    Positive,
    Share,
    Weight,
    discriminator,
    generator,
    losses,
    optimization,
)
from sparring.recipes.base.molecules import PlainMolecules
from sparring.schedules import cosine


@dataclass(frozen=True)
class Latentgan(PlainMolecules[Molecules], AdamGan[Molecules]):
    """SMILES as codes of a heteroencoder, which a WGAN-GP generates.

    Prykhodko et al. 2019, "A de novo molecular generation method using latent vector based generative adversarial
    network", doi:10.1186/s13321-019-0397-9 (no arXiv). The encoder reads a random SMILES of a molecule, and the decoder
    writes the canonical one, so that codes depend on the molecule. The autoencoder is trained in the first part of the
    run and frozen in the second. It has gated recurrent units and codes of 128 numbers, so that it learns in minutes;
    the paper's has LSTMs and codes of 512.

    sparring train molecules.smi --recipe latentgan
    """

    takes: ClassVar[tuple[Molecules, ...]] = (Molecules(rewritten=True),)

    # Generator
    z: Count = 128
    G: Count = generator(256, "units of the hidden layers")
    code_length: Count = generator(128, "length of a code")
    embedding: Count = generator(64, "length of a token's vector")
    width: Count = generator(256, "units of the decoder; the encoder has half as many in each direction")
    coder_noise: Weight = generator(0.1, "standard deviation of the noise that is added to codes in training")
    # Discriminator
    D: Count = discriminator(256, "units of the hidden layers")
    # Losses
    gp: Weight = losses(10.0, "weight of the gradient penalty, lambda")
    # Optimization
    batch: Count = 64
    steps: Count = 20_000
    autoencoding: Fraction = optimization(0.7, "share of the run in which the autoencoder is trained")
    coder_lr: Positive = optimization(2e-3, "learning rate of the autoencoder at the start; it falls to a hundredth")
    n_critic: Count = optimization(5, "moves of the critic per move of G")
    lr: Positive = 2e-4
    beta1: Decay = 0.5
    beta2: Decay = 0.999
    ema_kimg: Weight = 10.0
    ema_ramp: Share = 0.05

    def check(self) -> None:
        super().check()
        if self.autoencoding >= 1:
            raise InputError(f"autoencoding={self.autoencoding:g} leaves no time to train G; give less than 1")

    def nets(self, modality: Molecules) -> tuple[nn.Module, Discriminator]:  # noqa: ARG002
        return heteroencoder.Generator(self.z, self.code_length, self.G), heteroencoder.Discriminator(
            self.code_length, self.D
        )

    def game_class(self, modality: Molecules) -> Callable[..., GAN]:
        tokens, half = len(modality.vocabulary), max(1, self.width // 2)
        autoencoder = Nets(
            heteroencoder.Encoder(tokens, self.embedding, half, self.code_length, self.coder_noise),
            heteroencoder.Decoder(tokens, self.embedding, self.width, self.code_length, modality.length),
            None,
            nn.BatchNorm1d(self.code_length, affine=False),
        )
        return partial(SequenceLatentGAN, autoencoder, Weights(patches=0.0, kl=0.0))

    def adversarial_loss(self) -> AdversarialLoss:
        return wasserstein()

    def terms(self, modality: Molecules, G: nn.Module, D: Discriminator) -> Sequence[Term]:  # noqa: ARG002
        return [GP(self.gp)]

    def phases(self, game: Any) -> list[Phase]:
        adam = self.adam()
        coding = game.autoencoding(self.adam(betas=(0.9, 0.999)), schedule=self.coding_schedule)
        playing = game.players(adam, adam, turns=self.n_critic)
        return [Phase(coding, self.autoencoding), Phase(playing, 1 - self.autoencoding)]

    def coding_schedule(self, progress: float) -> Mapping[str, object]:
        """The learning rate of the first phase at a point of it in [0, 1]."""
        return {"lr": cosine(self.coder_lr, self.coder_lr / 100, progress)}

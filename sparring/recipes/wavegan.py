"""WaveGAN."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from sparring.games.terms import GP, Term
from sparring.losses.adversarial import AdversarialLoss, wasserstein
from sparring.modalities import Audio
from sparring.nets import wavegan
from sparring.nets.discriminator import Discriminator
from sparring.recipes.base import (
    AdamGan,
    AudioRecipe,
    Count,
    Decay,
    Natural,
    Positive,
    Share,
    Weight,
    discriminator,
    generator,
    losses,
    optimization,
)


@dataclass(frozen=True)
class Wavegan(AdamGan[Audio], AudioRecipe):
    """Strided convolutions on waveforms with the loss of WGAN-GP.

    Donahue et al. 2019, "Adversarial audio synthesis", arXiv:1802.04208: the paper's table, with fewer channels (the
    paper has width=64 and batch=64, for 200,000 steps on a GPU). The number of layers follows from the length of the
    sounds: the paper's five for 16,384 samples. Classes are our addition.

    sparring train drums --recipe wavegan
    """

    # Generator
    z: Count = 100
    width: Count = generator(16, "channels of the layer next to the sound, in G and D")
    # Discriminator
    shuffle: Natural = discriminator(2, "steps by which phase shuffle shifts D's layers at most")
    # Losses
    gp: Weight = losses(10.0, "weight of the gradient penalty, lambda")
    # Optimization
    batch: Count = 16
    steps: Count = 20_000
    n_critic: Count = optimization(5, "moves of the critic per move of G")
    lr: Positive = 1e-4
    beta1: Decay = 0.5
    beta2: Decay = 0.9
    ema_kimg: Weight = 10.0
    ema_ramp: Share = 0.05

    def nets(self, modality: Audio) -> tuple[nn.Module, Discriminator]:
        channels, length = modality.shape
        G = wavegan.Generator(self.z, channels, length, self.width, modality.condition)
        return G, wavegan.Discriminator(channels, length, self.width, self.shuffle, modality.condition)

    def adversarial_loss(self) -> AdversarialLoss:
        return wasserstein()

    def terms(self, modality: Audio, G: nn.Module, D: Discriminator) -> Sequence[Term]:  # noqa: ARG002
        return [GP(self.gp)]

    def turns(self) -> int:
        return self.n_critic

"""MuseGAN, the default for music whose tracks play several notes at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from sparring.games.gan import GAN
from sparring.games.graph import DataKind, Graph, sampling_graph
from sparring.games.prior import Prior, path
from sparring.games.terms import GP, Term
from sparring.losses.adversarial import AdversarialLoss, wasserstein
from sparring.modalities.music import Rolls
from sparring.nets import musegan
from sparring.nets.discriminator import Discriminator
from sparring.recipes.base import (
    AdamGan,
    Count,
    Decay,
    Positive,
    Share,
    Weight,
    data,
    discriminator,
    generator,
    losses,
    optimization,
)


class WindowGAN(GAN):
    """A GAN of windows, which are exported at their own length."""

    def graph(self, kind: DataKind, reverse: bool = False) -> Graph:
        if reverse:
            raise ValueError("it generates from noise and has one direction only")
        return sampling_graph(self, kind, any_length=False)


@dataclass(frozen=True)
class Musegan(AdamGan[Rolls]):
    """Piano rolls of several tracks with binary neurons.

    Dong et al. 2017, "MuseGAN: Multi-track sequential generative adversarial networks for symbolic music generation and
    accompaniment", arXiv:1709.06298, with the deterministic binary neurons of Dong and Yang 2018, arXiv:1804.09399:
    each bar has latents, neighboring bars share them, and a net for all tracks is followed by one for each track. It is
    scaled to CPUs, and has a plane for the beginnings of notes, so that repeated notes are kept. The paper's grid is 12
    steps per quarter.

    sparring train nottingham
    """

    takes: ClassVar[tuple[Rolls, ...]] = (Rolls(),)

    # Data
    grid: Count = data(4, "steps per quarter", sets="grid")
    bars: Count = data(4, "bars of the windows that D sees", sets="bars")
    tracks: Count = data(5, "tracks at most; the most frequent ones are kept", sets="most")
    transpose: bool = data(
        True, "transpose windows at random, as far as the range of the data allows", sets="transpose"
    )
    # Generator
    z: Count = generator(8, "latents per step; those of a bar are its latent vector")
    width: Count = generator(32, "channels of a bar's layers")
    # Discriminator
    D: Count = discriminator(32, "channels of the first layer")
    # Losses
    gp: Weight = losses(10.0, "weight of the gradient penalty, lambda")
    # Optimization
    batch: Count = 64
    steps: Count = 3000
    n_critic: Count = optimization(5, "moves of the critic per move of G")
    lr: Positive = 1e-3
    beta1: Decay = 0.5
    beta2: Decay = 0.9
    ema_kimg: Weight = 10.0
    ema_ramp: Share = 0.05

    def prior(self, modality: Rolls) -> Prior:
        return path(self.z, 0, modality.window)

    def nets(self, modality: Rolls) -> tuple[nn.Module, Discriminator]:
        planes, rows, steps = modality.shape
        G = musegan.Generator(self.z, planes // 2, rows, modality.bar, self.width)
        return G, musegan.Discriminator(planes // 2, rows, steps, modality.low, self.D)

    def adversarial_loss(self) -> AdversarialLoss:
        return wasserstein()

    def terms(self, modality: Rolls, G: nn.Module, D: Discriminator) -> Sequence[Term]:  # noqa: ARG002
        return [GP(self.gp)]

    def game_class(self, modality: Rolls) -> Callable[..., GAN]:  # noqa: ARG002
        return WindowGAN

    def turns(self) -> int:
        return self.n_critic

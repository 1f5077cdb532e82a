"""The default for music of several voices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import nn

from sparring.games.prior import Prior, path
from sparring.games.voices import Likelihood, VoicesGAN
from sparring.modalities.music import Music
from sparring.nets import voices
from sparring.nets.discriminator import Discriminator
from sparring.recipes.base import (
    Count,
    Decay,
    Fraction,
    Phase,
    Positive,
    RelativisticGan,
    Share,
    Weight,
    data,
    discriminator,
    generator,
    losses,
    optimization,
)
from sparring.schedules import cosine

WARM = 0.9  # Adam's decay rate of the first moment in the phase without D


@dataclass(frozen=True)
class Chorale(RelativisticGan[Music]):
    """Voices, composed step by step or around given ones.

    G is a recurrent net that draws each voice in each step, given the steps before, the voices above it, and voices
    that are given for all steps. It is first trained by maximum likelihood, then against a D that judges whole windows,
    by R3GAN's loss (Huang et al. 2024, arXiv:2501.05441) through a straight-through Gumbel softmax (Jang et al. 2016,
    arXiv:1611.01144). D sees pitch classes, intervals, motion and parallels. `sparring apply` completes given voices.

    sparring train chorales
    """

    takes: ClassVar[tuple[Music, ...]] = (Music(),)
    z: ClassVar[int] = 0  # type: ignore[misc]  # no field: the latents are the noise of all choices

    # Data
    batch: Count = 32
    grid: Count = data(2, "steps per quarter: 2 for eighths, 4 for sixteenths", sets="grid")
    bars: Count = data(8, "bars of the windows that D sees", sets="bars")
    transpose: bool = data(True, "transpose windows at random, as far as the voices' ranges allow", sets="transpose")
    # Generator
    width: Count = generator(192, "units of a recurrent layer")
    depth: Count = generator(2, "recurrent layers")
    temperature: Positive = generator(1.0, "of the choices")
    # Discriminator
    D: Count = discriminator(64, "channels of the first layer")
    D_depth: Count = discriminator(3, "resolutions, each half of the previous one")
    # Losses
    alone: Share = losses(0.85, "share of the steps in which G is trained by maximum likelihood, without D")
    likelihood: Weight = losses(1.0, "weight of the negative log likelihood against D")
    adversarial: Positive = losses(0.1, "weight of the adversarial loss of G")
    gamma: Weight = 1.0
    gamma_end: Weight = 1.0
    # Optimization
    steps: Count = 6000
    lr_alone: Positive = optimization(2e-3, "learning rate at the start of the phase without D; it falls to lr_end")
    clip: Positive = optimization(1.0, "largest norm of G's gradient in the phase without D")
    lr: Positive = 5e-4
    lr_end: Positive = 1e-4
    beta1: Decay = 0.0
    beta2: Decay = 0.9
    beta2_end: Decay = 0.99
    burn_in: Fraction = 1.0
    lazy: Count = 4
    ema_kimg: Weight = 10.0
    ema_ramp: Share = 0.05

    def prior(self, modality: Music) -> Prior:
        return path(modality.layout.channels, 0, modality.window)

    def nets(self, modality: Music) -> tuple[nn.Module, Discriminator]:
        layout, beat = modality.layout, modality.grid
        G = voices.Generator(layout, self.width, self.depth, beat)
        return G, voices.Discriminator(layout, self.D, self.D_depth, beat, modality.window)

    def game(self, modality: Music) -> VoicesGAN:
        G, D = self.nets(modality)
        assert isinstance(G, voices.Generator)
        # The adversarial loss has weight 1 in the game, so the likelihood is divided by its weight.
        terms = [*self.terms(modality, G, D), Likelihood(G, self.likelihood / self.adversarial)]
        return VoicesGAN(
            G, D, loss=self.adversarial_loss(), prior=self.prior(modality),
            terms=[t for t in terms if t.weight],
            views=self.views(modality), temperature=self.temperature,
        )  # fmt: skip

    def phases(self, game: Any) -> list[Phase]:
        adam = self.adam()
        first = Phase(game.likely(adam, schedule=self.falling, clip=self.clip), self.alone)
        second = Phase(game.players(adam, adam, schedule=self.schedule), 1 - self.alone)
        return [first, second]

    def falling(self, progress: float) -> Mapping[str, object]:
        """Settings of the optimizer at a point of the first phase in [0, 1]."""
        return {"lr": cosine(self.lr_alone, self.lr_end, progress, 1.0), "betas": (WARM, self.beta2_end)}

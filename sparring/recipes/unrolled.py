"""Unrolled GAN."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from sparring.games.gan import GAN
from sparring.games.unrolled import Unrolled as UnrolledGame
from sparring.losses.adversarial import StandardLoss
from sparring.modalities import Images, Points
from sparring.nets import dcgan
from sparring.recipes.base import (
    Count,
    Decay,
    Natural,
    PointsOrImages,
    Positive,
    Share,
    StandardGan,
    Weight,
    Widths,
    losses,
)


@dataclass(frozen=True)
class Unrolled(StandardGan[Points | Images], PointsOrImages):
    """G is trained against D as it would be some steps later.

    Metz et al. 2016, "Unrolled generative adversarial networks", arXiv:1611.02163. D is unrolled by plain gradient
    steps, where the paper unrolls Adam. Each unrolled step costs one more pass, which is differentiated twice.

    sparring train ring --recipe unrolled
    """

    bf16: ClassVar[tuple[str, ...]] = ("images",)

    # Generator
    z: Count = 100
    width: Count = 32
    hidden: Widths = (128, 128)
    # Discriminator
    norm: dcgan.Norm = "none"
    # Losses
    loss: StandardLoss = "non_saturating"
    smoothing: Share = 0.0
    unroll: Natural = losses(5, "steps by which D is unrolled in G's loss, k")
    rate: Positive = losses(0.01, "learning rate of these steps, eta")
    # Optimization
    batch: Count = 64
    steps: Count = 20_000
    lr: Positive = 1e-3
    beta1: Decay = 0.5
    beta2: Decay = 0.999
    ema_kimg: Weight = 10.0
    ema_ramp: Share = 0.05

    def game_class(self, modality: Points | Images) -> Callable[..., GAN]:  # noqa: ARG002
        return partial(UnrolledGame, unroll=self.unroll, rate=self.rate)

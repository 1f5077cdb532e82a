"""Unrolled GAN."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from sparring.games.gan import GAN
from sparring.games.unrolled import Unrolled as Game
from sparring.modalities import Modality
from sparring.nets import dcgan
from sparring.recipes.base import Either, Light, Natural, Positive, losses


@dataclass(frozen=True)
class Unrolled(Light, Either):
    """G learns against the D that would answer it some steps later.

    Metz et al. 2016, "Unrolled generative adversarial networks", arXiv:1611.02163; D is unrolled by plain
    gradient steps, where the paper unrolls Adam. A step costs as many more passes, each differentiated twice.

    sparring train ring --recipe unrolled
    """

    norm: dcgan.Norm = "none"
    unroll: Natural = losses(5, "steps that G looks ahead, k")
    rate: Positive = losses(0.01, "learning rate of these steps, eta")

    def rules(self, modality: Modality) -> Callable[..., GAN]:  # noqa: ARG002
        return partial(Game, unroll=self.unroll, rate=self.rate)

"""Least squares GAN."""

from __future__ import annotations

from dataclasses import dataclass

from sparring.losses.adversarial import StandardLoss
from sparring.recipes.dcgan import Dcgan


@dataclass(frozen=True)
class Lsgan(Dcgan):
    """DCGAN with a least squares loss: gradients where D is confident.

    Mao et al. 2016, "Least squares generative adversarial networks", arXiv:1611.04076, with the targets 0 for
    fake, 1 for real and 1 for G.

    sparring train mnist --recipe lsgan
    """

    loss: StandardLoss = "least_squares"

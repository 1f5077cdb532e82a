"""The 2014 GAN in the smallest version of common tutorials."""

from __future__ import annotations

from dataclasses import dataclass

from sparring.recipes.base import Widths
from sparring.recipes.gan import Gan


@dataclass(frozen=True)
class GanLeaky(Gan):
    """The 2014 GAN with widths 128-256, leaky ReLU, no batch norm.

    Goodfellow et al. 2014, arXiv:1406.2661, in the smallest version of common tutorials.

    sparring train digits --recipe gan_leaky
    """

    G: Widths = (128, 256)
    norm: bool = False
    D: Widths = (256, 128)

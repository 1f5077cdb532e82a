"""The 2014 GAN with a sigmoid output."""

from __future__ import annotations

from dataclasses import dataclass

from sparring.nets import mlp
from sparring.recipes.base import Widths
from sparring.recipes.gan import Gan


@dataclass(frozen=True)
class GanSigmoid(Gan):
    """The 2014 GAN with two layers of 256, ReLU and a sigmoid.

    Goodfellow et al. 2014, arXiv:1406.2661, in another version of common tutorials. The sigmoid's range [0, 1] is the
    range of the pixels.

    sparring train digits --recipe gan_sigmoid
    """

    G: Widths = (256, 256)
    norm: bool = False
    activation: mlp.Activation = "relu"
    output: mlp.ImageOutput = "sigmoid"
    D: Widths = (256, 256)

"""The 2014 GAN with pictures that end in a sigmoid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sparring.recipes.base import Widths
from sparring.recipes.gan import Gan


@dataclass(frozen=True)
class GanSigmoid(Gan):
    """The 2014 GAN with two layers of 256, ReLU and a sigmoid.

    Goodfellow et al. 2014, arXiv:1406.2661, in another shape that tutorials use; the sigmoid's [0, 1] is the
    range of the pixels.

    sparring train digits --recipe gan_sigmoid
    """

    G: Widths = (256, 256)
    norm: bool = False
    activation: Literal["leaky", "relu"] = "relu"
    output: Literal["tanh", "sigmoid"] = "sigmoid"
    D: Widths = (256, 256)

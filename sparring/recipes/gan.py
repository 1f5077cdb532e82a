"""The first GAN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import nn

from sparring.modalities import Modality
from sparring.nets import mlp
from sparring.nets.discriminator import Discriminator
from sparring.recipes.base import POINTS_AND_IMAGES, OfPictures, Targeted, Widths, discriminator, generator


@dataclass(frozen=True)
class Gan(Targeted, OfPictures):
    """Fully connected G and D: the 2014 GAN as tutorials teach it.

    Goodfellow et al. 2014, "Generative adversarial nets", arXiv:1406.2661. The paper's G minimises the
    non-saturating loss; ``loss=minimax`` is the game of its theorem. The 256-512-1024 shape with batch norm is
    the one of the best known tutorials; `gan_leaky` and `gan_sigmoid` are two more.

    sparring train digits --recipe gan
    """

    takes: ClassVar[tuple[Modality, ...]] = POINTS_AND_IMAGES

    G: Widths = generator((256, 512, 1024), "widths of the hidden layers")
    norm: bool = generator(True, "batch norm after each hidden layer but the first")
    activation: Literal["leaky", "relu"] = generator("leaky", "of the hidden layers, in D too")
    output: Literal["tanh", "sigmoid"] = generator("tanh", "of pictures; points are unbounded")
    D: Widths = discriminator((512, 256), "widths of the hidden layers")

    def nets(self, modality: Modality) -> tuple[nn.Module, Discriminator]:
        classes = len(modality.classes)
        output: mlp.Output = self.output if modality.kind == "images" else "linear"
        return (
            mlp.Generator(self.z, modality.shape, self.G, self.norm, self.activation, output, classes),
            mlp.Discriminator(modality.shape, self.D, self.activation, classes),
        )

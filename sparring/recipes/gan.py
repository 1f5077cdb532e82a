"""The first GAN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from sparring.losses.adversarial import StandardLoss
from sparring.modalities import Images, Points
from sparring.nets import mlp
from sparring.nets.discriminator import Discriminator
from sparring.recipes.base import (
    Count,
    Decay,
    ImageRecipe,
    Positive,
    Share,
    StandardGan,
    Weight,
    Widths,
    discriminator,
    generator,
)


@dataclass(frozen=True)
class Gan(StandardGan[Points | Images], ImageRecipe[Points | Images]):
    """Fully connected G and D: the 2014 GAN as in most tutorials.

    Goodfellow et al. 2014, "Generative adversarial nets", arXiv:1406.2661. The paper trains G on the non-saturating
    loss; ``loss=minimax`` is the game of its theorem. The widths 256-512-1024 with batch norm are those of the best
    known tutorials; `gan_leaky` and `gan_sigmoid` are two other common versions.

    sparring train digits --recipe gan
    """

    takes: ClassVar[tuple[Points | Images, ...]] = (Points(), Images())

    # Generator
    z: Count = 100
    G: Widths = generator((256, 512, 1024), "widths of the hidden layers")
    norm: bool = generator(True, "batch norm after each hidden layer except the first")
    activation: mlp.Activation = generator("leaky", "activation of the hidden layers, in G and D")
    output: mlp.ImageOutput = generator("tanh", "activation of G's output for images; points are unbounded")
    # Discriminator
    D: Widths = discriminator((512, 256), "widths of the hidden layers")
    # Losses
    loss: StandardLoss = "non_saturating"
    smoothing: Share = 0.0
    # Optimization
    batch: Count = 64
    steps: Count = 20_000
    lr: Positive = 2e-4
    beta1: Decay = 0.5
    beta2: Decay = 0.999
    ema_kimg: Weight = 10.0
    ema_ramp: Share = 0.05

    def nets(self, modality: Points | Images) -> tuple[nn.Module, Discriminator]:
        condition = modality.condition
        output: mlp.Output = self.output if isinstance(modality, Images) else "linear"
        return (
            mlp.Generator(self.z, modality.shape, self.G, self.norm, self.activation, output, condition),
            mlp.Discriminator(modality.shape, self.D, self.activation, condition),
        )

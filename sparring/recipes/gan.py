"""The generative adversarial net of 2014."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from torch.optim import Adam

from sparring.games.gan import GAN
from sparring.losses import adversarial
from sparring.losses.adversarial import Plain
from sparring.modalities import Modality
from sparring.nets import mlp
from sparring.recipe import (
    POINTS_AND_IMAGES,
    Count,
    Decay,
    OfPictures,
    Phase,
    Positive,
    Share,
    Widths,
    discriminator,
    generator,
    losses,
    optimisation,
)


@dataclass(frozen=True)
class Gan(OfPictures):
    """Fully connected G and D, the game of the 2014 paper in the shape that tutorials teach.

    Goodfellow et al. 2014, "Generative adversarial nets", arXiv:1406.2661. The paper's G minimises
    the non-saturating loss; ``loss=minimax`` is the game of its theorem. The 256-512-1024 shape with
    batch norm is the one of the best known tutorials; `gan_leaky` and `gan_sigmoid` are two more.

    sparring train digits --recipe gan
    """

    takes: ClassVar[tuple[Modality, ...]] = POINTS_AND_IMAGES

    z: Count = generator(100, "length of the latent vector")
    G: Widths = generator((256, 512, 1024), "widths of the hidden layers")
    norm: bool = generator(True, "batch norm after each hidden layer but the first")
    activation: Literal["leaky", "relu"] = generator("leaky", "of the hidden layers, in D too")
    output: Literal["tanh", "sigmoid"] = generator("tanh", "of pictures; points are unbounded")
    D: Widths = discriminator((512, 256), "widths of the hidden layers")
    loss: Plain = losses("non_saturating", "what G and D minimise")
    smoothing: Share = losses(0.0, "how far below 1 the target of real samples is")
    lr: Positive = optimisation(2e-4, "learning rate of Adam, for G and D")
    beta1: Decay = optimisation(0.5, "Adam's decay of the first moment")
    beta2: Decay = optimisation(0.999, "Adam's decay of the second moment")

    def game(self, modality: Modality) -> GAN:
        classes = len(modality.classes)
        output: mlp.Output = self.output if modality.kind == "images" else "linear"
        return GAN(
            mlp.Generator(self.z, modality.shape, self.G, self.norm, self.activation, output, classes),
            mlp.Discriminator(modality.shape, self.D, self.activation, classes),
            loss=getattr(adversarial, self.loss)(self.smoothing),
            latents=self.z,
            classes=classes,
            views=self.views(modality),
        )

    def phases(self, game: GAN) -> list[Phase]:
        betas = (self.beta1, self.beta2)
        D = Adam(game.D.parameters(), self.lr, betas, fused=True)
        G = Adam(game.G.parameters(), self.lr, betas, fused=True)
        return [Phase(game.players(D, G))]

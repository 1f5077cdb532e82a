"""Deep convolutional GAN."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from torch.optim import Adam

from sparring.games.gan import GAN, Term
from sparring.losses import adversarial
from sparring.losses.adversarial import AdversarialLoss, Plain
from sparring.modalities import Modality
from sparring.nets import dcgan
from sparring.recipe import (
    Count,
    Decay,
    OfPictures,
    Phase,
    Positive,
    Share,
    discriminator,
    generator,
    losses,
    optimisation,
)


@dataclass(frozen=True)
class Strided(OfPictures):
    """What the systems on DCGAN's nets have in common; they differ by loss and optimisation."""

    z: Count = generator(100, "length of the latent vector")
    width: Count = generator(64, "channels of the layer next to the picture, in D too")
    norm: dcgan.Norm = discriminator("batch", "after each hidden layer but the first")

    @abstractmethod
    def adversary(self) -> AdversarialLoss:
        """What G and D minimise."""

    def terms(self) -> Sequence[Term]:
        """Extra terms of D's loss."""
        return ()

    def game(self, modality: Modality) -> GAN:
        channels, size, _ = modality.shape
        classes = len(modality.classes)
        return GAN(
            dcgan.Generator(self.z, size, channels, self.width, classes),
            dcgan.Discriminator(size, channels, self.width, self.norm, classes),
            loss=self.adversary(),
            latents=self.z,
            classes=classes,
            terms=self.terms(),
            views=self.views(modality),
        )


@dataclass(frozen=True)
class Dcgan(Strided):
    """Strided convolutions with batch norm in G and in D: the first GAN that pictures took to.

    Radford et al. 2015, "Unsupervised representation learning with deep convolutional generative
    adversarial networks", arXiv:1511.06434. The paper's width is 128 for 64 pixels, with kernels of
    5 x 5; those of 4 x 4, as in the authors' later code, leave less of a checkerboard.

    sparring train mnist --recipe dcgan
    """

    batch: Count = 128
    loss: Plain = losses("non_saturating", "what G and D minimise")
    smoothing: Share = losses(0.0, "how far below 1 the target of real samples is")
    lr: Positive = optimisation(2e-4, "learning rate of Adam, for G and D")
    beta1: Decay = optimisation(0.5, "Adam's decay of the first moment")
    beta2: Decay = optimisation(0.999, "Adam's decay of the second moment")

    def adversary(self) -> AdversarialLoss:
        loss: AdversarialLoss = getattr(adversarial, self.loss)(self.smoothing)
        return loss

    def phases(self, game: GAN) -> list[Phase]:
        betas = (self.beta1, self.beta2)
        D = Adam(game.D.parameters(), self.lr, betas, fused=True)
        G = Adam(game.G.parameters(), self.lr, betas, fused=True)
        return [Phase(game.players(D, G))]

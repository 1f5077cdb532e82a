"""StyleGAN2."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from torch import nn
from torch.optim import Adam

from sparring.games.gan import GAN
from sparring.games.stylegan import PathLength, StyleGAN
from sparring.games.terms import R1, Term
from sparring.losses.adversarial import AdversarialLoss, non_saturating
from sparring.modalities import Modality
from sparring.nets import stylegan2
from sparring.nets.discriminator import Discriminator
from sparring.recipes.base import (
    Adversarial,
    Count,
    OfPictures,
    Phase,
    Positive,
    Weight,
    generator,
    losses,
    optimisation,
)

SIDE = 1024  # pixels for which the paper's gamma is meant


@dataclass(frozen=True)
class Stylegan2(Adversarial, OfPictures):
    """Styles modulate every convolution: mixing and truncation.

    Karras et al. 2019, "Analyzing and improving the image quality of StyleGAN", arXiv:1912.04958, in plain
    PyTorch. Config F has z=512 base=32768 most=512 batch=32 for 1024 pixels. R1's weight is for the pictures'
    size as in Karras et al. 2020, arXiv:2006.06676. `--truncation 0.7` draws styles nearer to the mean. A
    mapping network turns latents into styles; coarse and fine ones can be mixed, and their mean gives typical
    samples.

    sparring train photos/ --recipe stylegan2
    """

    batch: Count = 32
    z: Count = 128
    base: Count = generator(2048, "channels at a resolution are this by its pixels, in D too,")
    most: Count = generator(128, "and at most so many")
    depth: Count = generator(8, "layers of the mapping network")
    gamma: Weight = losses(10.0, "weight of R1, for pictures of 1024 pixels in batches of 32")
    R1_every: Count = losses(16, "steps between those in which D minimises R1")
    path_length: Weight = losses(2.0, "weight of the path lengths' deviation, gamma_pl")
    path_every: Count = losses(4, "steps between those in which G minimises it")
    lr: Positive = optimisation(2e-3, "learning rate of Adam, for G and D")

    def adversary(self) -> AdversarialLoss:
        return non_saturating()

    def nets(self, modality: Modality) -> tuple[stylegan2.Generator, Discriminator]:
        channels, size, _ = modality.shape
        classes = len(modality.classes)
        G = stylegan2.Generator(self.z, size, channels, self.base, self.most, self.depth, classes)
        return G, stylegan2.Discriminator(size, channels, self.base, self.most, classes)

    def terms(self, modality: Modality, G: nn.Module, D: Discriminator) -> Sequence[Term]:  # noqa: ARG002
        assert isinstance(G, stylegan2.Generator)
        gamma = self.gamma * (modality.shape[-1] / SIDE) ** 2 * 32 / self.batch
        lengths = [PathLength(G, self.path_length, self.path_every)] if self.path_length else []
        return [R1(gamma, self.R1_every), *lengths]

    def rules(self, modality: Modality) -> Callable[..., GAN]:  # noqa: ARG002
        return StyleGAN

    def phases(self, game: GAN) -> list[Phase]:
        D, G = (self._adam(every) for every in (self.R1_every, self.path_every if self.path_length else 1))
        return [Phase(game.players(D, G))]

    def _adam(self, every: int) -> partial[Adam]:
        """An Adam that takes as much notice of a time as one without lazy terms (the paper's appendix B)."""
        c = every / (every + 1) if every > 1 else 1.0
        return partial(Adam, lr=self.lr * c, betas=(0.0, 0.99**c), fused=True)

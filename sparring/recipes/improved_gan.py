"""The techniques of "Improved techniques for training GANs"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from sparring.games.terms import History, Matching, Term
from sparring.layers.minibatch import Comparing
from sparring.modalities import Modality
from sparring.nets.discriminator import Discriminator
from sparring.recipes.base import Count, Light, Natural, Share, Weight, discriminator, losses


@dataclass(frozen=True)
class ImprovedGan(Light):
    """Matched features, minibatch discrimination, history, smoothing.

    Salimans et al. 2016, "Improved techniques for training GANs", arXiv:1606.03498, section 3, on DCGAN's nets.
    Each has a field, and is off at 0. In the paper features are matched in place of G's adversarial loss, here
    beside it; virtual batch normalisation is left out.

    sparring train mnist --recipe improved_gan
    """

    smoothing: Share = 0.1
    kernels: Natural = discriminator(32, "projections in which D compares the samples of a batch, B")
    kernel: Count = discriminator(8, "numbers that a projection has, C")
    matching: Weight = losses(0.1, "weight of the distance between the mean features, in G's loss")
    history: Weight = losses(1e-4, "weight of the distance of weights from their own mean over time")

    def nets(self, modality: Modality) -> tuple[nn.Module, Discriminator]:
        G, D = super().nets(modality)
        if self.kernels:
            D.head = Comparing(D.length, self.kernels, self.kernel, len(modality.classes))
        return G, D

    def terms(self, modality: Modality, G: nn.Module, D: Discriminator) -> Sequence[Term]:  # noqa: ARG002
        matched = [Matching(self.matching)] if self.matching else []
        past = [History("D", D, self.history), History("G", G, self.history)] if self.history else []
        return [*matched, *past]

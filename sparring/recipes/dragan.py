"""DRAGAN."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from sparring.games.terms import Dragan as Penalty
from sparring.games.terms import Term
from sparring.modalities import Modality
from sparring.nets import dcgan
from sparring.nets.discriminator import Discriminator
from sparring.recipes.base import Light, Weight, alone, losses


@dataclass(frozen=True)
class Dragan(Light):
    """The first GAN's loss, with D's slope held around real samples.

    Kodali et al. 2017, "On convergence and stability of GANs", arXiv:1705.07215, on DCGAN's nets; layer norm in
    D, since the penalty is each sample's own.

    sparring train mnist --recipe dragan
    """

    norm: dcgan.Norm = "layer"
    penalty: Weight = losses(10.0, "weight of the gradient penalty, lambda")

    def check(self) -> None:
        super().check()
        alone(self.norm)

    def terms(self, modality: Modality, G: nn.Module, D: Discriminator) -> Sequence[Term]:  # noqa: ARG002
        return [Penalty(self.penalty)]

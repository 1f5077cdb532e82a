"""DRAGAN."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from sparring.games.terms import Dragan as Penalty
from sparring.games.terms import Term
from sparring.losses.adversarial import StandardLoss
from sparring.modalities import Images
from sparring.nets import dcgan
from sparring.nets.discriminator import Discriminator
from sparring.recipes.base import (
    Count,
    DcganNets,
    Decay,
    Positive,
    Share,
    StandardGan,
    Weight,
    losses,
    refuse_batch_norm,
)


@dataclass(frozen=True)
class Dragan(StandardGan[Images], DcganNets[Images]):
    """The first GAN's loss with a gradient penalty around real samples.

    Kodali et al. 2017, "On convergence and stability of GANs", arXiv:1705.07215, on DCGAN's nets. D has layer norm,
    because the penalty is defined per sample.

    sparring train mnist --recipe dragan
    """

    bf16: ClassVar[tuple[str, ...]] = ("images",)

    # Generator
    z: Count = 100
    width: Count = 32
    # Discriminator
    norm: dcgan.Norm = "layer"
    # Losses
    loss: StandardLoss = "non_saturating"
    smoothing: Share = 0.0
    penalty: Weight = losses(10.0, "weight of the gradient penalty, lambda")
    # Optimization
    batch: Count = 64
    steps: Count = 20_000
    lr: Positive = 1e-3
    beta1: Decay = 0.5
    beta2: Decay = 0.999
    ema_kimg: Weight = 10.0
    ema_ramp: Share = 0.05

    def check(self) -> None:
        super().check()
        refuse_batch_norm(self.norm)

    def terms(self, modality: Images, G: nn.Module, D: Discriminator) -> Sequence[Term]:  # noqa: ARG002
        return [Penalty(self.penalty)]

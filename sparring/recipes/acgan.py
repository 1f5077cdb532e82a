"""Auxiliary classifier GAN."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from sparring.errors import InputError
from sparring.games.terms import Classified, Term
from sparring.layers.condition import places
from sparring.losses.adversarial import StandardLoss
from sparring.modalities import Images
from sparring.nets import dcgan
from sparring.nets.discriminator import Discriminator
from sparring.recipes.base import Count, DcganNets, Decay, Positive, Share, StandardGan, Weight, losses


@dataclass(frozen=True)
class Acgan(StandardGan[Images], DcganNets[Images]):
    """D also classifies; G generates samples of the requested class.

    Odena et al. 2016, "Conditional image synthesis with auxiliary classifier GANs", arXiv:1610.09585, on
    DCGAN's nets, without the paper's dropout. G may favor samples that are easy to classify over the variety of a
    class: check the class diversity. On data without labels it is equal to dcgan.

    sparring train fashion-mnist --recipe acgan
    """

    bf16: ClassVar[tuple[str, ...]] = ("images",)
    label_in_discriminator: ClassVar[bool] = False

    # Generator
    z: Count = 100
    width: Count = 32
    # Discriminator
    norm: dcgan.Norm = "batch"
    # Losses
    loss: StandardLoss = "non_saturating"
    smoothing: Share = 0.0
    classify: Weight = losses(1.0, "weight of the cross-entropy of the class, in the losses of D and G")
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
        if not self.classify:
            raise InputError("classify=0 trains nothing on the labels; use recipe dcgan with labels=false")

    def terms(self, modality: Images, G: nn.Module, D: Discriminator) -> Sequence[Term]:  # noqa: ARG002
        condition = modality.condition
        return [Classified(nn.Linear(D.length, places(condition)), condition, self.classify)] if condition else []

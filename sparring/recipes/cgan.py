"""Conditional GAN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from sparring.losses.adversarial import StandardLoss
from sparring.modalities import Images
from sparring.nets import dcgan
from sparring.nets.discriminator import Discriminator
from sparring.nets.packed import Packed
from sparring.recipes.base import Count, DcganNets, Decay, Positive, Share, StandardGan, Weight


@dataclass(frozen=True)
class Cgan(StandardGan[Images], DcganNets[Images]):
    """G and D both receive the label: samples by class.

    Mirza and Osindero 2014, "Conditional generative adversarial nets", arXiv:1411.1784, on DCGAN's nets. The label
    is a learned embedding: appended to the latent vector in G, an additional channel of the image in D. On data
    without labels it is equal to dcgan.

    sparring train fashion-mnist --recipe cgan
    """

    bf16: ClassVar[tuple[str, ...]] = ("images",)

    # Generator
    z: Count = 100
    width: Count = 32
    # Discriminator
    norm: dcgan.Norm = "batch"
    # Losses
    loss: StandardLoss = "non_saturating"
    smoothing: Share = 0.0
    # Optimization
    batch: Count = 64
    steps: Count = 20_000
    lr: Positive = 1e-3
    beta1: Decay = 0.5
    beta2: Decay = 0.999
    ema_kimg: Weight = 10.0
    ema_ramp: Share = 0.05

    def nets(self, modality: Images) -> tuple[nn.Module, Discriminator]:
        G, _ = super().nets(modality)
        return G, Packed(self.build_discriminator, modality.shape, condition=modality.condition)

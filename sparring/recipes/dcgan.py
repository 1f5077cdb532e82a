"""Deep convolutional GAN."""

from __future__ import annotations

from dataclasses import dataclass

from sparring.losses.adversarial import StandardLoss
from sparring.modalities import Images
from sparring.nets import dcgan
from sparring.recipes.base import Count, DcganNets, Decay, Positive, Share, StandardGan, Weight


@dataclass(frozen=True)
class Dcgan(StandardGan[Images], DcganNets[Images]):
    """Strided convolutions with batch norm: the first GAN for images.

    Radford et al. 2015, "Unsupervised representation learning with deep convolutional generative adversarial
    networks", arXiv:1511.06434. The paper's width is 128 for 64 pixels, with kernels of 5 x 5. Kernels of 4 x 4, as in
    the authors' later code, cause weaker checkerboard patterns.

    sparring train mnist --recipe dcgan
    """

    # Generator
    z: Count = 100
    width: Count = 64
    # Discriminator
    norm: dcgan.Norm = "batch"
    # Losses
    loss: StandardLoss = "non_saturating"
    smoothing: Share = 0.0
    # Optimization
    batch: Count = 128
    steps: Count = 20_000
    lr: Positive = 2e-4
    beta1: Decay = 0.5
    beta2: Decay = 0.999
    ema_kimg: Weight = 10.0
    ema_ramp: Share = 0.05

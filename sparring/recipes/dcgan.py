"""Deep convolutional GAN."""

from __future__ import annotations

from dataclasses import dataclass

from sparring.recipes.base import Count, Strided, Targeted


@dataclass(frozen=True)
class Dcgan(Targeted, Strided):
    """Strided convolutions with batch norm: the first GAN for pictures.

    Radford et al. 2015, "Unsupervised representation learning with deep convolutional generative adversarial
    networks", arXiv:1511.06434. The paper's width is 128 for 64 pixels, with kernels of 5 x 5; those of 4 x 4,
    as in the authors' later code, leave less of a checkerboard.

    sparring train mnist --recipe dcgan
    """

    batch: Count = 128

"""Enhancement of low-dose images."""

from __future__ import annotations

from dataclasses import dataclass

from sparring.recipes.base import Words
from sparring.recipes.denoise import Denoise


@dataclass(frozen=True)
class Enhance(Denoise):
    """Turns low-dose images, such as scans, into full-dose ones.

    As `denoise`, for the noise of photon counts. The best known system of this type is Yang et al. 2017, "Low dose CT
    image denoising using a generative adversarial network with Wasserstein distance and perceptual loss",
    arXiv:1708.00961. The output is plausible, not measured: docs/restoring.md shows the cost for a diagnosis.

    sparring train scans/ --recipe enhance degrade=dose0.05-0.2
    """

    degrade: Words = ("dose0.05-0.2",)

"""Pictures of low dose are made like those of full dose."""

from __future__ import annotations

from dataclasses import dataclass

from sparring.recipes.base import Words
from sparring.recipes.denoise import Denoise


@dataclass(frozen=True)
class Enhance(Denoise):
    """Pictures of low dose, such as scans, made like those of full dose.

    As `denoise`, for the noise of counted photons: Yang et al. 2017, "Low dose CT image denoising using a generative
    adversarial network with Wasserstein distance and perceptual loss", arXiv:1708.00961, is the best known of the
    kind. What it makes is likely, not measured: see in docs/restoring.md what it costs a diagnosis.

    sparring train scans/ --recipe enhance degrade=dose0.05-0.2
    """

    degrade: Words = ("dose0.05-0.2",)

"""Restoration of sounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sparring.layers.degrade.sounds import parse
from sparring.modalities import DegradedAudio
from sparring.recipes.base import (
    AudioRestorationRecipe,
    Count,
    Decay,
    Natural,
    Positive,
    Share,
    Weight,
    Words,
    data,
)


@dataclass(frozen=True)
class AudioDenoise(AudioRestorationRecipe[DegradedAudio]):
    """Removes noise, reverberation or clipping; widens the band.

    The net estimates a complex mask of the short-time Fourier transform (Williamson et al. 2016,
    doi:10.1109/TASLP.2015.2512042) and adds coefficients of its own. It learns from clean sounds, which are degraded
    anew for every batch: `degrade=recorded0-15 noises=street/`, `degrade=resample4000-8000`,
    `degrade=room0.2-0.8,colored10-30`. The loss is that of compressed spectra (Braun and Tashev 2020, arXiv:2009.12286)
    and of mel spectrograms, then that of D too.

    sparring train clean/ --recipe audio_denoise degrade=colored0-15
    """

    takes: ClassVar[tuple[DegradedAudio, ...]] = (DegradedAudio(),)
    path_fields: ClassVar[tuple[str, ...]] = ("noises",)

    # Data
    degrade: Words = data(
        ("colored0-15",),
        "degradation of the clean sounds: noise5-15, recorded0-10, lowpass3000, resample8000, clip6, room0.4, mpeg16",
        sets="degrade",
    )
    noises: str = data("", "folder or archive of recordings of noise, for recorded", sets="noises")
    rate: Natural = 0
    seconds: Weight = 0.0
    frame: Natural = 0
    hop: Natural = 0
    # Generator
    width: Count = 128
    depth: Count = 6
    adds: bool = True
    # Discriminator
    D: Count = 8
    # Losses
    spectrum: Weight = 100.0
    mel: Weight = 10.0
    matching: Weight = 2.0
    adversarial: Positive = 0.5
    # Optimization
    batch: Count = 16
    steps: Count = 20_000
    alone: Share = 0.5
    lr: Positive = 1e-3
    beta1: Decay = 0.8
    beta2: Decay = 0.99
    ema_kimg: Weight = 10.0
    ema_ramp: Share = 0.05

    def check(self) -> None:
        super().check()
        parse(self.degrade, 0)

"""Restoration of sounds from pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sparring.modalities import PairedAudio
from sparring.recipes.base import (
    AudioRestorationRecipe,
    Count,
    Decay,
    Natural,
    Positive,
    Share,
    Weight,
)


@dataclass(frozen=True)
class AudioPairs(AudioRestorationRecipe[PairedAudio]):
    """Learns from pairs of sounds how to change one into the other.

    The nets and losses of `audio_denoise` (Williamson et al. 2016, doi:10.1109/TASLP.2015.2512042; Braun and Tashev
    2020, arXiv:2009.12286). Both sounds of a pair must run in parallel. Give two folders with files of the same names:
    input/ and target/.

    sparring train pairs/ --recipe audio_pairs
    """

    takes: ClassVar[tuple[PairedAudio, ...]] = (PairedAudio(),)

    # Data
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

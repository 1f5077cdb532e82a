"""Our vocoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sparring.modalities import Vocoded
from sparring.nets.signal_to_signal import SignalToSignal
from sparring.nets.vocos import Vocos
from sparring.recipes.base import (
    AudioTranslationRecipe,
    Count,
    Decay,
    Natural,
    Positive,
    Share,
    Weight,
    data,
    generator,
)


@dataclass(frozen=True)
class Vocoder(AudioTranslationRecipe[Vocoded]):
    """Makes waveforms of log-mel spectrograms.

    Siuzdak 2023, "Vocos: closing the gap between time-domain and Fourier-based neural vocoders for high-quality audio
    synthesis", arXiv:2306.00814, at a size that trains on a CPU: a ConvNeXt of a quarter of the paper's width, and thin
    discriminators by period and by resolution. The distance of mel spectrograms is taken at several resolutions, as in
    Kumar et al. 2023, arXiv:2306.06546. The paper's nets are width=512, D=32. `sparring apply` takes sounds, which it
    turns into spectrograms first.

    sparring train fsdd --recipe vocoder --time 20m mels=20
    """

    takes: ClassVar[tuple[Vocoded, ...]] = (Vocoded(),)

    # Data
    rate: Natural = 0
    seconds: Weight = 0.0
    frame: Natural = 0
    hop: Natural = 0
    mels: Natural = data(0, "bands of the spectrograms; 0: 80, or 40 below 12 kHz", sets="mels")
    # Generator
    width: Count = generator(128, "channels of every layer")
    depth: Count = generator(8, "ConvNeXt blocks")
    # Discriminator
    D: Count = 8
    # Losses
    mel: Weight = 45.0
    matching: Weight = 2.0
    adversarial: Positive = 1.0
    # Optimization
    batch: Count = 16
    steps: Count = 20_000
    alone: Share = 0.5
    lr: Positive = 1e-3
    beta1: Decay = 0.8
    beta2: Decay = 0.99
    ema_kimg: Weight = 10.0
    ema_ramp: Share = 0.05

    def build_generator(self, modality: Vocoded) -> SignalToSignal:
        return Vocos(modality.mels, modality.stft, self.width, self.depth)

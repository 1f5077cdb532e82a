"""HiFi-GAN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sparring.errors import InputError
from sparring.layers.stft import LOG_FLOOR, Bands
from sparring.losses.adversarial import AdversarialLoss, least_squares
from sparring.modalities import Vocoded
from sparring.nets import hifigan
from sparring.nets.signal_to_signal import SignalToSignal
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
class HifiGan(AudioTranslationRecipe[Vocoded]):
    """A vocoder that upsamples spectrograms stage by stage.

    Kong et al. 2020, "HiFi-GAN: generative adversarial networks for efficient and high fidelity speech synthesis",
    arXiv:2010.05646, generator V3; version=V1 width=512 is the paper's V1, and version=V1 width=128 its V2. Strides
    follow the hop: 8, 8, 4 for 256 samples as in the paper. D is the one of `vocoder`, since the paper's takes 11 GFLOP
    for a second of sound; D=32 is as wide as its. The distance of mel spectrograms is taken at several resolutions
    instead of one.

    sparring train fsdd --recipe hifigan mels=20
    """

    takes: ClassVar[tuple[Vocoded, ...]] = (Vocoded(),)

    # Data
    rate: Natural = 0
    seconds: Weight = 0.0
    frame: Natural = 0
    hop: Natural = 0
    mels: Natural = data(0, "bands of the spectrograms; 0: 80, or 40 below 12 kHz", sets="mels")
    bands: Bands = data("mean", "what a band is: a mean magnitude, or an area as in the authors' code", sets="bands")
    high: Weight = data(0.0, "upper end of the bands in Hz; 0: half the rate", sets="high")
    # Generator
    version: hifigan.Version = generator("V3", "the paper's V1 or V3")
    width: Count = generator(256, "channels of the first layer")
    # Discriminator
    D: Count = 8
    # Losses
    mel: Weight = 45.0
    matching: Weight = 2.0
    adversarial: Positive = 1.0
    # Optimization
    batch: Count = 16
    steps: Count = 20_000
    alone: Share = 0.0
    lr: Positive = 2e-4
    beta1: Decay = 0.8
    beta2: Decay = 0.99
    ema_kimg: Weight = 10.0
    ema_ramp: Share = 0.05

    def build_generator(self, modality: Vocoded) -> SignalToSignal:
        try:
            outside = 0.0 if self.bands == "area" else LOG_FLOOR
            return hifigan.HifiGan(modality.mels, modality.hop, self.width, self.version, outside)
        except ValueError as error:
            raise InputError(f"hop={modality.hop} does not fit HiFi-GAN: {error}") from error

    def adversarial_loss(self) -> AdversarialLoss:
        return least_squares()

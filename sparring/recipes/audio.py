"""Our recipe for sounds."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from sparring.games.views import Changed, View
from sparring.modalities import Audio
from sparring.nets import spectral
from sparring.nets.discriminator import Discriminator
from sparring.recipes.base import (
    AudioRecipe,
    Count,
    Decay,
    Fraction,
    Natural,
    Positive,
    RelativisticGan,
    Share,
    Weight,
    generator,
)


@dataclass(frozen=True)
class AudioGan(RelativisticGan[Audio], AudioRecipe):
    """Complex spectra of sounds: the default for sounds.

    G ends in an inverse Fourier transform, and D sees the complex spectrum of the waveform, so that phases are learned
    and no vocoder is needed. The loss is R3GAN's (Huang et al. 2024, arXiv:2501.05441) on strided convolutions.
    docs/audio.md shows its results next to those of WaveGAN and SpecGAN.

    sparring train drums --time 20m
    """

    # Generator
    z: Count = 64
    frame: Natural = generator(0, "samples of a frame of the transform, a power of two; 0: about 32 ms")
    width: Count = generator(32, "channels of the layer next to the spectrum, in G and D")
    most: Count = generator(256, "channels of a layer at most")
    # Losses
    gamma: Weight = 1.0
    gamma_end: Weight = 0.1
    # Optimization
    batch: Count = 16
    steps: Count = 20_000
    lr: Positive = 1e-3
    lr_end: Positive = 1e-4
    beta1: Decay = 0.0
    beta2: Decay = 0.9
    beta2_end: Decay = 0.99
    burn_in: Fraction = 1.0
    lazy: Count = 8
    ema_kimg: Weight = 10.0
    ema_ramp: Share = 0.05

    def _spectra(self, modality: Audio) -> spectral.Spectra:
        channels, length = modality.shape
        return spectral.Spectra(channels, length, self.frame or modality.frame)

    def nets(self, modality: Audio) -> tuple[nn.Module, Discriminator]:
        spectra = self._spectra(modality)
        G = spectral.Generator(self.z, spectra, self.width, self.most, modality.condition)
        return G, spectral.Discriminator(spectra, self.width, self.most, modality.condition)

    def views(self, modality: Audio) -> list[View]:
        turned = spectral.TurnedSpectra(self._spectra(modality))
        return [Changed(turned, turned.spectra.of), *super().views(modality)]

"""Recipes that restore sounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sparring.games.audio_terms import Spectrum
from sparring.games.terms import Term
from sparring.nets.masking import MaskNet
from sparring.nets.signal_to_signal import SignalToSignal
from sparring.recipes.base.audio_translation import AudioTranslationRecipe, T
from sparring.recipes.base.fields import Count, Weight, generator, losses


@dataclass(frozen=True)
class AudioRestorationRecipe(AudioTranslationRecipe[T]):
    """A complex mask of the spectrum, and coefficients of the net's own where a mask has nothing to multiply."""

    width: Count = generator(128, "channels of every layer")
    depth: Count = generator(6, "ConvNeXt blocks")
    adds: bool = generator(True, "add generated coefficients to the masked ones, which an empty band needs")
    spectrum: Weight = losses(100.0, "weight of the distance of compressed spectra, complex and by magnitude")

    def build_generator(self, modality: T) -> SignalToSignal:
        return MaskNet(modality.stft, self.width, self.depth, self.adds)

    def distances(self, modality: T, scale: float) -> Sequence[Term]:
        spectrum = [Spectrum(self.spectrum * scale, modality.stft)] if self.spectrum else []
        return [*super().distances(modality, scale), *spectrum]

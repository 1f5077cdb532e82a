"""Sounds that are generated from given ones: degraded, paired, or spectrograms of themselves."""

from sparring.modalities.audio_translation.degraded import DegradedAudio
from sparring.modalities.audio_translation.paired import PairedAudio
from sparring.modalities.audio_translation.translation import AudioTranslation
from sparring.modalities.audio_translation.vocoded import Vocoded

__all__ = ["AudioTranslation", "DegradedAudio", "PairedAudio", "Vocoded"]

KINDS = (DegradedAudio, PairedAudio, Vocoded)

"""Sounds of one rate and one length: one-shots, spoken words, any recordings."""

from sparring.modalities.audio.audio import Audio

__all__ = ["Audio"]

KINDS = (Audio,)

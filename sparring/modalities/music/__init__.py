"""Music: scores of several voices, and piano rolls."""

from sparring.modalities.music.rolls import Rolls
from sparring.modalities.music.voices import Music

__all__ = ["Music", "Rolls"]

KINDS = (Music, Rolls)

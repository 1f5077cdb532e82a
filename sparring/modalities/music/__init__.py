"""Music: scores of several voices, and piano rolls."""

from sparring.modalities.music.voices import Music

__all__ = ["Music"]

KINDS = (Music,)

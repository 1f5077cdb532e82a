"""What a set of images contains, and what is wrong with it, before anything is trained on it."""

from sparring.modalities.images.check.survey import survey

__all__ = ["survey"]

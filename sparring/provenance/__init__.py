"""Marks of generated files: what they say, where they are written, and how they are found again."""

from sparring.provenance.mark import Mark
from sparring.provenance.marker import VARIABLE, Marker, find
from sparring.provenance.whose import whose

__all__ = ["VARIABLE", "Mark", "Marker", "find", "whose"]

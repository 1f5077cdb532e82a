"""Vectors of real numbers."""

from sparring.modalities.points.points import Points

__all__ = ["Points"]

KINDS = (Points,)

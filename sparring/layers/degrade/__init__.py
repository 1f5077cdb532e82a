"""Degradations of clean images, for training restoration."""

from sparring.layers.degrade.chain import Chain, parse

__all__ = ["Chain", "parse"]

"""What spoils clean pictures, so that a net can learn to restore them."""

from sparring.layers.degrade.chain import Chain, parse

__all__ = ["Chain", "parse"]

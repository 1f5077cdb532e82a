"""Square images of one size."""

from sparring.modalities.images.images import Images

__all__ = ["Images"]

KINDS = (Images,)

"""Data as they are found, what of them is held out, and endless seeded batches of them."""

from sparring.data.items import Items

__all__ = ["Items"]

"""Where data come from: named sets, folders and files, and endless seeded batches of them."""

from sparring.data.items import Items
from sparring.data.sets import find

__all__ = ["Items", "find"]

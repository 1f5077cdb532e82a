"""Which molecules a model was trained on, in a few bits each, so that copies are known without the training data."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BITS_PER_ITEM = 12
HASHES = 8  # bits that are set for an item; with 12 bits per item, 0.3% of other items are taken for members


@dataclass(frozen=True)
class Members:
    """A Bloom filter (Bloom 1970, doi:10.1145/362686.362692). Every member is recognized; a few others are taken for
    members too.

    Attributes:
        bits: packed, eight in each byte.
    """

    bits: NDArray[np.uint8]

    @classmethod
    def of(cls, items: Sequence[str]) -> Members:
        """The filter of some texts."""
        size = 8 * max(1, -(-BITS_PER_ITEM * len(items) // 8))
        found = np.zeros(size, bool)
        for item in items:
            found[_places(item, size)] = True
        return cls(np.packbits(found))

    @classmethod
    def from_text(cls, text: str) -> Members:
        """The filter that `as_text` wrote.

        Raises:
            ValueError: if the text is damaged.
        """
        bits = np.frombuffer(base64.b64decode(text, validate=True), np.uint8)
        if not len(bits):
            raise ValueError("it is empty")
        return cls(bits)

    def as_text(self) -> str:
        return base64.b64encode(self.bits.tobytes()).decode()

    def contain(self, items: Iterable[str]) -> NDArray[np.bool_]:
        """True for members, and for 0.3% of others, (n,)."""
        size = 8 * len(self.bits)
        places = np.array([_places(item, size) for item in items], np.int64).reshape(-1, HASHES)
        known = (self.bits[places // 8] >> (7 - places % 8)) & 1
        every: NDArray[np.bool_] = known.min(1, initial=1) == 1
        return every


def _places(item: str, size: int) -> NDArray[np.int64]:
    """Bits of an item: multiples of one hash, added to another."""
    digest = hashlib.blake2b(item.encode(), digest_size=16).digest()
    start, step = (int.from_bytes(digest[i : i + 8], "little") % size for i in (0, 8))
    return (start + np.arange(HASHES) * (step | 1)) % size

"""A checksum that identifies a data set, whatever its name."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from torch import Tensor

from sparring.data.items import Items
from sparring.data.store import Stored

MAX_HASHED_BYTES = 2**26  # spread over all of the data
NAMES = {"values": "real", "condition": "label"}  # as Sparring 0.1 called them, so that its runs can be resumed


def fingerprint(items: Items, tensors: Mapping[str, Tensor | Stored]) -> str:
    """A checksum of the tensors; of evenly spaced rows where they are large."""
    digest = hashlib.blake2b(digest_size=8)
    for name in sorted(tensors, key=lambda name: NAMES.get(name, name)):
        stored = tensors[name]
        tensor = stored if isinstance(stored, Tensor) else stored.map()[1]
        every = 1 + tensor.nbytes // MAX_HASHED_BYTES
        digest.update(f"{NAMES.get(name, name)} {tuple(tensor.shape)}".encode())
        digest.update(tensor[::every].contiguous().numpy().tobytes())
    return f"{items.kind}-{len(items)}-{digest.hexdigest()}"

"""What tells one data set from another, whatever its name."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from torch import Tensor

from sparring.data.items import Items
from sparring.data.store import Stored

HASHED = 2**26  # bytes of the data that tell them from others, spread over all


def fingerprint(items: Items, tensors: Mapping[str, Tensor | Stored]) -> str:
    """A checksum of the tensors, of some of their rows where they are large."""
    digest = hashlib.blake2b(digest_size=8)
    for name in sorted(tensors):
        stored = tensors[name]
        tensor = stored if isinstance(stored, Tensor) else stored.map()[1]
        every = 1 + tensor.nbytes // HASHED
        digest.update(f"{name} {tuple(tensor.shape)}".encode())
        digest.update(tensor[::every].contiguous().numpy().tobytes())
    return f"{items.kind}-{len(items)}-{digest.hexdigest()}"

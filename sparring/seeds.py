"""Randomness as a function of position.

Every random draw of a run comes from a generator that has just been seeded with a key: the run's
seed and the place where the draw stands (which player, which step, which shard). So nothing has to
be saved to resume a run exactly, and whoever watches it cannot change it.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

_DRAWING = threading.RLock()  # held by the thread that draws: PyTorch's generators are the whole process's


@dataclass(frozen=True)
class Seeds:
    """The root of a run's randomness.

    Attributes:
        seed: what the user gave, and whose draws these are where there are several.
        salt: counts rollbacks; another salt is another fate from the same weights.
    """

    seed: int | str = 0
    salt: int = 0

    def of(self, name: str) -> Seeds:
        """Other seeds, for draws that have nothing to do with these."""
        return Seeds(f"{self.seed} {name}", self.salt)

    def key(self, *place: str | int) -> int:
        """A 63-bit key for a place, equal on every machine and in every process."""
        text = repr((self.seed, self.salt, *place)).encode()
        return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") >> 1


def reseed(key: int, device: torch.device) -> None:
    """Seed the generators that code on `device` draws from; no host synchronisation."""
    torch.default_generator.manual_seed(key)
    if device.type == "cuda":
        index = torch.cuda.current_device() if device.index is None else device.index
        torch.cuda.default_generators[index].manual_seed(key)
    elif device.type == "mps":
        torch.mps.manual_seed(key)


@contextmanager
def seeded(key: int, device: torch.device) -> Iterator[None]:
    """The generators of a device seeded for a while, and as they were after it. Other threads that want to draw so
    wait: without that, one would seed the generator between another's seeding and its draw.
    """
    with _DRAWING, torch.random.fork_rng([device] if device.type == "cuda" else []):
        reseed(key, device)
        yield

"""Randomness as a function of position.

Before every random draw of a run, the generator is seeded with a key: the run's seed and the position of the draw
(player, step, shard). Therefore no generator state has to be saved to resume a run exactly, and code that observes the
run cannot change it.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

_LOCK = threading.RLock()  # held by the thread that draws: PyTorch's generators are shared by the whole process


@dataclass(frozen=True)
class Seeds:
    """The root of a run's randomness.

    Attributes:
        seed: given by the user, followed by the names of derived streams.
        salt: number of rollbacks; with another salt, training continues differently from the same weights.
    """

    seed: int | str = 0
    salt: int = 0

    def of(self, name: str) -> Seeds:
        """The seeds of an independent stream of draws."""
        return Seeds(f"{self.seed} {name}", self.salt)

    def key(self, *place: str | int) -> int:
        """A 63-bit key of a position, equal on every machine and in every process."""
        text = repr((self.seed, self.salt, *place)).encode()
        return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") >> 1


def reseed(key: int, device: torch.device) -> None:
    """Seed the generators that code on `device` draws from, without host synchronization."""
    torch.default_generator.manual_seed(key)
    if device.type == "cuda":
        index = torch.cuda.current_device() if device.index is None else device.index
        torch.cuda.default_generators[index].manual_seed(key)
    elif device.type == "mps":
        torch.mps.manual_seed(key)


@contextmanager
def seeded(key: int, device: torch.device) -> Iterator[None]:
    """Within this context, the generators of a device are seeded; afterwards their state is restored.

    Other threads wait before they enter it. Otherwise one could seed the generator between another's seeding and its
    draw.
    """
    with _LOCK, torch.random.fork_rng([device] if device.type == "cuda" else []):
        reseed(key, device)
        yield

"""What was asked of a run, besides its recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sparring.errors import InputError
from sparring.json_files import build
from sparring.privacy import Guarantee
from sparring.recipes.base import Recipe


@dataclass(frozen=True)
class Settings:
    """What was asked of a run, besides its recipe. All of it is stored as JSON.

    Attributes:
        data: the name or the absolute path of the data.
        name: a short name of the data.
        items: number of items.
        fingerprint: identifies the data when a run is resumed.
        seed: random seed.
        precision, device: how and where the run computes.
        exact: sums over shards do not depend on the number of ranks. Those of version 0.1, which did not record it,
            did.
        threads: of each rank on a CPU; 0 for as many as PyTorch likes.
        job: of the launcher that has begun the run, as in `Launcher.record`.
        save_every: seconds of training between checkpoints.
        until: what ends the run before its bound, as in `Until`.
        code: the digest of the user's own recipe file.
        privacy: what the run promises about the data; None if it is not private.
    """

    data: str
    name: str
    items: int
    fingerprint: str
    seed: int
    precision: str
    device: str
    save_every: float
    until: str = ""
    code: str = ""
    exact: bool = False
    threads: int = 0
    job: str = ""
    privacy: Guarantee | None = None

    def __post_init__(self) -> None:
        privacy: Any = self.privacy
        if isinstance(privacy, Mapping):
            object.__setattr__(self, "privacy", build(Guarantee, privacy, "the run's privacy"))


def shard_size(recipe: Recipe[Any]) -> int:
    """Number of samples of each shard of a batch.

    Raises:
        InputError: if there are too few.
    """
    size = recipe.batch // recipe.shards
    if size < 2:  # statistics of a batch need two samples
        raise InputError(
            f"batch={recipe.batch} in shards={recipe.shards} leaves {size} samples each; give fewer shards or a larger "
            "batch, for at least 2"
        )
    return size


def check_ranks(shards: int, ranks: int) -> None:
    """Check that ranks can share the shards of a batch equally.

    Raises:
        InputError: otherwise.
    """
    if shards % ranks:
        fit = ", ".join(str(n) for n in range(1, shards + 1) if shards % n == 0)
        raise InputError(f"{ranks} ranks cannot share shards={shards} equally; start {fit} of them")

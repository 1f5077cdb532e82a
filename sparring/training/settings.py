"""What was asked of a run, besides its recipe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sparring.errors import InputError
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
        precision, ranks, device: where the run computes.
        save_every: seconds of training between checkpoints.
        until: what ends the run before its bound, as in `Until`.
        code: the digest of the user's own recipe file.
    """

    data: str
    name: str
    items: int
    fingerprint: str
    seed: int
    precision: str
    ranks: int
    device: str
    save_every: float
    until: str = ""
    code: str = ""


def shard_size(recipe: Recipe[Any], ranks: int) -> int:
    """Number of samples of a batch that each rank processes at a time.

    Raises:
        InputError: if the batch cannot be divided this way.
    """
    size, rest = divmod(recipe.batch, ranks * recipe.accumulate)
    if rest or size < 2:  # statistics of a batch need two samples
        raise InputError(
            f"batch={recipe.batch} must be a multiple of ranks={ranks} x accumulate={recipe.accumulate}, "
            f"with at least 2 samples each"
        )
    return size

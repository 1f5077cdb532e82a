"""The memory that the nets and the batches of a run take: told, and checked before anything of it is written."""

from __future__ import annotations

import math
from typing import Any

import torch

from sparring.errors import InputError
from sparring.games.game import Game
from sparring.layers.recompute import recompute_blocks
from sparring.memory import amount, check_size, memory
from sparring.modalities import Modality
from sparring.recipes.base import Recipe

WEIGHT_COPIES = 5  # of the weights in a training: with gradients, two moments of the optimizer, and the average
BATCH_COPIES = 4  # of a batch at least: real and generated samples, their gradients, and one layer


def check_sizes(recipe: Recipe[Any], modality: Modality, device: torch.device, ranks: int) -> None:
    """Check that a run fits into the memory of its device, and that what saves memory can be done.

    Args:
        ranks: processes on this machine. They share its memory, but each has a CUDA device of its own.

    Raises:
        InputError: if the nets or a batch do not fit, with the numbers and the fields to reduce; or if no activations
            can be recomputed.
    """
    there = memory(device) // (ranks if device.type == "cpu" else 1)
    with torch.random.fork_rng([]), recipe.running():
        game = recipe.build(modality, WEIGHT_COPIES, there)
    if recipe.recompute and not recompute_blocks(game):
        raise InputError(
            f"recompute=true was given, but the nets of recipe {recipe.name!r} have no blocks; remove recompute="
        )
    what, remedy = recipe.sizes()
    sample = math.prod(modality.shape) + game.prior.width
    batch = recipe.batch // recipe.shards
    check_size(BATCH_COPIES * batch * sample, what, f"{remedy}, or more shards", there)


def describe_weights(game: Game) -> str:
    """A line for the user about the memory that a training takes before its first batch."""
    nets = {name: sum(p.numel() for p in net.parameters()) for name, net in game.named_children()}
    counts = ", ".join(f"{name} {_count(number)}" for name, number in nets.items() if number)
    size = sum(t.nbytes for t in (*game.parameters(), *game.buffers()))
    taken = amount(WEIGHT_COPIES * size)
    return f"weights: {counts}; with gradients, moments and average, they take at most {taken} of memory"


def _count(number: int) -> str:
    return f"{number / 10**6:.1f} million" if number >= 10**6 else f"{number:,}"

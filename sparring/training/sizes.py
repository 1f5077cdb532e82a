"""Whether the nets and the batches of a run fit into the memory, checked before anything of it is written."""

from __future__ import annotations

import math
from typing import Any

import torch

from sparring.memory import check_size
from sparring.modalities import Modality
from sparring.recipes.base import Recipe

WEIGHT_COPIES = 5  # of the weights in a training: with gradients, two moments of the optimizer, and the average
BATCH_COPIES = 4  # of a batch at least: real and generated samples, their gradients, and one layer


def check_sizes(recipe: Recipe[Any], modality: Modality) -> None:
    """Check the sizes that a user has chosen; those of recipes as they are fit into small machines.

    Raises:
        InputError: if the nets or a batch do not fit into the memory, with the fields to reduce.
    """
    if recipe == type(recipe)():
        return
    with torch.random.fork_rng([]), recipe.running():
        game = recipe.build(modality, WEIGHT_COPIES)
    what, remedy = recipe.sizes()
    sample = math.prod(modality.shape) + game.prior.width
    batch = recipe.batch // recipe.shards
    check_size(BATCH_COPIES * batch * sample, what, f"{remedy}, or more shards")

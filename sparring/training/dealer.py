"""Batches of training samples with held-out ones next to them, as a game's rounds get them."""

from __future__ import annotations

import torch
from torch import Tensor

from sparring.data.batches import Batches
from sparring.data.dataset import Dataset
from sparring.data.records.reading import RecordBatches
from sparring.data.split import HELD_EVERY
from sparring.data.tensors import CONDITION, HELD, VALUES
from sparring.loop import Deal
from sparring.modalities import Modality
from sparring.seeds import Seeds


def dealer(modality: Modality, data: Dataset, size: int, shards: int, seeds: Seeds, device: torch.device) -> Deal:
    """A function that returns the batch of a round: training samples and, in some rounds, held-out ones next to them.

    Args:
        modality: scales and augments encoded samples.
        data: encoded and split.
        size: samples per shard.
        shards: shards per batch.
        seeds: of the order of the samples.
        device: of the batches.
    """
    trained = _trained(data, size, shards, seeds, device)
    if not len(data.held):
        return lambda number, shard: modality.batch(trained(number, shard))
    watched = _batches(data, data.held, size, shards, seeds, device)

    def deal(number: int, shard: int) -> dict[str, Tensor]:
        batch = modality.batch(trained(number, shard))
        if number % HELD_EVERY == 0:
            held = modality.batch(watched(number // HELD_EVERY, shard))
            batch |= {HELD + name: t for name, t in held.items()}
        return batch

    return deal


def _trained(data: Dataset, size: int, shards: int, seeds: Seeds, device: torch.device) -> Deal:
    """Batches of training samples."""
    if data.records is not None:
        return RecordBatches(data.records, list(data.tensors), size, shards, seeds, device)
    return _batches(data, data.train, size, shards, seeds, device, data.weights)


def _batches(
    data: Dataset,
    rows: Tensor,
    size: int,
    shards: int,
    seeds: Seeds,
    device: torch.device,
    weights: Tensor | None = None,
) -> Deal:
    """Batches of some rows, with the conditions from the unpaired set if there is one."""
    batches = Batches(data.tensors, rows, size, shards, seeds, device, weights)
    other = data.beside
    if other is None:
        return batches
    pool = other.held if rows is data.held and len(other.held) else other.train
    given = Batches(other.tensors, pool, size, shards, seeds.of("beside"), device)
    return lambda number, shard: {**batches(number, shard), CONDITION: given(number, shard)[VALUES]}

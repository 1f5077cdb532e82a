"""From a data set to what batches are drawn from."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import torch

from sparring.console import Screen
from sparring.data.dataset import Dataset
from sparring.data.items import Items
from sparring.errors import InputError
from sparring.memory import memory
from sparring.modalities import Modality
from sparring.modalities.dataset import assemble, why_unlabeled, with_classes
from sparring.recipes.base import Recipe

UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}


def prepare(
    recipe: Recipe[Any], modality: Modality, items: Items, limit: int, screen: Screen
) -> tuple[Modality, Dataset, list[str]]:
    """Encode a data set and split it.

    Args:
        recipe: whose field `labels` says whether classes are used.
        modality: fitted to the items; with its classes if that has been decided before.
        limit: bytes of encoded items that are kept in memory at most.

    Returns:
        The modality with its classes, the data, and what the user should know, one line each.

    Raises:
        InputError: if the data cannot be used.
    """
    with screen.progress(f"reading {items.name}") as progress:
        encoded = modality.encode(items, progress)
    if items.records is not None and encoded.records is None:
        raise InputError(f"recipe {recipe.name} cannot be trained on {items.name!r}, a set in shards; give its images")
    notes = [*items.notes, *encoded.notes, *encoded.skipped_notes(len(items))]
    source = modality.source
    labels = None if items.labels is None or source is not None else items.labels[encoded.items]
    if not modality.condition_width and recipe.labels is not False:
        why_not = why_unlabeled(items, labels, modality.words.items)
        if source is not None:
            why_not = f"samples are generated from given {source.words.items}, not by class"
        if why_not and recipe.labels:
            raise InputError(f"labels=true was given, but {why_not}")
        if labels is not None and why_not:
            notes.append(f"labels are not used: {why_not}")
            labels = None
        elif labels is not None:
            train, _ = modality.split(items, encoded.readable).samples(encoded.items, encoded.span)
            modality = with_classes(modality, items, labels[train])
    elif not modality.classes:
        labels = None
    data = assemble(modality, items, encoded, labels, limit)
    weights = modality.sampling_weights(data.tensors)
    if weights is not None:
        data = replace(data, weights=weights[data.train])
    if len(data.train) < 2:
        raise InputError(
            f"{items.name!r} has {len(data.train)} {modality.words.trained} to train on and {len(data.held)} held out; "
            "give at least two"
        )
    if not len(data.held) and getattr(recipe, "augment", "none") == "ada":
        raise InputError(
            f"augment=ada was given, but {items.name!r} has too few {modality.words.items} to hold some out; use "
            "augment=places"
        )
    return modality, data, notes


def room(given: str | None, device: torch.device) -> int:
    """Bytes of encoded items that are kept in memory, and on the device, at most.

    Args:
        given: such as "2G" or "500M"; None for a quarter of the memory that there is.

    Raises:
        InputError: where it is no amount of memory.
    """
    if given is not None:
        parts = re.fullmatch(r"(\d+\.?\d*)\s*([kmgt]?)i?b?", given.strip().lower())
        if parts is None:
            raise InputError(f"memory {given!r} is not an amount; write it as 500M or 2G")
        return int(float(parts[1]) * UNITS[parts[2]])
    free = memory() // 4
    if device.type == "cuda":
        free = min(free, torch.cuda.mem_get_info(device)[0] // 3)
    return free

"""From a data set to what batches are drawn from."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sparring.console import Screen
from sparring.data import Items
from sparring.data.fingerprint import fingerprint
from sparring.data.split import Parted, held_out, unlabelled
from sparring.data.store import Stored, memory
from sparring.errors import InputError
from sparring.modalities import Encoded, Modality
from sparring.recipes.base import Recipe

UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
FILE_WIDE = 3  # skipped pictures that are named


@dataclass(frozen=True)
class Prepared(Parted):
    """What a run trains on.

    Attributes:
        fits: whether what is in memory fits on the device too.
        weights: how often each of the rows is dealt, up to a factor; None for one as often as another.
    """

    fits: bool = True
    weights: Tensor | None = None


def prepare(
    recipe: Recipe, modality: Modality, items: Items, limit: int, screen: Screen
) -> tuple[Modality, Prepared, list[str]]:
    """Encode a data set and part it.

    Args:
        recipe: whose field `labels` says whether they are used.
        modality: fitted to the items; with its classes where that has been decided before.
        limit: bytes of encoded items that are kept in memory at most.

    Returns:
        The modality with its classes, the data, and what the user should know of them.

    Raises:
        InputError: where they cannot be used.
    """
    with screen.progress(f"reading {items.name}") as progress:
        encoded = modality.encode(items, progress)
    notes = [*items.notes, *encoded.notes, *_skipped(encoded, len(items))]
    labels = None if items.labels is None or modality.mapped else items.labels[encoded.kept]
    samples, fits = _in_memory(encoded.samples, limit)
    if encoded.parted is not None:
        trained, apart = encoded.parted
    else:
        held = held_out(len(encoded.kept), labels) if items.held is None else items.held[encoded.kept]
        trained, apart = np.flatnonzero(~held), np.flatnonzero(held)
    if not modality.classes and recipe.labels is not False:
        why_not = "these are given pictures, not labels" if modality.mapped else unlabelled(items, labels)
        if why_not and recipe.labels:
            raise InputError(f"labels=true was given, but {why_not}")
        if labels is not None and not why_not:
            modality = modality.labelled(items.classes, labels[trained])
        elif labels is not None:
            notes.append(f"labels are not used: {why_not}")
    if len(trained) < 2:
        raise InputError(
            f"{items.name!r} has {len(trained)} to train on beside {len(apart)} held out; give at least two"
        )
    tensors = {"real": samples}
    if modality.classes and labels is not None:
        tensors["label"] = torch.from_numpy(labels)
    rows, kept = torch.from_numpy(trained), torch.from_numpy(apart)
    if not len(apart) and getattr(recipe, "augment", "none") == "ada":
        raise InputError(
            f"augment=ada was given, but {items.name!r} has too few items to hold some out; use augment=places"
        )
    weights = modality.weights(samples)
    weights = None if weights is None else weights[rows]
    beside, told = _beside(encoded.beside, items, limit), fingerprint(items, tensors)
    if beside is not None:
        told = f"{told}-{beside.fingerprint}"
    return modality, Prepared(tensors, rows, kept, told, beside, fits, weights), notes


def _beside(encoded: Encoded | None, items: Items, limit: int) -> Parted | None:
    """What goes beside a data set, parted."""
    if encoded is None:
        return None
    assert encoded.parted is not None
    tensors = {"real": _in_memory(encoded.samples, limit)[0]}
    rows, held = (torch.from_numpy(part) for part in encoded.parted)
    return Parted(tensors, rows, held, fingerprint(items, tensors))


def _in_memory(samples: Tensor | Stored, limit: int) -> tuple[Tensor | Stored, bool]:
    """A tensor in memory where it fits, and whether it is and does."""
    if isinstance(samples, Stored) and samples.bytes <= limit:
        samples = samples.load()
    return samples, isinstance(samples, Tensor) and samples.nbytes <= limit


def _skipped(encoded: Encoded, total: int) -> list[str]:
    if not encoded.skipped:
        return []
    named = "; ".join(f"{name}: {why}" for name, why in encoded.skipped[:FILE_WIDE])
    more = "; ..." if len(encoded.skipped) > FILE_WIDE else ""
    return [f"skipped {len(encoded.skipped):,} of {total:,} that cannot be read ({named}{more})"]


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

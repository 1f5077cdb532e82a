"""Imports a data set into shards: `sparring shards`."""

from __future__ import annotations

import mmap
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sparring.data.fingerprint import fingerprint
from sparring.data.items import Items
from sparring.data.records.index import Index
from sparring.data.records.place import Place
from sparring.data.records.reading import open_set
from sparring.data.records.writing import Samples, write
from sparring.data.store import Progress, Stored
from sparring.data.tensors import CONDITION
from sparring.errors import InputError
from sparring.modalities.base import Encoded, Modality
from sparring.modalities.dataset import why_unlabeled


def import_items(
    items: Items, modality: Modality, encoded: Encoded, place: Place, force: bool, progress: Progress
) -> tuple[Index, int, list[str]]:
    """Write encoded items as records into shards.

    Args:
        modality: from `Modality.for_shards`, which has encoded them.
        force: replace a set that is there.

    Returns:
        The index, the number of shards that an earlier call has written, and what the user should know.

    Raises:
        InputError: if something else is there, or it cannot be written.
    """
    train, held = modality.split(items, encoded.readable).samples(encoded.items, encoded.span)
    labels = None if items.labels is None else items.labels[encoded.items]
    notes = [*items.notes, *encoded.notes, *encoded.skipped_notes(len(items))]
    if labels is not None and (why_not := why_unlabeled(items, labels, modality.words.items)):
        notes.append(f"classes are not imported: {why_not}")
        labels = None
    parts, release = _arrays(encoded)
    if labels is not None:
        parts[CONDITION] = labels.astype(np.int32)
    labeled = {} if labels is None else {CONDITION: torch.from_numpy(labels)}
    files = getattr(items.items, "modified", "")  # sizes and times of files, of which the checksum sees only some
    mark = f"{fingerprint(items, {**encoded.tensors, **labeled})} {files}"
    samples = Samples(
        modality.kind, asdict(modality.portable()), items.classes if labels is not None else (), parts,
        train, held, labels, mark, release,
    )  # fmt: skip
    kept = write(samples, place, force, progress)
    written = open_set(place)
    if written is None:
        raise InputError(f"{place.shown} does not hold what was written; another command has changed it")
    return written.index, kept, notes


def _arrays(encoded: Encoded) -> tuple[dict[str, NDArray[Any]], Callable[[], None]]:
    """Parts of samples as arrays, and a function that releases the memory of those in files."""
    maps: list[mmap.mmap] = []
    parts: dict[str, NDArray[Any]] = {}
    for name, stored in encoded.tensors.items():
        tensor: Tensor
        if isinstance(stored, Stored):
            opened, tensor = stored.map()
            maps.append(opened)
        else:
            tensor = stored
        parts[name] = tensor.numpy()

    def release() -> None:
        for one in maps:
            if hasattr(one, "madvise"):
                one.madvise(mmap.MADV_DONTNEED)

    return parts, release

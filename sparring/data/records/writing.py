"""Writes a set into shards. Killed and called again, it continues."""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from sparring.data.records.index import (
    FORMAT,
    HELD,
    NAME,
    TRAIN,
    IndexFile,
    PartFile,
    SubsetFile,
    is_index,
    record_type,
    shard_name,
)
from sparring.data.records.place import Place
from sparring.data.store import Progress
from sparring.errors import InputError
from sparring.files import as_plain

SHARD_BYTES = 64 * 10**6  # of a file, about
BLOCK_BYTES = 4 * 2**20  # of a block at most, unless four records are larger
MAX_BLOCK, MIN_BLOCK = 1024, 4  # records
SHARD_NAME = re.compile(rf"({TRAIN}|{HELD})-[0-9a-f]{{8}}-\d{{5,}}\.npy")
MAX_NAMED = 3  # files that a message names


@dataclass(frozen=True)
class Samples:
    """What is written.

    Attributes:
        kind, fitted, classes: as in the index.
        parts: of the samples, (n, ...) each, in memory or mapped.
        train, held: indices of the samples of each subset.
        labels: the class of each sample; None without classes.
        source: identifies the data.
        release: called from time to time, to let go of what has been read.
    """

    kind: str
    fitted: Mapping[str, Any]
    classes: tuple[str, ...]
    parts: Mapping[str, NDArray[Any]]
    train: NDArray[np.int64]
    held: NDArray[np.int64]
    labels: NDArray[np.int64] | None
    source: str
    release: Callable[[], None] = lambda: None


def write(samples: Samples, place: Place, force: bool, progress: Progress) -> int:
    """Write samples as records into shards, in random order, and last the index.

    Args:
        force: replace the set that is there, or was begun there.

    Returns:
        Number of shards that were there already, from a call that did not end.

    Raises:
        InputError: if something else is there, or it cannot be written.
    """
    plan = _plan(samples)
    there, stale = _begun(place, plan, force)
    dtype = record_type(plan["parts"], NAME)
    sums: dict[str, list[int]] = {}
    total, done, kept = len(samples.train) + len(samples.held), 0, 0
    for subset, rows in ((TRAIN, samples.train), (HELD, samples.held)):
        order = _shuffled(rows)
        sums[subset] = []
        for shard, begin in enumerate(range(0, len(order), plan["shard"])):
            records = _records(samples, order[begin : begin + plan["shard"]], dtype)
            for first in range(0, len(records), plan["block"]):
                sums[subset].append(zlib.crc32(records[first : first + plan["block"]].tobytes()))
            file, content = shard_name(subset, plan["mark"], shard), _npy(records)
            if there.get(file) == len(content):
                kept += 1
            else:
                place.put(file, content)
            stale.discard(file)
            samples.release()
            done += len(records)
            progress(done, total)
    train, held = (
        SubsetFile(records=subset["records"], counts=subset["counts"], checksums=sums[name])
        for name, subset in ((TRAIN, plan["train"]), (HELD, plan["held"]))
    )
    place.put(NAME, json.dumps({**plan, "complete": True, "train": train, "held": held}).encode())
    for file in sorted(stale):
        place.delete(file)
    return kept


def _plan(samples: Samples) -> IndexFile:
    """The index without what is known at the end."""
    parts = {name: PartFile(dtype=np.dtype(a.dtype).str, shape=list(a.shape[1:])) for name, a in samples.parts.items()}
    record = record_type(parts, NAME)
    block = max(MIN_BLOCK, min(MAX_BLOCK, BLOCK_BYTES // record.itemsize))
    plan = IndexFile(
        format=FORMAT, complete=False, mark="", kind=samples.kind, fitted=dict(samples.fitted),
        classes=list(samples.classes), parts=parts, block=block,
        shard=max(1, SHARD_BYTES // (record.itemsize * block)) * block, offset=len(_npy(np.empty(0, record))),
        train=_subset(samples, samples.train), held=_subset(samples, samples.held),
    )  # fmt: skip
    digest = hashlib.blake2b(f"{samples.source} {json.dumps(plan)}".encode(), digest_size=4).hexdigest()
    plain: IndexFile = as_plain({**plan, "mark": digest})
    return plain


def _subset(samples: Samples, rows: NDArray[np.int64]) -> SubsetFile:
    counts: list[int] = []
    if samples.labels is not None:
        counts = np.bincount(samples.labels[rows], minlength=len(samples.classes)).tolist()
    return SubsetFile(records=len(rows), counts=counts, checksums=[])


def _begun(place: Place, plan: IndexFile, force: bool) -> tuple[dict[str, int], set[str]]:
    """Begin to write, or go on. Returns names and sizes of the files that are there, if an earlier call has begun with
    the same plan, and names of the shards of other sets, which are replaced.

    Raises:
        InputError: if something else is there.
    """
    there, content = check(place, force)
    stale = {name for name in there if SHARD_NAME.fullmatch(name) and f"-{plan['mark']}-" not in name}
    if content is not None and _is(content, plan):
        return there, stale
    if content is not None and not force:
        raise _held(place, "another set, which is not complete")
    place.put(NAME, json.dumps(plan).encode())
    return {}, stale


def check(place: Place, force: bool) -> tuple[dict[str, int], bytes | None]:
    """Names and sizes of the files at a place, and the index among them. Called before a set is decoded, it refuses
    what can be refused by then: an index that is not complete may be that of the same set.

    Raises:
        InputError: if a whole set is there and is not to be replaced, or something else is there.
    """
    there = place.sizes()
    content = place.get(NAME) if NAME in there else None
    if content is not None and not is_index(content):
        content = None
    if content is None and there:
        named = ", ".join(sorted(there)[:MAX_NAMED])
        raise InputError(f"{place.shown} holds other files ({named}), which are not overwritten; choose another OUT")
    if content is not None and b'"complete": true' in content and not force:
        raise _held(place, "a set in shards")
    return there, content


def _held(place: Place, holds: str) -> InputError:
    return InputError(f"{place.shown} holds {holds}; add --force to replace it, or choose another OUT")


def _is(content: bytes, plan: IndexFile) -> bool:
    """True for the same plan."""
    try:
        return bool(json.loads(content) == plan)
    except ValueError:
        return False


def _shuffled(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The same random order in each call."""
    order: NDArray[np.int64] = rows[torch.randperm(len(rows), generator=torch.Generator().manual_seed(0)).numpy()]
    return order


def _records(samples: Samples, rows: NDArray[np.int64], dtype: np.dtype[np.void]) -> NDArray[np.void]:
    records = np.empty(len(rows), dtype)
    for name, part in samples.parts.items():
        records[name] = part[rows]
    return records


def _npy(records: NDArray[np.void]) -> bytes:
    """A file of NumPy's format; the length of its header does not depend on the number of records."""
    file = BytesIO()
    header = {"descr": np.lib.format.dtype_to_descr(records.dtype), "fortran_order": False, "shape": records.shape}
    np.lib.format.write_array_header_1_0(file, header)
    file.write(records.tobytes())
    return file.getvalue()

"""Writes a set into shards. Killed and called again, it continues."""

from __future__ import annotations

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

from sparring.data.records.index import FORMAT, HELD, NAME, PLAN, TRAIN, IndexFile, PartFile, SideFile, record_type
from sparring.data.records.place import Place
from sparring.data.store import Progress
from sparring.errors import InputError
from sparring.files import as_json, as_plain

SHARD_BYTES = 64 * 10**6  # of a file, about
BLOCK_BYTES = 4 * 2**20  # of a block at most, unless 16 records are larger
MAX_BLOCK, MIN_BLOCK = 1024, 16  # records
SHARD_NAME = re.compile(rf"({TRAIN}|{HELD})-\d{{5,}}\.npy")
MAX_NAMED = 3  # files that a message names


@dataclass(frozen=True)
class Samples:
    """What is written.

    Attributes:
        kind, fitted, classes: as in the index.
        parts: of the samples, (n, ...) each, in memory or mapped.
        train, held: indices of the samples of each side.
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
    there = _begun(place, plan, force)
    dtype = record_type(plan["parts"], PLAN)
    sums: dict[str, list[int]] = {}
    total, done, kept = len(samples.train) + len(samples.held), 0, 0
    for name, rows in ((TRAIN, samples.train), (HELD, samples.held)):
        order = _shuffled(rows)
        sums[name] = []
        for shard, begin in enumerate(range(0, len(order), plan["shard"])):
            records = _records(samples, order[begin : begin + plan["shard"]], dtype)
            for first in range(0, len(records), plan["block"]):
                sums[name].append(zlib.crc32(records[first : first + plan["block"]].tobytes()))
            file, content = f"{name}-{shard:05}.npy", _npy(records)
            if there.get(file) == len(content):
                kept += 1
            else:
                place.put(file, content)
            samples.release()
            done += len(records)
            progress(done, total)
    index = {**plan, **{side: {**plan[side], "checksums": sums[side]} for side in (TRAIN, HELD)}}  # type: ignore[literal-required]
    del index["source"]
    place.put(NAME, json.dumps(index).encode())
    place.delete(PLAN)
    return kept


class Plan(IndexFile):
    """What is being written, without the checksums."""

    source: str


def _plan(samples: Samples) -> Plan:
    parts = {name: PartFile(dtype=np.dtype(a.dtype).str, shape=list(a.shape[1:])) for name, a in samples.parts.items()}
    record = record_type(parts, PLAN).itemsize
    block = max(MIN_BLOCK, min(MAX_BLOCK, BLOCK_BYTES // record))
    offset = len(_npy(np.empty(0, record_type(parts, PLAN))))
    plan = Plan(
        format=FORMAT, kind=samples.kind, fitted=dict(samples.fitted),
        classes=list(samples.classes), parts=parts, block=block,
        shard=max(1, SHARD_BYTES // (record * block)) * block, offset=offset,
        train=_side(samples, samples.train), held=_side(samples, samples.held), source=samples.source,
    )  # fmt: skip
    plain: Plan = as_plain(plan)
    return plain


def _side(samples: Samples, rows: NDArray[np.int64]) -> SideFile:
    counts: list[int] = []
    if samples.labels is not None:
        counts = np.bincount(samples.labels[rows], minlength=len(samples.classes)).tolist()
    return SideFile(records=len(rows), counts=counts, checksums=[])


def _begun(place: Place, plan: Plan, force: bool) -> dict[str, int]:
    """Begin to write, or go on. Returns names and sizes of the shards that are there and belong to the same plan.

    Raises:
        InputError: if something else is there.
    """
    there = place.sizes()
    ours = {name: size for name, size in there.items() if SHARD_NAME.fullmatch(name)}
    begun = place.get(PLAN) if PLAN in there and NAME not in there else None
    if begun is not None and _same(begun, plan):
        return ours
    if PLAN in there or NAME in there:
        if not force:
            holds = "a set in shards" if NAME in there else "shards of another set, which are not complete"
            raise InputError(f"{place.shown} holds {holds}; add --force to replace it, or choose another OUT")
        for name in (NAME, *sorted(ours), PLAN):
            place.delete(name)
    elif there:
        named = ", ".join(sorted(there)[:MAX_NAMED])
        raise InputError(f"{place.shown} holds other files ({named}), which are not overwritten; choose another OUT")
    place.put(PLAN, as_json(plan).encode())
    return {}


def _same(begun: bytes, plan: Plan) -> bool:
    try:
        return bool(json.loads(begun) == plan)
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

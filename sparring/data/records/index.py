"""The index of a set in shards: what its records consist of, and where they are."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from sparring.errors import InputError
from sparring.json_files import parse_json

NAME = "shards.json"
MARK = re.compile(r"[0-9a-f]{8}")
FORMAT = "sparring shards 1"
DTYPES = ("|u1", "<i4", "<f4")  # of the parts of a record
TRAIN, HELD = "train", "held"  # subsets; names of shards begin with them
MAX_DIMENSIONS = 8  # of a part
MAX_RECORD = 2**26  # bytes
MAX_BLOCK_BYTES = 2**30


class PartFile(TypedDict):
    """What the index says of a part of all records."""

    dtype: str
    shape: list[int]


class SubsetFile(TypedDict):
    """What the index says of the records that are trained on, or held out.

    Attributes:
        records: their number.
        counts: of each class.
        checksums: of each block, CRC-32.
    """

    records: int
    counts: list[int]
    checksums: list[int]


class IndexFile(TypedDict):
    """The content of `shards.json`.

    Attributes:
        complete: False while shards are being written.
        mark: is in the names of the shards; other sets have another one.
        kind: of the data.
        fitted: the fitted state of that kind.
        classes: their names.
        parts: of a record, in their order.
        block: records that are read together.
        shard: records in each file but the last, a multiple of `block`.
        offset: bytes before the first record of each file.
    """

    format: str
    complete: bool
    mark: str
    kind: str
    fitted: dict[str, Any]
    classes: list[str]
    parts: dict[str, PartFile]
    block: int
    shard: int
    offset: int
    train: SubsetFile
    held: SubsetFile


@dataclass(frozen=True)
class Span:
    """Where a block is: bytes `begin` to `end` of a file that has `size`."""

    file: str
    begin: int
    end: int
    size: int


@dataclass(frozen=True, eq=False)
class Subset:
    """The records of a set that are trained on, or those that are held out.

    Attributes:
        name: "train" or "held".
        mark: as in the index.
        records: their number.
        counts: of each class.
        dtype: of a record.
        block, shard, offset: as in the index.
        checksums: of the blocks, uint32.
    """

    name: str
    mark: str
    records: int
    counts: tuple[int, ...]
    dtype: np.dtype[np.void]
    block: int
    shard: int
    offset: int
    checksums: NDArray[np.uint32]

    @property
    def blocks(self) -> int:
        return -(-self.records // self.block)

    @property
    def shards(self) -> int:
        return -(-self.records // self.shard)

    def size(self, block: int) -> int:
        """Number of records in a block."""
        return min(self.block, self.records - block * self.block)

    def file(self, shard: int) -> tuple[str, int]:
        """Name and size of a file."""
        count = min(self.shard, self.records - shard * self.shard)
        return shard_name(self.name, self.mark, shard), self.offset + count * self.dtype.itemsize

    def span(self, block: int) -> Span:
        """Where a block is."""
        shard, first = divmod(block * self.block, self.shard)
        begin = self.offset + first * self.dtype.itemsize
        name, size = self.file(shard)
        return Span(name, begin, begin + self.size(block) * self.dtype.itemsize, size)


@dataclass(frozen=True, eq=False)
class Index:
    """A set in shards.

    Attributes:
        identity: a digest of the index, and so of all blocks.
        kind, fitted, classes: as in the index.
        train, held: the records.
    """

    identity: str
    kind: str
    fitted: Mapping[str, Any]
    classes: tuple[str, ...]
    train: Subset
    held: Subset


def parse(content: bytes, where: str) -> Index | None:
    """An index; None if it is the file of another program.

    Args:
        where: it is from, for messages.

    Raises:
        InputError: if it is damaged, not complete, or of a later version.
    """
    if not is_index(content):
        return None
    told = parse_json(content, IndexFile, where)
    if told["format"] != FORMAT:
        raise InputError(f"{where} is of the format {told['format']!r}; read it with a later version of sparring")
    if not told["complete"]:
        raise InputError(f"{where} is of a set that is not complete; give the same `sparring shards` command again")
    if not MARK.fullmatch(told["mark"]):
        raise InputError(f"{where} is damaged: its mark is {told['mark'][:40]!r}")
    dtype = record_type(told["parts"], where)
    block, shard, offset = told["block"], told["shard"], told["offset"]
    if not 0 < block * dtype.itemsize <= MAX_BLOCK_BYTES or shard < block or shard % block or not 0 < offset <= 2**16:
        raise InputError(f"{where} is damaged: its block is {block}, its shard {shard} and its offset {offset}")
    subsets = {}
    for name, subset in ((TRAIN, told["train"]), (HELD, told["held"])):
        sums = subset["checksums"]
        counts = subset["counts"]
        blocks = -(-subset["records"] // block)
        if subset["records"] < 0 or len(sums) != blocks or not all(0 <= one < 2**32 for one in sums):
            raise InputError(f"{where} is damaged: {name} has {subset['records']} records and {len(sums)} checksums")
        if len(counts) != len(told["classes"]) or (counts and sum(counts) != subset["records"]):
            raise InputError(f"{where} is damaged: {name} has {len(counts)} counts that are {sum(counts)} together")
        subsets[name] = Subset(
            name, told["mark"], subset["records"], tuple(counts), dtype, block, shard, offset, np.array(sums, np.uint32)
        )
    identity = hashlib.blake2b(content, digest_size=12).hexdigest()
    classes = tuple(told["classes"])
    return Index(identity, told["kind"], told["fitted"], classes, subsets[TRAIN], subsets[HELD])


def is_index(content: bytes) -> bool:
    """False for the file of another program."""
    return FORMAT.rpartition(" ")[0].encode() in content


def shard_name(subset: str, mark: str, shard: int) -> str:
    """The name of a file."""
    return f"{subset}-{mark}-{shard:05}.npy"


def record_type(parts: Mapping[str, PartFile], where: str) -> np.dtype[np.void]:
    """The type of a record.

    Raises:
        InputError: if a part is of none that records may have, or is too large.
    """
    for name, part in parts.items():
        shape = part["shape"]
        if (
            part["dtype"] not in DTYPES
            or len(shape) > MAX_DIMENSIONS
            or not all(0 < length < 2**28 for length in shape)
        ):
            raise InputError(f"{where} is damaged: {name} is {part['dtype']} of shape {shape}")
    fields = [(name, part["dtype"], tuple(part["shape"])) for name, part in parts.items()]
    size = sum(np.dtype(dtype).itemsize * int(np.prod(shape, dtype=object)) for _, dtype, shape in fields)
    if not 0 < size <= MAX_RECORD:
        raise InputError(f"{where} is damaged: a record has {size:,} bytes")
    return np.dtype(fields)

"""Files decoded once, into one file that is loaded into memory or memory-mapped.

The results are kept in the user's cache, under a name that changes with the files.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import BinaryIO, Protocol, TypedDict

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sparring.data.classes import printable
from sparring.data.sources import Content, FileSource, Unreadable, map_files
from sparring.errors import InputError
from sparring.files import cached, resolved, temporary, write_json
from sparring.folders import put
from sparring.json_files import read_json

MAX_CACHE_BYTES = 20 * 2**30  # of decoded files; the least recently used are removed first

FILES = "rows.npy", "about.json"  # of a folder of the cache


class AboutRows(TypedDict):
    """The content of `about.json`.

    Attributes:
        kept: index of the file of each row.
        skipped: name of each other file, and why it cannot be read.
    """

    kept: list[int]
    skipped: list[list[str]]


class AboutBlocks(TypedDict):
    """The content of `about.json` for rows that were made in blocks.

    Attributes:
        rows: their number.
        notes: what the user should know about them.
    """

    rows: int
    notes: list[str]


Progress = Callable[[int, int], None]  # (done, total)


def no_progress(_done: int, _total: int) -> None:
    """Reports no progress."""


Decoder = Callable[[Content], NDArray[np.generic] | Unreadable]
Row = tuple[int, NDArray[np.generic] | Unreadable]  # index of the item, and what it was decoded to


class Named(Protocol):
    """Items in one place, such as a `FileSource`."""

    @property
    def path(self) -> Path: ...

    @property
    def names(self) -> tuple[str, ...]: ...

    @property
    def modified(self) -> str: ...


@dataclass(frozen=True)
class Stored:
    """A tensor in a file.

    Attributes:
        path: of an `.npy` file.
    """

    path: Path

    def load(self) -> Tensor:
        """The tensor, in memory."""
        return torch.from_numpy(np.load(self.path, allow_pickle=False))

    def map(self) -> tuple[mmap.mmap, Tensor]:
        """The map, and the tensor that is mapped into memory, which must not be written to."""
        with self.path.open("rb") as file:
            np.lib.format.read_magic(file)
            shape, _, dtype = np.lib.format.read_array_header_1_0(file)
            # Copy on write, since PyTorch has no read-only tensors.
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
            array = np.frombuffer(mapped, dtype, offset=file.tell()).reshape(shape)
        return mapped, torch.from_numpy(array)

    @property
    def bytes(self) -> int:
        return self.path.stat().st_size


@dataclass(frozen=True)
class Decoded:
    """Files as rows of one tensor.

    Attributes:
        rows: (kept, *shape).
        kept: index of the file of each row, (kept,). A film has several.
        skipped: name of each other file, and why it cannot be read.
    """

    rows: Stored
    kept: NDArray[np.int64]
    skipped: tuple[tuple[str, str], ...]


def decode(
    files: FileSource,
    decoder: Decoder,
    shape: tuple[int, ...],
    dtype: str,
    version: str,
    progress: Progress = no_progress,
) -> Decoded:
    """All files that can be read, decoded to one row each; taken from the cache if they have been decoded before.

    Args:
        decoder: bytes of a file -> an array (*shape) of this dtype, or the reason why it cannot be read.
        version: identifies the decoder and its settings; files are decoded again if it changes.

    Raises:
        InputError: if fewer than two can be read, or the cache cannot be written.
    """

    def rows() -> Iterator[Row]:
        with ThreadPoolExecutor() as pool:
            for done, (i, row) in enumerate(map_files(files, decoder, pool), 1):
                yield i, row
                progress(done, len(files))

    return decode_rows(files, rows, shape, dtype, version)


def decode_rows(
    source: Named, rows: Callable[[], Iterable[Row]], shape: tuple[int, ...], dtype: str, version: str
) -> Decoded:
    """Items of which each is decoded to any number of rows; taken from the cache if they have been decoded before.

    Args:
        source: of the items.
        rows: decodes all: index of the item and a row, an array (*shape) of this dtype, or the reason why the item
            cannot be read, after which the rows that it has already are dropped.
        version: identifies the decoder and its settings; items are decoded again if it changes.

    Raises:
        InputError: if there are fewer than two rows, or the cache cannot be written.
    """
    kind = np.dtype(dtype)
    place = _filled(
        _key(source, version),
        lambda place: _intact(place, shape, kind),
        lambda part: _decode(source, rows(), shape, kind, part),
    )
    about = read_json(place / FILES[1], AboutRows)
    kept = np.array(about["kept"], np.int64)
    return Decoded(Stored(place / FILES[0]), kept, tuple((name, why) for name, why in about["skipped"]))


def store_blocks(
    source: Named,
    blocks: Callable[[], Iterable[NDArray[np.float32]]],
    width: int,
    version: str,
    notes: Callable[[], list[str]],
) -> tuple[Stored, list[str]]:
    """Rows that are made in blocks, in one file; taken from the cache if they have been made before.

    Args:
        source: what they are made of.
        blocks: makes all blocks, each (rows, width).
        version: identifies how; they are made again if it changes.
        notes: what the user should know, when all blocks have been made.

    Returns:
        The file, float32 (n, width), and the notes of when it was made.

    Raises:
        InputError: if the cache cannot be written.
    """

    def make(part: Path) -> None:
        count = 0
        with (part / FILES[0]).open("wb") as file:
            _header(file, (0, width), np.dtype(np.float32))
            for block in blocks():
                file.write(block.astype(np.float32, copy=False).tobytes())
                count += len(block)
            _header(file, (count, width), np.dtype(np.float32))
            file.flush()
            os.fsync(file.fileno())
        write_json(part / FILES[1], {"source": str(source.path), "rows": count, "notes": notes()})

    place = _filled(_key(source, version), lambda place: _blocks_intact(place, width), make)
    return Stored(place / FILES[0]), read_json(place / FILES[1], AboutBlocks)["notes"]


def _filled(key: str, intact: Callable[[Path], bool], make: Callable[[Path], None]) -> Path:
    """A folder of the cache, which is made unless it is there and complete.

    Args:
        intact: whether a folder is complete.
        make: writes the files of the cache into a new folder.
    """
    place = cached("decoded") / key
    if not intact(place):
        with temporary(place) as part:
            part.mkdir(parents=True)
            make(part)
            if not intact(place):  # unless another run has made it meanwhile, and may be reading it
                put(part, place, FILES)
        with suppress(OSError):  # another run may prune it at the same time
            prune(place, MAX_CACHE_BYTES)
    with suppress(OSError):  # the cache may be read-only
        os.utime(place)  # marks it as used now
    return place


def _intact(place: Path, shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> bool:
    """True if a folder of the cache is there and complete."""
    try:
        return _holds(place / FILES[0], (len(read_json(place / FILES[1], AboutRows)["kept"]), *shape), dtype)
    except (InputError, OSError, ValueError):
        return False


def _blocks_intact(place: Path, width: int) -> bool:
    try:
        rows = read_json(place / FILES[1], AboutBlocks)["rows"]
        return _holds(place / FILES[0], (rows, width), np.dtype(np.float32))
    except (InputError, OSError, ValueError):
        return False


def _holds(path: Path, shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> bool:
    """True if an `.npy` file has this shape and type, and is complete."""
    with path.open("rb") as file:
        np.lib.format.read_magic(file)
        if np.lib.format.read_array_header_1_0(file) != (shape, False, dtype):
            return False
        begin = file.tell()
        return file.seek(0, os.SEEK_END) - begin == prod(shape) * dtype.itemsize


def _decode(
    source: Named, rows: Iterable[Row], shape: tuple[int, ...], dtype: np.dtype[np.generic], folder: Path
) -> None:
    kept: list[int] = []
    skipped: list[tuple[str, str]] = []
    with (folder / FILES[0]).open("wb") as file:
        _header(file, (0, *shape), dtype)  # the number of readable files is known at the end
        for i, row in rows:
            if isinstance(row, Unreadable):
                skipped.append((printable(source.names[i]), row.why))
                while kept and kept[-1] == i:
                    kept.pop()
                    file.seek(-prod(shape) * dtype.itemsize, os.SEEK_END)
                    file.truncate()
            else:
                kept.append(i)
                file.write(row.astype(dtype, copy=False).tobytes())
        _header(file, (len(kept), *shape), dtype)
        file.flush()
        os.fsync(file.fileno())
    if len(kept) < 2:
        first = f" ({skipped[0][0]}: {skipped[0][1]})" if skipped else ""
        many = f"{len(set(kept))} of {len(source.names)} files"
        raise InputError(f"{source.path}: {many} can be read{first}; give at least two")
    write_json(folder / FILES[1], {"source": str(source.path), "kept": kept, "skipped": skipped})


def _header(file: BinaryIO, shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> None:
    """Write the header of an `.npy` file; its length does not depend on the number of rows."""
    file.seek(0)
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)


def _key(files: Named, version: str) -> str:
    text = f"{version} {resolved(files.path)} {files.names} {files.modified}"
    return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=12).hexdigest()


def prune(newest: Path, most: int, held: Callable[[Path], AbstractContextManager[object]] = nullcontext) -> None:
    """Remove the least recently used folders beside the newest one until the rest has at most this many bytes.

    Args:
        held: holds a folder while it is removed; raises OSError if it must not be.
    """
    others = (p for p in newest.parent.iterdir() if p != newest and p.is_dir())
    places = sorted(others, key=lambda p: -p.stat().st_mtime)
    total = _bytes(newest)
    for place in places:
        total += _bytes(place)
        if total > most and not _is_recent(place):
            with suppress(OSError), held(place):
                if not _is_recent(place):  # it may have been used since
                    shutil.rmtree(place)


def _is_recent(place: Path) -> bool:
    """True if another run may be reading a folder."""
    return time.time() - place.stat().st_mtime < 86400


def _bytes(folder: Path) -> int:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())

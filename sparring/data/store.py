"""Files decoded once: into memory where they fit, otherwise into a file that is memory-mapped.

What has been decoded is kept in the user's cache, under a name that changes with the files.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import shutil
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sparring.data.classes import printable
from sparring.data.sources import Content, FileSource, Unreadable, each
from sparring.errors import InputError
from sparring.files import beside, cached, read_json, write_json

MAX_CACHE_BYTES = 20 * 2**30  # of decoded files; those not used for longest go first

Progress = Callable[[int, int], None]  # (done, of)


def no_progress(_done: int, _total: int) -> None:
    """Reports nothing."""


Decoder = Callable[[Content], NDArray[np.generic] | Unreadable]


@dataclass(frozen=True)
class Stored:
    """A tensor in a file.

    Attributes:
        path: of a `.npy`.
    """

    path: Path

    def load(self) -> Tensor:
        """The tensor, in memory."""
        return torch.from_numpy(np.load(self.path, allow_pickle=False))

    def map(self) -> tuple[mmap.mmap, Tensor]:
        """The tensor, mapped into memory, and the map. Not to be written to."""
        with self.path.open("rb") as file:
            np.lib.format.read_magic(file)
            shape, _, dtype = np.lib.format.read_array_header_1_0(file)
            # Copy on write, since PyTorch knows no tensors that cannot be written to.
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
        kept: the index of each among the files.
        skipped: names of the others, and why.
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
    progress: Progress = lambda *_: None,
) -> Decoded:
    """Every file that can be read, decoded to one shape; from the cache where it holds them.

    Args:
        decoder: bytes of a file -> an array (*shape) of this dtype, or why it cannot be read.
        version: names the decoder and its settings; another one decodes anew.

    Raises:
        InputError: where fewer than two can be read, or the cache cannot be written to.
    """
    place = cached("decoded") / _key(files, version)
    if not (place / "about.json").is_file():
        with beside(place) as part:
            part.mkdir(parents=True)
            _decode(files, decoder, shape, np.dtype(dtype), part, progress)
        with suppress(OSError):  # another run may be tidying up too
            _prune(place)
    about = read_json(place / "about.json")
    with suppress(OSError):  # where the cache may only be read
        os.utime(place)  # was used now
    kept = np.array(about["kept"], np.int64)
    return Decoded(Stored(place / "rows.npy"), kept, tuple((name, why) for name, why in about["skipped"]))


def _decode(
    files: FileSource, decoder: Decoder, shape: tuple[int, ...], dtype: np.dtype[np.generic], folder: Path,
    progress: Progress,
) -> None:  # fmt: skip
    kept: list[int] = []
    skipped: list[tuple[str, str]] = []
    with (folder / "rows.npy").open("wb") as file, ThreadPoolExecutor() as pool:
        _header(file, (0, *shape), dtype)  # how many can be read is known at the end
        for i, row in each(files, decoder, pool):
            if isinstance(row, Unreadable):
                skipped.append((printable(files.names[i]), row.why))
            else:
                kept.append(i)
                file.write(row.astype(dtype, copy=False).tobytes())
            progress(len(kept) + len(skipped), len(files))
        _header(file, (len(kept), *shape), dtype)
    if len(kept) < 2:
        first = f" ({skipped[0][0]}: {skipped[0][1]})" if skipped else ""
        raise InputError(f"{files.path}: {len(kept)} of {len(files)} files can be read{first}; give at least two")
    write_json(folder / "about.json", {"source": str(files.path), "kept": kept, "skipped": skipped})


def _header(file: BinaryIO, shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> None:
    """Write the head of a `.npy`; it has one length whatever the number of rows."""
    file.seek(0)
    described = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, described)


def _key(files: FileSource, version: str) -> str:
    text = f"{version} {files.path.resolve()} {files.names} {files.modified}"
    return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=12).hexdigest()


def _prune(newest: Path) -> None:
    """Drop what was not used for longest, until the rest is no more than is kept."""
    places = sorted((p for p in newest.parent.iterdir() if p != newest), key=lambda p: -p.stat().st_mtime)
    total = _bytes(newest)
    for place in places:
        total += _bytes(place)
        recent = time.time() - place.stat().st_mtime < 86400  # another run may be reading it
        if total > MAX_CACHE_BYTES and not recent:
            with suppress(OSError):
                shutil.rmtree(place)


def _bytes(folder: Path) -> int:
    return sum(p.stat().st_size for p in folder.glob("*") if p.is_file())


def memory() -> int:
    """Bytes of this machine's memory, or of what this process may use of it."""
    found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")] if sys.platform != "win32" else [8 * 2**30]
    with suppress(OSError, ValueError):
        found.append(int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return min(found)

"""Pictures decoded once: into memory where they fit, else into a file that is mapped into it.

What has been decoded is kept in the user's cache, under a name that changes with the files.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import shutil
import sys
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sparring.data.classes import printable
from sparring.data.opening import loaded, squared
from sparring.data.pictures import Content, Pictures, Unreadable
from sparring.errors import InputError
from sparring.writing import beside, cached, read_json, write_json

VERSION = 1  # of how pictures are decoded
AT_ONCE = 256  # pictures decoded side by side, at most, and
CHUNK = 2**26  # bytes of their files, about
CACHED = 20 * 2**30  # bytes of decoded pictures kept at most; those not used for longest go first

Value = TypeVar("Value")
Progress = Callable[[int, int], None]  # (done, of)


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
    """Pictures of one size.

    Attributes:
        pixels: uint8 (kept, channels, size, size).
        kept: the index of each among the files.
        skipped: names of the others, and why.
    """

    pixels: Stored
    kept: NDArray[np.int64]
    skipped: tuple[tuple[str, str], ...]


def decode(pictures: Pictures, size: int, channels: int, progress: Progress = lambda *_: None) -> Decoded:
    """All pictures that can be read, as squares of one size; from the cache where they are in it.

    Raises:
        InputError: where fewer than two can be read, or the cache cannot be written to.
    """
    place = cached("decoded") / _key(pictures, size, channels)
    if not (place / "about.json").is_file():
        with beside(place) as part:
            part.mkdir(parents=True)
            _decode(pictures, size, channels, part, progress)
        with suppress(OSError):  # another run may be tidying up too
            _prune(place)
    about = read_json(place / "about.json")
    with suppress(OSError):  # where the cache may only be read
        os.utime(place)  # was used now
    kept = np.array(about["kept"], np.int64)
    return Decoded(Stored(place / "pixels.npy"), kept, tuple((name, why) for name, why in about["skipped"]))


def _decode(pictures: Pictures, size: int, channels: int, folder: Path, progress: Progress) -> None:
    kept: list[int] = []
    skipped: list[tuple[str, str]] = []
    with (folder / "pixels.npy").open("wb") as file, ThreadPoolExecutor() as pool:
        _header(file, (0, channels, size, size))  # how many can be read is known at the end
        for i, pixels in each(pictures, partial(_squared, size=size, channels=channels), pool):
            if isinstance(pixels, Unreadable):
                skipped.append((printable(pictures.names[i]), pixels.why))
            else:
                kept.append(i)
                file.write(pixels.tobytes())
            progress(len(kept) + len(skipped), len(pictures))
        _header(file, (len(kept), channels, size, size))
    if len(kept) < 2:
        first = f" ({skipped[0][0]}: {skipped[0][1]})" if skipped else ""
        many = f"{len(kept)} of {len(pictures)} pictures can be read"
        raise InputError(f"{pictures.path}: {many}{first}; give at least two")
    write_json(folder / "about.json", {"source": str(pictures.path), "kept": kept, "skipped": skipped})


def _header(file: BinaryIO, shape: tuple[int, ...]) -> None:
    """Write the head of a `.npy`; it has one length whatever the number of rows."""
    file.seek(0)
    np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})


def _squared(content: Content, size: int, channels: int) -> NDArray[np.uint8] | Unreadable:
    picture = loaded(content)
    if isinstance(picture, Unreadable):
        return picture
    return squared(picture, size, channels)


def each(
    pictures: Pictures,
    work: Callable[[Content], Value],
    pool: ThreadPoolExecutor,
    wanted: Collection[int] | None = None,
) -> Iterator[tuple[int, Value]]:
    """Work on all pictures, or on some, several at once, never with more than those in memory."""
    for chunk in _chunks(pictures.contents(wanted)):
        yield from zip([i for i, _ in chunk], pool.map(work, [content for _, content in chunk]), strict=True)


def _chunks(contents: Iterator[tuple[int, Content]]) -> Iterator[list[tuple[int, Content]]]:
    chunk: list[tuple[int, Content]] = []
    size = 0
    for i, content in contents:
        chunk.append((i, content))
        size += 0 if isinstance(content, Unreadable) else len(content)
        if len(chunk) == AT_ONCE or size >= CHUNK:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _key(pictures: Pictures, size: int, channels: int) -> str:
    text = f"{VERSION} {pictures.path.resolve()} {pictures.names} {pictures.modified} {size} {channels}"
    return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=12).hexdigest()


def _prune(newest: Path) -> None:
    """Drop what was not used for longest, until the rest is no more than is kept."""
    places = sorted((p for p in newest.parent.iterdir() if p != newest), key=lambda p: -p.stat().st_mtime)
    total = _bytes(newest)
    for place in places:
        total += _bytes(place)
        recent = time.time() - place.stat().st_mtime < 86400  # another run may be reading it
        if total > CACHED and not recent:
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

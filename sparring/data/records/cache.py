"""Blocks on the local disk: bounded, the least recently used are removed first."""

from __future__ import annotations

import os
import shutil
import threading
import uuid
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from sparring.files import cached

FOLDER = "blocks"  # of the user's cache
MAX_BYTES = 20 * 2**30  # at most, or half of the disk's free space
FULL, FILLED = 7 / 8, 3 / 4  # shares of the limit from which blocks are removed, and that are left
LOCKS = 256  # files for all blocks
PATIENCE = 60.0  # seconds
STRIDE = 64  # a process looks at what is there after it has written this part of the limit


class BlockCache:
    """Blocks of all sets, shared by the processes of a machine.

    Args:
        folder: for all of them.
        most: bytes that they may have together.
    """

    def __init__(self, folder: Path, most: int) -> None:
        self.folder, self.most = folder, most
        self._room = 0  # bytes that may be written before looking again
        self._lock = threading.Lock()

    @classmethod
    def of_user(cls) -> BlockCache:
        """That of the user."""
        folder = cached(FOLDER)
        return cls(folder, limit(folder))

    def read(self, name: str) -> bytes | None:
        """A block; None if it is not there."""
        path = self.folder / name
        try:
            content = path.read_bytes()
            os.utime(path)  # marks it as used now
        except OSError:
            return None
        return content

    def write(self, name: str, content: bytes) -> None:
        """Keep a block, unless the disk is full."""
        if len(content) > self.most:
            return
        with self._lock:
            if len(content) > self._room:
                self._make_room(len(content))
            self._room -= len(content)
        path = self.folder / name
        part = path.with_name(f"{uuid.uuid4().hex}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(content)
            part.replace(path)
        except OSError:
            self.drop(part.relative_to(self.folder).as_posix())

    @contextmanager
    def claimed(self, name: str) -> Iterator[None]:
        """Held while a block is fetched, so that the processes of a machine fetch it once, unless that takes long."""
        lock = FileLock(self.folder / f".lock-{zlib.crc32(name.encode()) % LOCKS}")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=PATIENCE)
        except (Timeout, OSError):  # the cache may be read-only
            pass
        try:
            yield
        finally:
            lock.release()

    def drop(self, name: str) -> None:
        """Remove a block."""
        with suppress(OSError):
            (self.folder / name).unlink(missing_ok=True)

    def _make_room(self, size: int) -> None:
        """Remove the least recently used blocks, if there is no room for as many bytes."""
        found = sorted(_files(self.folder))
        total = sum(size for _, size, _ in found)
        if total + size > FULL * self.most:
            for _, one, path in found:
                if total + size <= FILLED * self.most:
                    break
                with suppress(OSError):
                    path.unlink()
                    total -= one
        self._room = max(size, self.most // STRIDE)


def limit(folder: Path) -> int:
    """Bytes that blocks may take on the disk of a folder."""
    there = next(place for place in (folder, *folder.parents) if place.exists())
    used = sum(size for _, size, _ in _files(folder))
    return min(MAX_BYTES, (shutil.disk_usage(there).free + used) // 2)


def _files(folder: Path) -> list[tuple[int, int, Path]]:
    """Time of the last use, size and path of each file."""
    found = []
    for path in folder.glob("*/*"):
        with suppress(OSError):  # another process may remove it
            status = path.stat()
            found.append((status.st_mtime_ns, status.st_size, path))
    return found

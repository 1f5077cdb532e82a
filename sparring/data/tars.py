"""Tar archives, compressed or not, that cannot fill the memory: `tarfile` itself reads a header of any size, and keeps
all of them.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from sparring.errors import InputError

MAX_FILE_BYTES = 256 * 2**20  # larger files are not read
MAX_INFLATION = 200  # factor by which an archive may grow when it is unpacked, beyond MAX_FILE_BYTES
MAX_HEADER = 2**16  # bytes of one header, such as a long name
MAX_HEADERS = 64 * 2**20  # bytes of all headers,
MAX_HEADERS_INFLATION = 20  # and this many times the size of the archive
BROKEN = (EOFError, zlib.error, lzma.LZMAError)  # raised when a damaged stream is unpacked
UNUSABLE = (tarfile.TarError, RecursionError, gzip.BadGzipFile, *BROKEN)  # raised by damaged archives
MAGIC: dict[bytes, Callable[[Path], Any]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\x00": lzma.open}


class BoundedStream:
    """The bytes of a tar archive, unpacked.

    Args:
        path: of the archive.
        file: its bytes.
        headers: True if only headers are read; then they are limited, too.
    """

    def __init__(self, path: Path, file: IO[bytes], headers: bool) -> None:
        self.path, self.file, self.headers = path, file, headers
        self.size = path.stat().st_size
        self.read_bytes = 0

    def read(self, size: int) -> bytes:
        """The next bytes.

        Raises:
            InputError: if they are too many.
        """
        if self.headers:
            self.read_bytes += size
            if size > MAX_HEADER or self.read_bytes > MAX_HEADERS + MAX_HEADERS_INFLATION * self.size:
                raise InputError(f"{self.path} has headers of several MiB, like an archive bomb; repack the files")
        self._check(self.file.tell() + size)
        return self.file.read(size)

    def seek(self, position: int) -> int:
        """Skip what lies before a position.

        Raises:
            InputError: if it lies beyond what the archive may unpack to.
        """
        self._check(position)
        return self.file.seek(position)

    def tell(self) -> int:
        """The position."""
        return self.file.tell()

    def _check(self, position: int) -> None:
        check_inflation(self.path, self.size, position)


def check_inflation(path: Path, size: int, total: int) -> None:
    """Refuse an archive bomb.

    Args:
        size: bytes of the archive.
        total: bytes that it unpacks to.

    Raises:
        InputError: if an archive unpacks to far more than it could hold.
    """
    if total > MAX_FILE_BYTES + MAX_INFLATION * size:
        raise InputError(
            f"{path} has {size / 2**20:,.1f} MiB but unpacks to {total / 2**20:,.0f} MiB, like a zip bomb; "
            "repack the files if they are genuine"
        )


def _unpacked(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        start = file.read(6)
    opener = next((opener for magic, opener in MAGIC.items() if start.startswith(magic)), None)
    unpacked: IO[bytes] = path.open("rb") if opener is None else opener(path)
    return unpacked


@contextmanager
def open_tar(path: Path, headers: bool = False) -> Iterator[tarfile.TarFile]:
    """A tar archive.

    Args:
        headers: True if only headers will be read; then they are limited, too.

    Raises:
        InputError: if it is damaged, not a tar, or an archive bomb.
    """
    with _unpacked(path) as file:
        stream: Any = BoundedStream(path, file, headers)
        try:
            with tarfile.open(fileobj=stream, mode="r:") as archive:
                yield archive
        except UNUSABLE as error:
            raise InputError(f"{path} is cut off or damaged ({error}); download it again") from error


def members(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """The members of an archive, which are forgotten one after the other."""
    kept: Any = archive
    while (member := archive.next()) is not None:
        kept.members.clear()
        yield member


def is_tar(path: Path) -> bool:
    """True for a tar archive, also for one that is cut off.

    Raises:
        InputError: if its first header is far too large.
    """
    with _unpacked(path) as file:
        stream: Any = BoundedStream(path, file, headers=True)
        try:
            tarfile.open(fileobj=stream, mode="r:").close()
        except (tarfile.TarError, gzip.BadGzipFile):
            return False
        except (*BROKEN, RecursionError):
            return True
    return True

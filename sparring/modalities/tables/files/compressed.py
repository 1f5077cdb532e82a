"""Text files that are compressed one by one, such as rows.csv.gz."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO

from sparring.errors import InputError
from sparring.modalities.tables.files.memory import MAX_TEXT_INFLATION, MAX_UNPACKED, check_text

OPENERS: dict[str, Callable[[Path], IO[bytes]]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}  # type: ignore[dict-item]
CHUNK = 2**20


def without_suffix(path: Path) -> Path:
    """The path without the suffix of a compressed file: rows.csv for rows.csv.gz."""
    return path.with_suffix("") if path.suffix.lower() in OPENERS else path


def content(path: Path) -> bytes:
    """The bytes of a file, unpacked if it is compressed.

    Raises:
        InputError: if it is damaged, or unpacks to more than fits into the memory.
        OSError: if it cannot be read.
    """
    size = path.stat().st_size
    check_text(path, size)
    opener = OPENERS.get(path.suffix.lower())
    if opener is None:
        return path.read_bytes()
    limit = MAX_UNPACKED + MAX_TEXT_INFLATION * size
    unpacked = bytearray()
    try:
        with opener(path) as file:
            while chunk := file.read(CHUNK):
                unpacked += chunk
                if len(unpacked) > limit:
                    raise InputError(f"{path} unpacks to more than {limit / 2**20:,.0f} MiB of text; unpack it first")
    except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
        raise InputError(f"{path} is cut off or damaged ({error}); download it again") from error
    return bytes(unpacked)

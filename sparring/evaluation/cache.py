"""Results that are expensive to compute, kept in the user's cache: classifiers, and statistics of real data sets."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from sparring.errors import InputError
from sparring.files import cached, write_bytes

MAX_BYTES = 2 * 2**30  # of all files; the least recently used ones are deleted


def place(name: str) -> Path:
    """Path of a file of the cache."""
    return cached("judges") / name


def recall(path: Path) -> bytes | None:
    """Content of a file of the cache; None if it does not exist."""
    with suppress(OSError):
        content = path.read_bytes()
        with suppress(OSError):  # the cache may be read-only
            os.utime(path)  # marks it as used
        return content
    return None


def keep(path: Path, content: bytes) -> None:
    """Write a file of the cache; does nothing if the cache cannot be written to."""
    with suppress(InputError, OSError):
        write_bytes(path, content)
        others = sorted(
            (p for p in path.parent.iterdir() if p.is_file() and p != path), key=lambda p: -p.stat().st_mtime
        )
        total = len(content)
        for old in others:
            total += old.stat().st_size
            if total > MAX_BYTES:
                old.unlink()

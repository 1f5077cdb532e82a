"""What judging has computed once: classifiers, what is known of real sets. In the user's cache."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from sparring.errors import InputError
from sparring.files import cached, write_bytes

KEPT = 2 * 2**30  # bytes, of which those that were not used for longest are dropped


def place(name: str) -> Path:
    """Where something of this name is kept."""
    return cached("judges") / name


def recall(path: Path) -> bytes | None:
    """What is kept there, or nothing."""
    with suppress(OSError):
        content = path.read_bytes()
        with suppress(OSError):  # where the cache may only be read
            os.utime(path)  # was used now
        return content
    return None


def keep(path: Path, content: bytes) -> None:
    """Keep it there, where the cache can be written to."""
    with suppress(InputError, OSError):
        write_bytes(path, content)
        known = sorted(
            (p for p in path.parent.iterdir() if p.is_file() and p != path), key=lambda p: -p.stat().st_mtime
        )
        total = len(content)
        for old in known:
            total += old.stat().st_size
            if total > KEPT:
                old.unlink()

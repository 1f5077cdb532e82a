"""Tables that do not fit into the memory are refused before they are read."""

from __future__ import annotations

from pathlib import Path

from sparring.errors import InputError
from sparring.memory import memory

GIB = 2**30
MAX_UNPACKED = 64 * 2**20  # bytes of text that compressed files may hold,
MAX_TEXT_INFLATION = 50  # and this many times their size
TEXT_FACTOR = 3  # bytes in memory per byte of text, about,
CELL_BYTES = 40  # and per value: as raw text, as a typed value, in a data frame and encoded


def check_memory(path: Path | str, needed: int, what: str) -> None:
    """Refuse a table that is too large for this machine.

    Args:
        path: of the file, for the message.
        needed: bytes that reading it takes, about.
        what: what it holds, for the message.

    Raises:
        InputError: if there is not as much memory.
    """
    there = memory()
    if needed > there:
        raise InputError(
            f"{path} has {what}, which takes about {needed / GIB:,.1f} GiB of the {there / GIB:,.1f} GiB of memory; "
            "give a part of its rows or columns"
        )


def check_text(path: Path | str, size: int, cells: int = 0) -> None:
    """Refuse a text file that is too large for this machine.

    Args:
        size: bytes of the file.
        cells: number of its values, if they have been counted.

    Raises:
        InputError: if it does not fit into the memory.
    """
    check_memory(path, TEXT_FACTOR * size + CELL_BYTES * cells, f"{size / 2**20:,.0f} MiB of text")

"""Files are written beside their place and renamed into it, so that nobody ever reads half a file
and nothing that was there is lost when the disk is full."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sparring.errors import InputError


@contextmanager
def beside(path: Path) -> Iterator[Path]:
    """A place beside `path` to write a file or a folder to; renamed to `path` when all went well.

    Raises:
        InputError: where it cannot be written, with the reason.
    """
    part = path.with_name(f".{path.name}.part{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        if path.is_dir():
            shutil.rmtree(path)
        part.replace(path)
    except OSError as error:
        raise InputError(f"cannot write {path}: {reason(error)}") from error
    finally:
        with suppress(OSError):
            shutil.rmtree(part) if part.is_dir() else part.unlink(missing_ok=True)


def reason(error: OSError) -> str:
    """What went wrong in a few words, and what to do where that is plain."""
    words = (error.strerror or str(error)).lower()
    if error.errno in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT):
        return f"{words}; free some space and try again"
    return words


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, and see that it has reached the disk."""
    with beside(path) as part, part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def as_plain(content: Any) -> Any:
    """What JSON makes of it: tuples are lists."""
    return json.loads(json.dumps(content))


def as_json(content: Any) -> str:
    return json.dumps(content, indent=2)


def write_json(path: Path, content: Any) -> None:
    write_bytes(path, (as_json(content) + "\n").encode())


def component(name: str) -> str:
    """A name, whatever is in it, as one part of a path that stays where it is put."""
    safe = "".join("_" if c in '/\\:*?"<>|' or ord(c) < 32 else c for c in name).strip(" ")
    return safe.lstrip(".") or "_"


def append_line(path: Path, line: str) -> None:
    """Add a line to a file of lines.

    Raises:
        InputError: where it cannot be written.
    """
    try:
        with path.open("a") as file:
            file.write(line + "\n")
    except OSError as error:
        raise InputError(f"cannot write {path}: {reason(error)}") from error


def read_json(path: Path) -> Any:
    """What a JSON file holds.

    Raises:
        InputError: where it cannot be read, or holds no JSON.
    """
    try:
        return json.loads(path.read_text())
    except OSError as error:
        raise InputError(f"cannot read {path}: {reason(error)}") from error
    except ValueError as error:
        raise InputError(f"{path} is damaged: {error}") from error


def vacant(path: Path, force: bool) -> None:
    """See that an output may be written to `path`.

    Raises:
        InputError: where something is there and `force` is not set, or the folder is not writable.
    """
    if path.exists() and not force:
        raise InputError(f"{path} exists already; choose another name or overwrite it with --force")
    parent = next(folder for folder in path.absolute().parents if folder.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise InputError(f"cannot write {path}: {parent} is not a folder that can be written to")

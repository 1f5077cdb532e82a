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


def cached(name: str) -> Path:
    """A place of this name in the user's cache, which is there or not."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sparring" / name


def places(name: str) -> list[Path]:
    """Where files of a named set are looked for, in order."""
    shared = os.environ.get("SPARRING_DATA")
    return [Path(shared) / name, cached(name)] if shared else [cached(name)]


@contextmanager
def beside(path: Path) -> Iterator[Path]:
    """A place beside `path` to write a file or a folder to; renamed to `path` when all went well.

    Raises:
        InputError: where it cannot be written, with the reason, or a file would take a folder's place.
    """
    part = path.with_name(f".{path.name}.part{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        if path.is_dir():
            if not part.is_dir():
                raise InputError(_folder(path))
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


def vacant(path: Path, force: bool, file: bool = False) -> None:
    """See that an output may be written to `path`.

    Args:
        force: overwrite what is there, but no folder with a run in it, and none that one works or lives in.
        file: it is to be a file, which takes no folder's place.

    Raises:
        InputError: where something is there and `force` is not set, or is not to be lost, or the folder is not
            writable.
    """
    if file and path.is_dir():
        raise InputError(_folder(path))
    if path.exists() and not force:
        raise InputError(f"{path} exists already; choose another name or overwrite it with --force")
    if path.is_dir():
        _expendable(path)
    parent = next(folder for folder in path.absolute().parents if folder.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise InputError(f"cannot write {path}: {parent} is not a folder that can be written to")


def _expendable(path: Path) -> None:
    """See that a folder may be overwritten.

    Raises:
        InputError: where a run is in it, or it is the working directory, the home, or above one of them.
    """
    whole = path.resolve()
    if any(place.resolve().is_relative_to(whole) for place in (Path.cwd(), Path.home())):
        raise InputError(f"{path} is the working directory, your home or above them; choose another folder")
    if run := next((found.parent for found in path.rglob("recipe.json")), None):
        raise InputError(f"{path} holds a run, {run}, which --force does not overwrite; choose another folder")


def _folder(path: Path) -> str:
    return f"{path} is a folder, and a file is to be written; choose another name"

"""Files are written to a temporary name and renamed, so that nobody reads a partial file and nothing is lost when the
disk is full.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from sparring.errors import InputError

LEFTOVER_AGE = 3600  # seconds without a change after which a temporary file is a leftover


def resolved(path: Path) -> Path:
    """An absolute path without links. Other than with `Path.resolve`, links that lead to themselves are no error."""
    return Path(os.path.realpath(path))


def cached(name: str) -> Path:
    """The path of this name in the user's cache, whether or not it exists."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sparring" / name


def places(name: str) -> list[Path]:
    """Folders in which the files of a named data set are searched, in order."""
    shared = os.environ.get("SPARRING_DATA")
    return [Path(shared) / name, cached(name)] if shared else [cached(name)]


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary path to write a file or a folder to; renamed to `path` if no error occurs. A file is flushed to the
    disk before.

    Raises:
        InputError: if it cannot be written, with the reason, or if a folder is there already.
    """
    with temporary(path) as part:
        yield part
        if path.is_dir():
            raise InputError(_folder(path) if not part.is_dir() else f"{path} exists already; choose another name")
        if part.is_file():
            flush(part)
        part.replace(path)


@contextmanager
def temporary(path: Path) -> Iterator[Path]:
    """A name next to `path` that nothing else has. What is there at the end is removed.

    Raises:
        InputError: if something cannot be written, with the reason.
    """
    part = path.with_name(f".sparring-{uuid.uuid4().hex}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(path.parent.absolute())
        yield part
    except OSError as error:
        raise InputError(f"cannot write {path}: {describe_error(error)}") from error
    finally:
        with suppress(OSError):
            shutil.rmtree(part) if part.is_dir() else part.unlink(missing_ok=True)


@lru_cache(maxsize=1024)  # once per folder
def _remove_leftovers(folder: Path) -> None:
    """Remove what processes that were killed left in a folder, if it has not changed for a while."""
    for part in folder.glob(".sparring-*.part"):
        with suppress(OSError):
            newest = max(p.lstat().st_mtime for p in (part, *part.glob("*")))
            if re.fullmatch(r"\.sparring-[0-9a-f]{32}\.part", part.name) and time.time() - newest > LEFTOVER_AGE:
                shutil.rmtree(part) if part.is_dir() and not part.is_symlink() else part.unlink()


def flush(file: Path) -> None:
    """Wait until a file's content is on the disk."""
    with file.open("rb+") as opened:
        os.fsync(opened.fileno())


def describe_error(error: OSError) -> str:
    """A short description of an error, with a remedy if there is an obvious one."""
    words = (error.strerror or str(error)).lower()
    if error.errno in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT):
        return f"{words}; free some space and try again"
    return words


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file completely or not at all, and flush it to the disk."""
    with atomic_path(path) as part:
        part.write_bytes(content)


def as_plain(content: Any) -> Any:
    """Content after a round trip through JSON: tuples become lists."""
    return json.loads(json.dumps(content))


def as_json(content: Any) -> str:
    return json.dumps(content, indent=2)


def write_text(path: Path, content: str) -> None:
    """Write a file as UTF-8; bytes of file names that are not UTF-8 are escaped."""
    write_bytes(path, content.encode("utf-8", "backslashreplace"))


def write_json(path: Path, content: Any) -> None:
    write_text(path, (as_json(content) + "\n"))


def create_json(path: Path, content: Any) -> None:
    """Write a file unless there is one already, also if several processes do it at the same time."""
    with temporary(path) as part:
        part.write_text(as_json(content) + "\n")
        try:
            os.link(part, path)
        except FileExistsError:
            pass
        except OSError:  # a file system without links
            part.replace(path)


def component(name: str) -> str:
    """Any name as a single, safe component of a path."""
    safe = "".join("_" if c in '/\\:*?"<>|' or ord(c) < 32 else c for c in name).strip(" ")
    return safe.lstrip(".") or "_"


def append_line(path: Path, line: str) -> None:
    """Add a line to a file of lines.

    Raises:
        InputError: if it cannot be written.
    """
    try:
        with path.open("a") as file:
            file.write(line + "\n")
    except OSError as error:
        raise InputError(f"cannot write {path}: {describe_error(error)}") from error


def check_output(path: Path, force: bool, file: bool = False) -> None:
    """Check that an output may be written to `path`.

    Args:
        force: allow overwriting, except of a folder that holds a run, the working directory, or the home directory. A
            folder that is replaced as a whole is checked by `folders.check_folder`.
        file: a file will be written, which must not replace a folder.

    Raises:
        InputError: if something exists there and `force` is not set, or it must not be overwritten, or the folder is
            not writable.
    """
    if file and path.is_dir():
        raise InputError(_folder(path))
    if path.exists() and not force:
        raise InputError(f"{path} exists already; choose another name or overwrite it with --force")
    if path.is_dir():
        _check_expendable(path)
    parent = next(folder for folder in path.absolute().parents if folder.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise InputError(f"cannot write {path}: {parent} is not a folder that can be written to")


def _check_expendable(path: Path) -> None:
    """Check that a folder may be overwritten.

    Raises:
        InputError: if it holds a run, or is the working directory, the home directory, or a parent of them.
    """
    whole = resolved(path)
    if any(resolved(place).is_relative_to(whole) for place in (Path.cwd(), Path.home())):
        raise InputError(
            f"{path} is the working directory, your home directory or a parent of them; choose another folder"
        )
    if run := next((found.parent for found in path.rglob("recipe.json")), None):
        raise InputError(f"{path} holds a run, {run}, which --force does not overwrite; choose another folder")


def _folder(path: Path) -> str:
    return f"{path} is a folder, and a file is to be written; choose another name"

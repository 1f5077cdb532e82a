"""Folders that commands write as a whole. Each has a marker that names what was written, and a folder is only replaced
if it has one: what else lies in it is kept.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import TypedDict

from sparring.errors import InputError
from sparring.files import check_output, resolved, temporary, write_json
from sparring.json_files import read_json

MARKER = ".sparring.json"
MAX_NAMED = 3  # files that a message names


class Made(TypedDict):
    """The content of a marker.

    Attributes:
        what: what the folder holds, such as "samples".
        files: paths of what was written, relative to the folder.
    """

    what: str
    files: list[str]


def made(folder: Path) -> Made | None:
    """What a command wrote to a folder; None if there is no marker, or a damaged one."""
    with suppress(InputError):
        return read_json(folder / MARKER, Made)
    return None


def mark(folder: Path, what: str, files: Iterable[str] = ()) -> None:
    """Write the marker of a folder."""
    write_json(folder / MARKER, Made(what=what, files=sorted(files)))


def check_folder(path: Path, what: str, force: bool) -> None:
    """Check that a folder may be written to `path`.

    Args:
        what: what it will hold, such as "samples".
        force: also over a folder that holds the same, written by a command.

    Raises:
        InputError: if something else is there, or it cannot be written.
    """
    if path.is_dir():
        check_output(path, force=True)
        _check_replaceable(path, made(path), what)
    elif path.exists():
        raise InputError(f"{path} is a file, and a folder is to be written; choose another name")
    check_output(path, force)  # advises --force only where that would work


def _check_replaceable(path: Path, marker: Made | None, what: str) -> None:
    """Check that a folder is empty, or holds what a command wrote.

    Raises:
        InputError: if not.
    """
    if marker is not None and marker["what"] != what:
        found = marker["what"]
        raise InputError(f"{path} holds another result of sparring ({found}), not {what}; choose another folder")
    if marker is None and any(path.iterdir()):
        raise InputError(
            f"{path} was not written by sparring (it has no {MARKER}) and is not overwritten; choose another folder"
        )


@contextmanager
def output_folder(path: Path, what: str, older: Collection[str] = ()) -> Iterator[Path]:
    """A temporary path to write a folder to. It is marked, and takes the place of `path` if no error occurs. Of a
    folder that is there already, only what a command wrote is removed.

    Args:
        what: what the folder holds, such as "samples".
        older: names of files that an older version wrote without a marker.

    Raises:
        InputError: if it cannot be written, or if a folder is there that was not written by a command.
    """
    place = resolved(path) if path.is_symlink() else path
    with temporary(place) as part:
        yield part
        new = _files(part)
        mark(part, what, new)
        marker = made(place)
        if place.is_dir() and not older:
            _check_replaceable(place, marker, what)
        before = {*older, *(marker["files"] if marker else ()), MARKER}
        _kept(part, place, before)
        if marker is not None:
            mark(place, what, before | new)  # if this is interrupted, all of it can still be replaced
        put(part, place, before)


def _kept(part: Path, place: Path, before: Collection[str]) -> set[str]:
    """What is in a folder besides files of these names, when another folder takes its place.

    Raises:
        InputError: if some of it would be overwritten.
    """
    kept = (_files(place) - set(before)) if place.is_dir() else set()
    if clash := sorted(kept & _files(part)):
        named = ", ".join(clash[:MAX_NAMED])
        raise InputError(f"{place} holds files of yours that would be overwritten ({named}); choose another folder")
    return kept


def put(part: Path, place: Path, before: Collection[str]) -> None:
    """Move a folder to a place. Of a folder that is there, the files of these names are removed and others are kept.

    Raises:
        InputError: if one of the others would be overwritten.
    """
    kept, new = _kept(part, place, before), _files(part)
    if kept:
        remove(place, before)
        for name in sorted(new):
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (part / name).replace(place / name)
    elif place.is_dir():
        with temporary(place) as old:
            place.replace(old)
            part.replace(place)
    else:
        part.replace(place)


def _files(folder: Path) -> set[str]:
    """Paths of all files and links below a folder, and of empty folders."""
    found = set()
    for here, folders, files in os.walk(folder):
        links = [name for name in folders if (Path(here) / name).is_symlink()]
        found |= {(Path(here) / name).relative_to(folder).as_posix() for name in (*files, *links)}
        if not files and not folders and Path(here) != folder:
            found.add(Path(here).relative_to(folder).as_posix())
    return found


def remove(folder: Path, names: Iterable[str]) -> None:
    """Remove files below a folder, and the folders that are empty then. Names that lead out of it are ignored."""
    whole = resolved(folder)
    parents = set()
    for name in names:
        path = folder / name
        inside = ".." not in PurePosixPath(name).parts and resolved(path.parent).is_relative_to(whole)
        if inside and (path.is_file() or path.is_symlink()):
            path.unlink()
        parents |= {folder / parent for parent in PurePosixPath(name).parents} if inside else set()
    for parent in sorted(parents - {folder}, key=lambda p: -len(p.parts)):
        if not parent.is_symlink():
            with suppress(OSError):  # it is not empty, or not there
                parent.rmdir()

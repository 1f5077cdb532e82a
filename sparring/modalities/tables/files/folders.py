"""Folders of Parquet files that are the parts of one table."""

from __future__ import annotations

from pathlib import Path

from sparring.data.about import ABOUT
from sparring.data.sources import archives
from sparring.errors import InputError
from sparring.files import describe_error
from sparring.modalities.tables.files.parts import SUFFIX, Parts

TEXT = (".csv", ".tsv")
HIDDEN = ".", "_"  # beginnings of names of files that are no parts, such as _SUCCESS


def parts_in(path: Path) -> Parts | None:
    """The Parquet files of a folder that has no other files, except for those about the data; None for other folders,
    and for those with one such file.

    Raises:
        InputError: if the folder cannot be read.
    """
    files = [p for p in _inside(path) if not p.is_dir()]
    parts = tuple(p for p in files if p.suffix.lower() not in ABOUT)
    return Parts(path, parts) if len(parts) > 1 and {p.suffix.lower() for p in parts} == {SUFFIX} else None


def in_folder(path: Path) -> Parts | None:
    """The same, for a folder that must not hold further tables.

    Raises:
        InputError: if the folder cannot be read, holds tables of text beside Parquet files, or Parquet files in folders
            within it.
    """
    inside = _inside(path)
    files = [p for p in inside if not p.is_dir() and p.suffix.lower() not in ABOUT]
    parts = [p for p in files if p.suffix.lower() == SUFFIX]
    if is_mixed(path):
        text = next(p for p in files if p.suffix.lower() in TEXT)
        raise InputError(
            f"{path} holds {text.name} beside {parts[0].name}; give one of them, or keep the files of one table in a "
            "folder of their own"
        )
    if len(parts) < len(files):
        return None
    for folder in (p for p in inside if p.is_dir()):
        found = next(folder.rglob(f"*{SUFFIX}"), None)
        if found is None:
            continue
        if parts or "=" in folder.name:
            raise InputError(
                f"{path} holds Parquet files in folders within it, such as {folder.name}, which are not joined; put "
                "the files of a table into one folder, with what the folders' names say as a column"
            )
        raise InputError(f"{path} holds Parquet files in a folder within it; give that folder, {found.parent}")
    return parts_in(path)


def is_mixed(path: Path) -> bool:
    """True for a folder with Parquet files beside tables of text, of which it is unknown which is meant.

    Raises:
        InputError: if the folder cannot be read.
    """
    suffixes = {p.suffix.lower() for p in _inside(path) if not p.is_dir()}
    return SUFFIX in suffixes and not suffixes.isdisjoint(TEXT) and not archives(path)


def _inside(path: Path) -> list[Path]:
    try:
        return [p for p in sorted(path.iterdir()) if not p.name.startswith(HIDDEN)]
    except OSError as error:
        raise InputError(f"cannot read {path}: {describe_error(error)}") from error

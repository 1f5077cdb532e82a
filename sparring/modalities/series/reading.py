"""Time series: tables whose rows are steps in time, one file or several that go side by side."""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Iterable, Sequence
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from sparring.data.items import Items
from sparring.errors import InputError
from sparring.files import reason
from sparring.modalities.tables.reading import parsed

if TYPE_CHECKING:
    from pandas import DataFrame, Series

SUFFIXES = (".csv", ".tsv")
LARGEST = 2**28  # bytes of a file of an archive
DATED = "date"  # what the steps of several files are called together


def in_time(items: Items) -> Items:
    """The same rows, called a series where they look like one: they have one column of dates, in order and none
    twice, and beside it nothing but numbers; or they are one column of numbers.
    """
    from pandas.api import types

    frame = items.items
    dates = dated(frame)
    if frame.shape[1] == 1:
        return Items(items.name, "series", frame, notes=items.notes)
    if dates is None:
        return items
    others = [frame[name] for name in frame if name != dates]
    plain = [types.is_numeric_dtype(c.dtype) and not types.is_bool_dtype(c.dtype) for c in others]
    ordered = frame[dates].is_monotonic_increasing or frame[dates].is_monotonic_decreasing
    if not (plain and all(plain) and ordered and frame[dates].is_unique and frame[dates].notna().all()):
        return items
    return Items(items.name, "series", frame, notes=items.notes)


def dated(frame: DataFrame) -> str | None:
    """The only column of dates, None where there is none or more than one."""
    from pandas.api import types

    found = [name for name in frame if types.is_datetime64_any_dtype(frame[name].dtype)]
    return str(found[0]) if len(found) == 1 else None


def read_several(path: Path) -> Items | None:
    """Tables of a folder or an archive that are steps of the same time, side by side; a single one as it is; None where
    there are none.

    A column is called after its file and its name. Steps that one of them lacks are left out.

    Raises:
        InputError: where one of them has no dates, or they have none in common.
    """
    files = sorted(_tables(path))
    if not files:
        return None
    import pandas

    notes: list[str] = []
    stem = path.resolve().name.split(".")[0]
    if len(files) == 1:
        [(file, content)] = files
        return in_time(Items(stem, "rows", parsed(Path(file), content, notes), notes=tuple(notes)))
    names = _short([name for name, _ in files])
    parts = []
    for name, (file, content) in zip(names, files, strict=True):
        frame = parsed(Path(file), content, [])
        dates = dated(frame)
        if dates is None:
            raise InputError(f"{path}: {file} has no column of dates, by which files go side by side; give one file")
        numbers = frame.set_index(dates).select_dtypes("number")
        if not numbers.index.is_unique:
            raise InputError(f"{path}: {file} has a date twice; several files go side by side by their dates")
        parts.append(numbers.add_prefix(f"{name} "))
    joined = pandas.concat(parts, axis=1, join="inner").sort_index()
    if len(joined) < 2:
        raise InputError(f"the {len(files)} tables in {path} have {len(joined)} dates in common; give one of them")
    longest = max(len(part) for part in parts)
    if len(joined) < longest:
        notes.append(f"{longest - len(joined):,} of {longest:,} dates are left out: not all files have them")
    return Items(stem, "series", joined.rename_axis(DATED).reset_index(), notes=tuple(notes))


def _tables(path: Path) -> Iterable[tuple[str, bytes]]:
    """Names and contents."""
    try:
        if path.is_dir():
            return [(p.name, p.read_bytes()) for p in path.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file()]
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                return [(i.filename, archive.read(i)) for i in archive.infolist() if _wanted(i.filename, i.file_size)]
        if tarfile.is_tarfile(path):
            with tarfile.open(path) as archive:
                members = [m for m in archive if m.isreg() and _wanted(m.name, m.size)]
                return [(m.name, archive.extractfile(m).read()) for m in members]  # type: ignore[union-attr]
    except (OSError, zipfile.BadZipFile, tarfile.TarError) as error:
        raise InputError(f"cannot read {path}: {reason(error) if isinstance(error, OSError) else error}") from error
    return []


def _wanted(name: str, size: int) -> bool:
    return name.lower().endswith(SUFFIXES) and size <= LARGEST and not Path(name).name.startswith(".")


def _short(names: Sequence[str]) -> list[str]:
    """Without what all have at the end, such as years."""
    stems = [Path(name).stem for name in names]
    if len(set(stems)) < len(stems):
        stems = [name.replace("/", " ") for name in names]
    places = zip(*(reversed(stem) for stem in stems), strict=False)
    alike = len(list(takewhile(lambda letters: len(set(letters)) == 1, places)))
    return [stem[: len(stem) - alike].strip("_- ") or stem for stem in stems]


def steps(items: Items) -> tuple[DataFrame, Series | None, list[str]]:
    """What a series is made of: columns of numbers in the order of time, their dates, and what the user should know.

    Raises:
        InputError: where there are no numbers, or dates come twice.
    """
    import pandas
    from pandas.api import types

    notes: list[str] = []
    if items.kind == "points":
        names = items.columns or [f"x{i}" for i in range(items.items.shape[1])]
        return pandas.DataFrame(items.items, columns=list(names)).astype(float), None, notes
    frame, dates = items.items, dated(items.items)
    numbers = frame.select_dtypes("number").astype("float64")
    left = [str(name) for name in frame if name not in numbers and name != dates]
    numbers = numbers.drop(columns=[name for name in numbers if types.is_bool_dtype(frame[name].dtype)])
    if not numbers.shape[1]:
        raise InputError(f"{items.name!r} has no column of numbers; a series needs one")
    if left:
        notes.append(f"no numbers, and left out: {', '.join(left[:5])}{', ...' if len(left) > 5 else ''}")
    if dates is None:
        return numbers, None, notes
    if frame[dates].isna().any():
        row = int(frame[dates].isna().to_numpy().argmax()) + 1
        raise InputError(f"{items.name!r} has no date in row {row}; fill it in or leave the row out")
    if frame[dates].dt.tz is not None:
        frame = frame.assign(**{dates: frame[dates].dt.tz_convert("UTC")})
        notes.append("dates are taken to UTC")
    order = frame[dates].argsort(kind="stable")
    if frame[dates].duplicated().any():
        twice = frame[dates][frame[dates].duplicated()].iloc[0]
        raise InputError(f"{items.name!r} has the date {twice} twice; a series has one row for each step")
    return numbers.iloc[order].reset_index(drop=True), frame[dates].iloc[order].reset_index(drop=True), notes

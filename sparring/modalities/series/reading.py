"""Time series: tables whose rows are steps in time, one file or several that go side by side."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparring.data.items import Items
from sparring.errors import InputError
from sparring.modalities.tables.reading import TABLES, is_frame, of_frame, parsed, read_table, tables_in

if TYPE_CHECKING:
    from pandas import DataFrame, Series

DATED = "date"  # what the steps of several files are called together


def read(path: Path) -> Items | None:
    """The series in a table, or in the tables of a folder or an archive; None if there are none.

    Raises:
        InputError: if there are tables that cannot be used.
    """
    if path.suffix.lower() in TABLES:
        return _series(read_table(path))
    items = read_several(path)
    return None if items is None else _series(items)


def adopt(data: Any) -> Items | None:
    """The series in a data frame; None if it is another object, or not a series."""
    return _series(of_frame(data)) if is_frame(data) else None


def _series(items: Items) -> Items | None:
    items = in_time(items)
    return items if items.kind == "series" else None


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
    files = tables_in(path)
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

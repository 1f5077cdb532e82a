"""Time series: tables whose rows are steps in time, in one file or in several that are joined by their dates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sparring.data.items import Items
from sparring.errors import InputError
from sparring.files import resolved
from sparring.modalities.series.layout import FORMS, calculable, date_column, is_dates, retold, side_by_side
from sparring.modalities.series.ordering import SORTED, in_order
from sparring.modalities.tables.columns.sentinels import sentinels
from sparring.modalities.tables.files.folders import is_mixed
from sparring.modalities.tables.files.parts import Parts, is_large
from sparring.modalities.tables.reading import contents, is_frame, is_table, of_frame, parsed, read_table, tables_in

if TYPE_CHECKING:
    from pandas import DataFrame, Series

    Steps = tuple[DataFrame, Series | None, list[str]]

DATES = "date"  # name of the column of dates of several files
MIN_ALONG = 0.99  # share of the rows in which two columns of dates are equally far apart
MAX_REMARKS = 0.01  # share of rows with a word, in a column that tells nothing about the others
MAX_LISTED = 5  # names in a message


def read(path: Path) -> Items | None:
    """The series in a table, or in the tables of a folder or an archive; None if there are none.

    Raises:
        InputError: if there are tables that cannot be used.
    """
    if is_table(path):
        return None if is_large(path) else _series(read_table(path))
    items = None if path.is_dir() and is_mixed(path) else read_several(path)
    return None if items is None else _series(items)


def adopt(data: Any) -> Items | None:
    """The series in a data frame; None if it is another object, or not a series."""
    return _series(of_frame(data)) if is_frame(data) else None


def _series(items: Items) -> Items | None:
    items = in_time(items)
    return items if items.kind == "series" else None


def in_time(items: Items) -> Items:
    """The same rows as a series if they are one: a column of dates in order and otherwise only numbers, or a single
    column of numbers. Several such series below one another become one.
    """
    from pandas.api import types

    frame, notes = calculable(items.items)
    dates, notes = date_column(frame), (*items.notes, *notes)
    if frame.shape[1] == 1:
        return Items(items.name, "series", frame, notes=notes)
    if dates is None:
        return items
    if several := side_by_side(frame, dates):
        return Items(items.name, "series", several[0], notes=(*notes, several[1]))
    others = [frame[name] for name in frame if name != dates and not _says_nothing(frame[name])]
    others = [column for column in others if not _goes_along(column, frame[dates])]
    numeric = [types.is_numeric_dtype(c.dtype) and not types.is_bool_dtype(c.dtype) for c in others]
    if not (numeric and all(numeric) and _is_in_order(frame, dates)):
        return items
    return Items(items.name, "series", frame, notes=notes)


def _says_nothing(column: Series) -> bool:
    """True for words that are the same in all rows, such as the name of a share, or stand in very few of them, such as
    the end of a logger's file, and for an empty column.
    """
    from pandas.api import types

    if types.is_numeric_dtype(column.dtype):
        return not len(column.dropna())
    return len(column.dropna()) <= MAX_REMARKS * len(column) or column.nunique(dropna=False) == 1


def _goes_along(column: Series, dates: Series) -> bool:
    """True for further dates that are always as far from the dates of the steps, such as the end of each hour."""
    if not is_dates(column):
        return False
    apart = (column - dates).value_counts(normalize=True)
    return bool(len(apart)) and float(apart.iloc[0]) >= MIN_ALONG


def _is_in_order(frame: DataFrame, dates: str) -> bool:
    """True if rows are steps in time, in either direction; a few may repeat a date."""
    try:
        _, notes = in_order(frame[dates], frame.drop(columns=dates), "")
    except InputError:
        return False
    return SORTED not in notes


def read_several(path: Path) -> Items | None:
    """Tables of a folder or an archive, joined by their dates; a single table as it is; None if there are none.

    The names of columns begin with the name of their file. Dates that a file lacks are left out.

    Raises:
        InputError: if a table has no unique dates, or they have no dates in common.
    """
    found = tables_in(path)
    if found is None:
        return None
    import pandas

    notes: list[str] = []
    stem = resolved(path).name.split(".")[0]
    if len(found) == 1:
        [(file, content)] = contents(found)
        return in_time(Items(stem, "rows", parsed(file, content, notes), notes=tuple(notes)))
    names = dict(zip(found.names, _short_names(found.names), strict=True))
    parts, forms = {}, []
    for file, content in contents(found):
        frame, _ = calculable(parsed(file, content, []))
        dates = date_column(frame)
        if dates is None:
            raise InputError(f"{path}: {file} has no column of dates, by which files are joined; give a single file")
        rows, _ = in_order(frame[dates], frame.drop(columns=dates), str(file))
        numbers = frame.iloc[rows].set_index(dates).select_dtypes("number")
        if not numbers.index.is_unique:
            raise InputError(f"{path}: {file} has a date twice; files are joined by unique dates")
        parts[str(file)] = numbers.add_prefix(f"{names[str(file)]} ")
        forms.append(frame.attrs.get(FORMS, {}).get(dates))
    joined = pandas.concat([parts[file] for file in sorted(parts)], axis=1, join="inner").sort_index()
    if len(joined) < 2:
        raise InputError(f"the {len(parts)} tables in {path} have {len(joined)} dates in common; give a single file")
    longest = max(len(part) for part in parts.values())
    if len(joined) < longest:
        notes.append(f"{longest - len(joined):,} of {longest:,} dates are left out, as some files do not have them")
    whole = joined.rename_axis(DATES).reset_index()
    whole.attrs[FORMS] = {DATES: forms[0]}
    return Items(stem, "series", whole, notes=tuple(notes))


def _without_sentinels(numbers: DataFrame) -> tuple[DataFrame, list[str]]:
    """Numbers without those that stand for a missing value, such as -9999, and a note about them."""
    import numpy as np

    found: dict[float, list[str]] = {}
    cleaned = {}
    for name, column in numbers.items():
        different, counts = np.unique(column.dropna().to_numpy(), return_counts=True)
        values = different[sentinels(different, counts)].tolist()
        cleaned[name] = column.mask(column.isin(values)) if values else column
        for value in values:
            found.setdefault(value, []).append(str(name))
    listed = "; ".join(f"{value:g} in {', '.join(names[:MAX_LISTED])}" for value, names in found.items())
    return numbers.assign(**cleaned), [f"taken as missing, far from all other values: {listed}"] if found else []


def _short_names(names: Sequence[str]) -> list[str]:
    """Names of files without their common ending, such as a year."""
    stems = [Path(name).stem for name in names]
    if len(set(stems)) < len(stems):
        stems = [name.replace("/", " ") for name in names]
    letters = zip(*(reversed(stem) for stem in stems), strict=False)
    common = len(list(takewhile(lambda position: len(set(position)) == 1, letters)))
    return [stem[: len(stem) - common].strip("_- ") or stem for stem in stems]


def steps(items: Items, patterns: Mapping[str, str] = MappingProxyType({})) -> Steps:
    """The numeric columns of a series in the order of time, their dates, and notes for the user.

    Args:
        patterns: of dates that are not recognized, by name of their column.

    Raises:
        InputError: if there are no numbers, or many dates occur twice or are missing.
    """
    import pandas
    from pandas.api import types

    notes: list[str] = []
    if isinstance(items.items, Parts):
        raise InputError(f"{items.name!r} is larger than the memory, in which series are put in order; give fewer rows")
    if items.kind == "points":
        names = items.columns or [f"x{i}" for i in range(items.items.shape[1])]
        return pandas.DataFrame(items.items, columns=list(names)).astype(float), None, notes
    frame = retold(calculable(items.items)[0], patterns)
    dates = date_column(frame)
    numbers = frame.select_dtypes("number").astype("float64")
    numbers = numbers.drop(columns=[name for name in numbers if types.is_bool_dtype(frame[name].dtype)])
    numbers = numbers.dropna(axis=1, how="all")
    others = [str(name) for name in frame if name not in numbers and name != dates]
    if not numbers.shape[1]:
        raise InputError(f"{items.name!r} has no numeric column; a series needs one")
    if others:
        more = ", ..." if len(others) > MAX_LISTED else ""
        notes.append(f"left out, because they are not numbers: {', '.join(others[:MAX_LISTED])}{more}")
    numbers, marked = _without_sentinels(numbers)
    notes += marked
    if dates is None:
        return numbers, None, notes
    moments = frame[dates]
    if moments.dt.tz is not None:
        moments = moments.dt.tz_convert("UTC")
        if frame.attrs.get(FORMS, {}).get(dates) is None:
            notes.append("dates are converted to UTC")
    try:
        rows, said = in_order(moments, numbers, items.name)
    except InputError as error:
        words = [str(n) for n in others if not types.is_numeric_dtype(frame[n].dtype) and frame[n].nunique() > 1]
        hint = f"; if {words[0]!r} tells several series apart, give each as a file of a folder" if words else ""
        raise InputError(f"{error}{hint}") from error
    ordered = [columns.iloc[rows].reset_index(drop=True) for columns in (numbers, moments)]
    return ordered[0], ordered[1], [*notes, *said]

"""Files of JSON records: one per line, or one list of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparring.errors import InputError
from sparring.modalities.tables.files.decoding import decoded
from sparring.modalities.tables.files.header import unique_names
from sparring.modalities.tables.files.memory import check_text
from sparring.modalities.tables.files.missing import without_markers
from sparring.modalities.tables.files.text import RawTable

if TYPE_CHECKING:
    from pyarrow import ChunkedArray

RECORDS = (".jsonl", ".ndjson", ".json")
ADVICE = 'give one record per line, such as {"age": 31}, or a .csv'


class Digits(str):
    """A number as it is written."""

    __slots__ = ()


DECODER = json.JSONDecoder(parse_float=Digits, parse_int=Digits, parse_constant=str)


def read_records(path: Path, content: bytes, notes: list[str]) -> RawTable:
    """The table in a file of JSON records. Names that a record lacks are missing values. Records within records become
    columns such as "user.id"; lists stay JSON.

    Args:
        path: of the file, for messages.
        notes: messages for the user are appended.

    Raises:
        InputError: if it is not JSON, or holds no records.
    """
    check_text(path, len(content), content.count(b":"))
    columns: dict[str, list[str]] = {}
    count = 0
    for line, record in _records(path, decoded(path.name, content, notes)):
        if not isinstance(record, dict):
            raise InputError(f"{path}: line {line} is no record; {ADVICE}")
        for name, value in _flat(record):
            column = columns.setdefault(name, [])
            column += [""] * (count - len(column))
            column[count:] = ["" if value is None else str(value)]
        count += 1
    if not columns:
        raise InputError(f"{path} is empty")
    names, more = unique_names(list(columns))
    notes += more
    arrays = [_array(column + [""] * (count - len(column))) for column in columns.values()]
    return RawTable(without_markers(dict(zip(names, arrays, strict=True)), notes), commas=False)


def _flat(record: dict[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Names and values of a record and of those within it."""
    for name, value in record.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield before + name, json.dumps(_plain(value), ensure_ascii=False) if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    """A value of JSON with numbers as such."""
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    return json.loads(value) if isinstance(value, Digits) else value


def _array(cells: list[str]) -> ChunkedArray:
    import pyarrow

    return pyarrow.chunked_array([cells], pyarrow.large_string())


def _records(path: Path, text: str) -> Iterator[tuple[int, Any]]:
    """Each record, with the number of its line; of a list, with its position."""
    if text.lstrip().startswith("["):
        yield from enumerate(_parsed(path, 1, text), 1)
        return
    for line, one in enumerate(text.split("\n"), 1):
        if one.strip():
            yield line, _parsed(path, line, one)


def _parsed(path: Path, line: int, text: str) -> Any:
    try:
        return DECODER.decode(text.strip())
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: line {line} is not JSON: {error}; {ADVICE}") from error

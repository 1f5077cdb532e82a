"""JSON from a disk, which may be damaged or come from somebody else: bounded, and checked against a type."""

from __future__ import annotations

import json
import types
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import lru_cache
from pathlib import Path
from typing import (
    Annotated,
    Any,
    Literal,
    NotRequired,
    Required,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from sparring.errors import InputError
from sparring.files import describe_error

MAX_BYTES = 256 * 2**20  # of a file: the description of a table with a million levels is smaller
MAX_SHOWN = 40  # characters of a wrong value that a message shows
MAX_WHOLE = 2**64  # magnitude of whole numbers: columns of tables may hold any of 64 bits without a sign

PLAIN = (str, int, float, bool, list, dict, types.NoneType)

T = TypeVar("T")
NAMES: dict[Any, str] = {
    str: "text", int: "a whole number", float: "a number", bool: "true or false", list: "a list", dict: "an object",
    types.NoneType: "null",
}  # fmt: skip


def read_json(path: Path, kind: type[T]) -> T:
    """The content of a JSON file.

    Args:
        kind: the type that it must have: `str`, `int`, `float`, `bool`, `list[...]`, `dict[str, ...]`, a union of them,
            a `Literal`, `Any` or a `TypedDict`. Objects may have further keys.

    Raises:
        InputError: if the file cannot be read, is too large, is not JSON, or has another type.
    """
    return parse_json(_read(path), kind, str(path))


def parse_json(content: bytes | str, kind: type[T], where: str) -> T:
    """A JSON text as a value of a type.

    Args:
        kind: as for `read_json`.
        where: what the text comes from, for messages.

    Raises:
        InputError: if the text is not JSON, or its value has another type.
    """
    try:
        value: T = json.loads(content)
    except (ValueError, RecursionError) as error:  # no UTF-8 is a ValueError
        why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise InputError(f"{where} is damaged: {why}") from error
    problem = mismatch(value, kind)
    if problem:
        raise InputError(f"{where} is damaged: {problem}")
    return value


def read_lines(path: Path, kind: type[T]) -> list[T]:
    """The values of a file of JSON lines, one per line; none if there is no file. A last line that is not complete,
    because it is being written or its writer was killed, is left out.

    Args:
        kind: as for `read_json`.

    Raises:
        InputError: as `read_json` does.
    """
    if not path.is_file():
        return []
    *lines, _ = _read(path).split(b"\n")
    return [parse_json(line, kind, f"{path}, line {number}") for number, line in enumerate(lines, 1)]


def build(kind: type[T], content: Mapping[str, Any], where: str) -> T:
    """A dataclass from the JSON of its fields. Fields that are not known any more are left out.

    Raises:
        InputError: if a field without a default is missing, or one has another type.
    """
    values = known_fields(kind, content, where)
    for f in fields(kind):  # type: ignore[arg-type]
        if f.name not in values and f.default is MISSING and f.default_factory is MISSING:
            raise InputError(f"{where} is damaged: {f.name} is missing")
    return kind(**values)


def known_fields(kind: Any, content: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The values of a dataclass's fields in an object of JSON, with tuples for lists.

    Raises:
        InputError: if one has another type than the field.
    """
    hints = _hints(kind)
    found = {f.name: content[f.name] for f in fields(kind) if f.name in content}
    for name, value in found.items():
        if problem := mismatch(value, hints[name], name):
            raise InputError(f"{where} is damaged: {problem}")
    return {name: frozen(value) for name, value in found.items()}


def frozen(value: Any) -> Any:
    """A value with tuples for lists."""
    return tuple(frozen(v) for v in value) if isinstance(value, list) else value


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot read {path}: {describe_error(error)}") from error
    if len(content) > MAX_BYTES:
        raise InputError(f"{path} is damaged: it is larger than {MAX_BYTES // 2**20} MiB")
    return content


def mismatch(value: Any, kind: Any, at: str = "") -> str:
    """Why a value is not of a type, in words; "" if it is.

    Args:
        kind: as for `read_json`.
        at: where the value is in the file, such as "run.steps".
    """
    return next(_mismatches(value, kind, at), "")


def _mismatches(value: Any, kind: Any, at: str) -> Iterator[str]:
    origin = get_origin(kind)
    if kind is Any:
        return
    if origin in (Required, NotRequired, Annotated):
        yield from _mismatches(value, get_args(kind)[0], at)
    elif origin in (types.UnionType, Union):
        if all(mismatch(value, option) for option in get_args(kind)):
            yield _wrong(value, kind, at)
    elif origin is Literal:
        if value not in get_args(kind):
            yield _wrong(value, kind, at)
    elif is_typeddict(kind) or origin is dict:
        if not isinstance(value, dict):
            yield _wrong(value, dict, at)
            return
        hints = _hints(kind) if is_typeddict(kind) else {key: get_args(kind)[1] for key in value}
        needed = kind.__required_keys__ if is_typeddict(kind) else hints
        for key, hint in hints.items():
            if key in needed and key not in value and get_origin(hint) is not NotRequired:
                yield f"{_below(at, key)} is missing"
        for key in value:
            if key in hints:
                yield from _mismatches(value[key], hints[key], _below(at, key))
    elif origin in (list, tuple):  # JSON has no tuples
        if not isinstance(value, list):
            yield _wrong(value, list, at)
            return
        kinds = get_args(kind)
        if origin is list or Ellipsis in kinds:
            kinds = kinds[:1] * len(value)
        if len(value) != len(kinds):
            yield f"{at or 'its content'} has {len(value)} values, not {len(kinds)}"
            return
        for i, (item, own) in enumerate(zip(value, kinds, strict=True)):
            yield from _mismatches(item, own, f"{at}[{i}]")
    elif is_dataclass(kind):
        if not isinstance(value, dict):
            yield _wrong(value, dict, at)
    elif kind not in PLAIN:
        return  # no type that JSON has
    elif not _is(value, kind):
        yield _wrong(value, kind, at)


@lru_cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)


def _is(value: Any, kind: type) -> bool:
    """True if a value is of a plain type. Whole numbers are numbers; truth values are not."""
    if isinstance(value, bool):
        return kind is bool
    if isinstance(value, int):
        return kind in (int, float) and abs(value) < MAX_WHOLE
    return isinstance(value, kind)


def _wrong(value: Any, kind: Any, at: str) -> str:
    options = get_args(kind) if get_origin(kind) in (types.UnionType, Union, Literal) else (kind,)
    wanted = " or ".join(NAMES.get(get_origin(o) or o, "an object" if is_typeddict(o) else repr(o)) for o in options)
    try:
        shown = json.dumps(value)
    except (ValueError, RecursionError):  # of a whole number with thousands of digits
        shown = NAMES.get(type(value), "something else")
    shown = shown if len(shown) <= MAX_SHOWN else f"{shown[:MAX_SHOWN]}..."
    return f"{at or 'its content'} is {shown}, not {wanted}"


def _below(at: str, key: str) -> str:
    return f"{at}.{key}" if at else key

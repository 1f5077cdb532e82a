"""The columns that several Parquet files have in common."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sparring.errors import InputError
from sparring.modalities.tables.files import frames

if TYPE_CHECKING:
    from pyarrow import ChunkedArray, DataType, Field, Schema

PIECE = 65_536  # rows that are decoded at once
BEYOND_INT64 = 2.0**63


@contextmanager
def readable(file: Path) -> Iterator[None]:
    """Turns what Arrow says of a file that is damaged or cannot be opened into an `InputError`."""
    from pyarrow import ArrowException

    try:
        yield
    except (ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno:
            raise InputError(f"cannot read {file}: {os.strerror(error.errno).lower()}") from error
        raise InputError(f"{file} is damaged: {str(error).splitlines()[0]}") from error


def without_index(schema: Schema) -> Schema:
    """A schema without the columns that are the index of a data frame, unless they are its dates."""
    import pyarrow
    from pyarrow import types

    described = json.loads((schema.metadata or {}).get(b"pandas", b"{}"))
    index = described.get("index_columns", [])  # names, and descriptions of what is not stored
    dates = [field for field in schema if [field.name] == index and types.is_timestamp(field.type)]
    others = [field for field in schema if field.name not in index]
    return pyarrow.schema([field.with_nullable(True) for field in (*dates, *others)])


def names(schema: Schema) -> tuple[list[str], list[str]]:
    """What the columns are called that `without_index` leaves, in their order, as in a data frame of a single file, and
    notes for the user.

    Args:
        schema: with what pandas tells of the index and of names in several levels.
    """
    notes: list[str] = []
    frame = schema.empty_table().to_pandas()
    if len(without_index(schema)) == frame.shape[1]:
        frame = frame.reset_index(drop=True)
    return [str(name) for name in frames.named(frames.as_frame(frame), notes)], notes


def joint(files: Sequence[Path], schemas: Sequence[Schema]) -> Schema:
    """The columns of all files, with types that can hold the values of each: whole numbers where all numbers are, as
    parts with gaps have them as decimals.

    Args:
        schemas: of the files, without index.

    Raises:
        InputError: if a file has other columns than the first, or of a type that does not agree.
    """
    first = schemas[0]
    whole = first
    if len(set(first.names)) < len(first):
        twice = next(name for name in first.names if first.names.count(name) > 1)
        raise InputError(f"{files[0]} has several columns {twice!r}; give them different names")
    for file, schema in zip(files[1:], schemas[1:], strict=True):
        if other := set(schema.names) ^ set(first.names):
            has = "has a" if min(other) in schema.names else "has no"
            raise InputError(f"{file} {has} column {min(other)!r}, unlike {files[0]}; give files with the same columns")
        for i, field in enumerate(whole):
            whole = whole.set(i, _either(field, schema.field(field.name), file))
    for i, field in enumerate(whole):
        whole = whole.set(i, _exact(field, files, [schema.field(field.name).type for schema in schemas]))
    return whole


def _either(one: Field, other: Field, file: Path) -> Field:
    """A column of a type that can hold the values of both."""
    import pyarrow

    both = pyarrow.schema([one]), pyarrow.schema([other])
    try:
        return pyarrow.unify_schemas(both, promote_options="permissive").field(0)
    except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError) as error:
        raise InputError(
            f"{file}: column {one.name!r} holds {other.type}, but {one.type} in the files before it; write it alike in "
            "all files"
        ) from error


def _exact(field: Field, files: Sequence[Path], kinds: Sequence[DataType]) -> Field:
    """A column of decimals and whole numbers, as whole numbers if all of them are."""
    import pyarrow
    from pyarrow import types

    decimal = [file for file, kind in zip(files, kinds, strict=True) if types.is_floating(kind)]
    if not types.is_floating(field.type) or not any(map(types.is_integer, kinds)):
        return field
    return field.with_type(pyarrow.int64()) if all(_is_whole(file, field.name) for file in decimal) else field


def _is_whole(file: Path, name: str) -> bool:
    """True if all decimals in a column of a file are whole numbers, or missing."""
    import pyarrow
    import pyarrow.compute as pc
    from pyarrow import parquet

    with readable(file), parquet.ParquetFile(file) as opened:
        for batch in opened.iter_batches(PIECE, columns=[name]):
            x = batch.column(0).cast(pyarrow.float64())
            present = x.filter(pc.invert(pc.is_nan(x)))
            fits = pc.and_(pc.equal(pc.trunc(present), present), pc.less(pc.abs(present), BEYOND_INT64))
            if not pc.all(fits, min_count=0).as_py():
                return False
    return True


def converted(values: ChunkedArray, field: Field, file: str) -> ChunkedArray:
    """The values of a column of a file in the type that all files have it in.

    Raises:
        InputError: if that type cannot hold one.
    """
    import pyarrow
    import pyarrow.compute as pc
    from pyarrow import types

    if types.is_floating(values.type) and types.is_integer(field.type):
        values = pc.if_else(pc.is_nan(values), None, values)
    try:
        return values.cast(field.type)
    except (pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError) as error:
        raise InputError(
            f"{file}: column {field.name!r} holds {values.type}, which does not fit into {field.type}, as all files "
            f"together have it ({str(error).splitlines()[0]}); write it alike in all files"
        ) from error

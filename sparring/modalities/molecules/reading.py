"""Molecules in files: lists of SMILES, tables with a column of SMILES, and SD files."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sparring.data.items import Items
from sparring.errors import InputError, needs
from sparring.files import describe_error, resolved
from sparring.metrics import chemistry
from sparring.modalities.molecules.recognition import (
    check_named,
    column_called,
    holds_smiles,
    is_named,
    smiles_columns,
)
from sparring.modalities.molecules.records import Records
from sparring.modalities.tables.files import compressed, frames
from sparring.modalities.tables.files.folders import TEXT, parts_in
from sparring.modalities.tables.files.parts import Parts
from sparring.modalities.tables.reading import columns, is_frame

if TYPE_CHECKING:
    from pandas import DataFrame

KIND = "molecules"
LISTS = (".smi", ".smiles", ".ism")  # suffixes of lists of SMILES
SD = (".sdf", ".sd")
FREE_TEXT = (".txt",)  # lists of SMILES if their content is
HEAD = 2**16  # bytes of a table by which it is recognized
SEPARATORS = ",\t;|"
HEADERS = ("smiles", "smile", "canonical_smiles", "isosmiles", "isomeric_smiles")  # of lists
INSTALL = "rdkit reads molecules and is not installed; pip install 'sparring[molecules]'"


def read(path: Path) -> Items | None:
    """The molecules in a file; None if it holds other data.

    Raises:
        InputError: if it should hold molecules and does not.
    """
    plain = compressed.without_suffix(path)
    suffix = plain.suffix.lower()
    if path.is_dir() and find_spec("rdkit") is not None and (found := parts_in(path)) is not None:
        return _parquet(found)
    if path.is_dir() or suffix not in (*LISTS, *SD, *FREE_TEXT, *TEXT, ".parquet"):
        return None
    if find_spec("rdkit") is None:
        if suffix in (*LISTS, *SD):
            raise InputError(f"{path} was given, but {INSTALL}")
        return None
    name = path.name.split(".")[0]
    try:
        if suffix == ".parquet":
            return _parquet(Parts(path, (path,)))
        content = compressed.content(path)
    except OSError as error:
        raise InputError(f"cannot read {path}: {describe_error(error)}") from error
    if suffix in SD:
        return Items(name, KIND, checked(sd_records(path, content), str(path)))
    if suffix in LISTS:
        return Items(name, KIND, checked(listed(path, content), str(path)))
    if suffix in FREE_TEXT:
        return _free_text(path, name, content)
    return _table(plain, name, content)


def adopt(data: Any) -> Items | None:
    """The molecules in a data frame with a column of SMILES; None for other objects."""
    if not is_frame(data) or find_spec("rdkit") is None:
        return None
    frame = frames.named(frames.as_frame(data), [])
    found = smiles_columns(texts_of(frame))
    return Items("frame", KIND, checked(of_frame(frame, found[0]), "the frame")) if found else None


def checked(records: Records, where: str) -> Records:
    """The same records.

    Raises:
        InputError: if there are fewer than two.
    """
    if len(records) < 2:
        raise InputError(f"{where} has {len(records)} molecules; give at least two")
    return records


# Lists of SMILES.


def listed(path: Path, content: bytes) -> Records:
    """The first word of each line. A name may follow it.

    Raises:
        InputError: if the content is empty or not text.
    """
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise InputError(f"{path} is not text; give one SMILES per line") from None
    if "\0" in content[:HEAD].decode(errors="replace"):
        raise InputError(f"{path} is not text; give one SMILES per line")
    words = [line.replace("\t", " ").strip().partition(" ")[0].partition(",")[0] for line in lines]
    kept = [i for i, word in enumerate(words) if word]
    if not kept:
        raise InputError(f"{path} is empty")
    if words[kept[0]].lower() in HEADERS:
        kept = kept[1:]
    return Records(tuple(words[i] for i in kept), "line", np.array(kept, np.int64) + 1)


def _free_text(path: Path, name: str, content: bytes) -> Items | None:
    head = content[:HEAD].decode("utf-8-sig", errors="replace").splitlines()
    lines = [line.strip() for line in (head if len(content) <= HEAD else head[:-1])]
    first = [line for line in lines if line and line.lower() not in HEADERS]
    if not first or not holds_smiles(first):
        return None
    return Items(name, KIND, checked(listed(path, content), str(path)))


# Tables.


def _table(path: Path, name: str, content: bytes) -> Items | None:
    if not _may_hold_smiles(content[:HEAD]):
        return None
    notes: list[str] = []
    return _of_columns(columns(path, content, notes), name, str(path), tuple(notes))


def _parquet(found: Parts) -> Items | None:
    needs("pandas", "tables", "reads tables")
    needs("pyarrow", "tables", "reads Parquet files")
    from pyarrow import ArrowException, parquet, types

    first_file = found.files[0]
    try:
        with parquet.ParquetFile(first_file) as file:
            schema = file.schema_arrow
            text = [f.name for f in schema if types.is_string(f.type) or types.is_large_string(f.type)]
            head = next(file.iter_batches(batch_size=1000, columns=text), None) if text else None
    except (ArrowException, OSError):
        return None  # the table's reader says what is wrong
    if head is None:
        return None
    first = {column: [value or "" for value in head.column(column).to_pylist()] for column in text}
    if not smiles_columns(first) and not any(map(is_named, first)):
        return None
    name = resolved(found.path).name.split(".")[0]
    if len(found.files) == 1:
        return _of_columns(frames.read_parquet(first_file), name, str(found.path), ())
    return _of_columns(found.frame(), name, str(found.path), tuple(found.notes))


def _of_columns(frame: DataFrame, name: str, where: str, notes: tuple[str, ...]) -> Items | None:
    texts = texts_of(frame)
    found = smiles_columns(texts)
    if not found:
        check_named(texts, where)
        return None
    return Items(name, KIND, checked(of_frame(frame, found[0]), where), notes=notes)


def _may_hold_smiles(head: bytes) -> bool:
    """True if a table's first lines have a cell per line that is a SMILES, or a header that is named so."""
    lines = head.decode("utf-8-sig", errors="replace").splitlines()
    lines = [line for line in (lines if len(head) < HEAD else lines[:-1]) if line.strip()]
    if not lines:
        return False
    separator = max(SEPARATORS, key=lines[0].count)
    rows = list(csv.reader(io.StringIO("\n".join(lines)), delimiter=separator))
    if any(map(is_named, rows[0])):
        return True
    width = len(rows[0])
    cells = zip(*(row for row in rows[1:] if len(row) == width), strict=True)
    return any(holds_smiles(column) for column in cells)


def texts_of(frame: DataFrame) -> dict[str, list[str]]:
    """The columns of text, "" where a value is missing."""
    from pandas.api import types

    text = [name for name in frame if types.is_string_dtype(frame[name].dtype) or frame[name].dtype == object]
    return {str(name): [value if isinstance(value, str) else "" for value in frame[name]] for name in text}


def of_frame(frame: DataFrame, column: str) -> Records:
    """The molecules in a column of a table, with its numeric columns."""
    from pandas.api import types

    texts = texts_of(frame)
    numeric = [
        name for name in frame if types.is_numeric_dtype(frame[name].dtype) and not types.is_bool_dtype(frame[name])
    ]
    numbers = {str(name): frame[name].to_numpy(np.float64, na_value=np.nan) for name in numeric}
    others = {name: tuple(values) for name, values in texts.items() if name != column and holds_smiles(values)}
    smiles = tuple(text.strip() for text in texts[column])
    return Records(smiles, "row", np.arange(len(frame)) + 1, numbers, column, others)


def records_of(items: Items, column: str) -> Records:
    """The molecules of a data set, in the column of this name if one is given.

    Raises:
        InputError: if there is no such column, or no column of SMILES.
    """
    where, records = repr(items.name), items.items
    if isinstance(records, Records):
        if not column or column == records.column:
            return records
        column_called(column, records.others, where)
        return Records(records.others[column], records.unit, records.numbers, records.columns, column)
    texts = texts_of(records)
    if column:
        return of_frame(records, column_called(column, texts, where))
    found = smiles_columns(texts)
    if not found:
        raise InputError(f"{where} has no column of SMILES; its columns are {', '.join(map(str, records))}")
    return of_frame(records, found[0])


# SD files.


def sd_records(path: Path, content: bytes) -> Records:
    """The records of an SD file, with their numeric properties.

    Raises:
        InputError: if there are none.
    """
    chem = chemistry.chem()
    if b"\0" in content[:HEAD] or b"$$$$" not in content:
        raise InputError(f"{path} is not an SD file, whose records end in $$$$")
    with chemistry.quiet():
        molecules = list(chem.ForwardSDMolSupplier(io.BytesIO(content)))
        smiles = tuple("" if molecule is None else chem.MolToSmiles(molecule) for molecule in molecules)
        properties = [{} if m is None else m.GetPropsAsDict() for m in molecules]
    return Records(smiles, "record", np.arange(len(smiles)) + 1, _numeric(properties))


def _numeric(properties: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The properties whose values are numbers wherever they are given."""
    names = list(dict.fromkeys(name for values in properties for name in values))
    numeric = {}
    for name in names:
        values = [row.get(name) for row in properties]
        if all(value is None or (isinstance(value, int | float) and not isinstance(value, bool)) for value in values):
            numeric[name] = np.array([np.nan if value is None else value for value in values], np.float64)
    return numeric

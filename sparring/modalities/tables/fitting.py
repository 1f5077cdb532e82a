"""Tables are fitted to rows: their columns, and the combinations of levels that constraints allow."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from torch import Tensor

from sparring.data.items import Items
from sparring.errors import InputError, nearest
from sparring.modalities.tables.columns import file_context, fit_column
from sparring.modalities.tables.conditions import column_called, combinations, parameters
from sparring.modalities.tables.files.parts import Parts, pieces
from sparring.modalities.tables.private import Measured, fit_columns, measure_pairs

if TYPE_CHECKING:
    from pandas import DataFrame

    from sparring.modalities.tables.table import Table
    from sparring.privacy import SecretNoise

FITTED_ROWS = 500_000  # that columns are fitted to if not all rows fit into the memory
OMIT = "omit"  # the kind that leaves a column out

T = TypeVar("T", bound="Table")


def fitted(table: T, items: Items) -> T:
    """A table whose columns are fitted to all rows, or to many drawn at random if they do not fit into the memory.

    Raises:
        InputError: if the data cannot be used.
    """
    data = items.items
    frame, kinds = _kept(table, data.drawn(FITTED_ROWS) if isinstance(data, Parts) else data, items.name)
    if isinstance(data, Parts):
        numbered = {name: "identifier" for name in data.numbered if name in frame and frame[name].is_unique}
        kinds = numbered | kinds
    context, mixture = file_context(frame), table.numbers == "mixture"
    columns = tuple(fit_column(frame[name], kinds.get(name, ""), mixture, context) for name in frame)
    if table.target and not next(c for c in columns if c.name == table.target).width:
        raise InputError(f"target={table.target} is an identifier, which is not learned; choose another column")
    if not any(column.width for column in columns):
        raise InputError(f"{items.name!r} has only identifiers; specify other kinds (columns=NAME=category)")
    return _with_constraints(replace(table, columns=columns), items.name, data)


def fitted_privately(table: T, items: Items, columns: float, pairs: float, selection: float, source: SecretNoise) -> T:
    """A table whose columns are fitted to noisy counts of the training rows, with noisy marginals of pairs of columns.

    Args:
        columns, pairs: noise of either, as that of a single release; infinite to measure no pairs.
        selection: delta that the choice of levels may take.
        source: of the noise.

    Raises:
        InputError: if a column cannot be fitted like this.
    """
    if isinstance(items.items, Parts):
        raise InputError(f"{items.name!r} is larger than the memory, which privacy= does not support; give fewer rows")
    rows = table.split(items).train
    train = replace(items, items=items.items.iloc[rows], labels=None, held=None)
    frame, kinds = _kept(table, train.items, items.name)
    found, release = fit_columns(frame, kinds, columns, selection, source)
    private = replace(table, columns=found, measured=Measured((release,), selection, len(rows)))
    if math.isinf(pairs):
        return private
    encoded = private.encode(train).values
    assert isinstance(encoded, Tensor)
    codes = encoded[:, : len(private.learned)].long().numpy()
    shares, measuring = measure_pairs(codes, private.widths, private.target_index, pairs, source)
    return replace(private, measured=Measured((release, measuring), selection, len(rows), shares))


def _kept(table: Table, frame: DataFrame, name: str) -> tuple[DataFrame, dict[str, str]]:
    """The rows without the columns that the user leaves out, and the kinds that the user gives others.

    Args:
        name: of the data set.
    """
    kinds = dict(_name_and_kind(text) for text in table.told)
    for column in (*kinds, *([table.target] if table.target else [])):
        if column not in frame:
            raise InputError(f"{name!r} has no column {column!r}; {nearest(column, map(str, frame))}")
    if kinds.get(table.target) == OMIT:
        raise InputError(f"target={table.target} is left out by columns={table.target}={OMIT}; choose one of them")
    if frame.shape[1] < 2:
        one = str(frame.columns[0])
        raise InputError(f"{name!r} has one column, {one!r}; a table needs two (separate them by , or ;)")
    kept = frame.drop(columns=[column for column, kind in kinds.items() if kind == OMIT])
    if kept.shape[1] < 2:
        raise InputError(f"columns={','.join(table.told)} leaves fewer than two columns of {name!r}; keep more")
    return kept, {column: kind for column, kind in kinds.items() if kind != OMIT}


def _name_and_kind(text: str) -> tuple[str, str]:
    name, equals, kind = text.rpartition("=")
    if not equals:
        raise InputError(
            f"columns={text} has no kind; write columns={text}=KIND (category, number, identifier or {OMIT})"
        )
    return name, kind


def _with_constraints(table: T, name: str, data: DataFrame | Parts) -> T:
    """A fitted table with the combinations that its constraints allow.

    Raises:
        InputError: if the data violate a constraint.
    """
    for text in table.constraints:
        for column in parameters(text):
            column_called(column, table.columns_by_name)
    if not table.constraints:
        return table
    together: list[set[tuple[str, ...]]] = [set() for _ in table.constraints]
    for i, text in enumerate(table.constraints):
        columns = [table.columns_by_name[name] for name in parameters(text)]
        for frame in pieces(data) if "together" in text else ():
            together[i].update(combinations(frame, columns))
    whole = replace(table, combinations=tuple(tuple(sorted(found)) for found in together))
    start = 0
    for frame in pieces(data):
        for constraint in whole.rules:
            violations = np.flatnonzero(~constraint.holds(frame))
            if len(violations):
                where = f"{name!r} violates it, first in row {start + violations[0] + 1}"
                raise InputError(f"constraints={constraint.text}: {where}; correct the data or remove the constraint")
        start += len(frame)
    return whole

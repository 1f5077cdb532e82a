"""What images can be asked for if a table lies beside them: columns of the table, and combinations of their values."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sparring.data.items import Items
from sparring.data.tensors import VALUES
from sparring.errors import InputError, nearest
from sparring.json_files import build
from sparring.layers.condition import Columns
from sparring.modalities.asks import Ask, Request
from sparring.modalities.images.beside import Beside
from sparring.modalities.images.recombination import recombine
from sparring.modalities.tables.columns import Category, Column, file_context, fit_column
from sparring.modalities.tables.conditions import Condition
from sparring.modalities.tables.table import Table

if TYPE_CHECKING:
    from pandas import DataFrame

MAX_ROWS = 20_000  # of the training table that a model keeps
FREE_TEXT = 0.5  # share of values that are rare from which a column is free text


@dataclass(frozen=True)
class Attributes:
    """Columns of a table beside images, and the rows of the training images, from which conditions are drawn.

    A condition is an encoded row: a code for each column, then the scalars of numbers; float (n, width).

    Attributes:
        table: the fitted columns.
        rows: encoded rows of training images, at most 20,000: float32 (n, width), compressed, in Base64.
        notes: what was recognized, for the user, a line each.
    """

    table: Table
    rows: str
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        table: Any = self.table
        if isinstance(table, Mapping):
            object.__setattr__(self, "table", build(Table, table, "the attributes' table"))

    @classmethod
    def fit(cls, beside: Beside, train: NDArray[np.int64], wanted: Sequence[str]) -> Self | None:
        """The columns that samples can be asked for; None if there are none.

        Args:
            train: rows of `beside` that are trained on.
            wanted: the columns, each as NAME or NAME=KIND; () for all that can be conditions.

        Raises:
            InputError: if a column is wanted that does not exist or cannot be a condition.
        """
        columns, left_out = _columns(beside, wanted)
        if not columns:
            return None
        notes = [
            f"{beside.name} describes {len(beside.items):,} images, whose files its column {beside.column!r} names; "
            f"they can be asked for by {', '.join(column.name for column in columns)}"
        ]
        notes += [f"columns that are no conditions: {', '.join(left_out)}"] if left_out else []
        table = Table(columns=tuple(columns))
        fitted = cls(table, "", (*notes, *beside.notes))
        kept = train[:: -(-len(train) // MAX_ROWS)]
        return replace(fitted, rows=_packed(fitted.encode(beside.frame.iloc[kept])))

    # Encoding.

    @property
    def columns(self) -> Columns:
        """The layout of a condition."""
        return Columns(self.table.widths, tuple(owner for owner, _ in self.table.scalars))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.table.learned)

    def encode(self, frame: DataFrame) -> Tensor:
        """Rows as conditions, float (n, width)."""
        values = self.table.encode(Items("rows", "rows", frame)).values
        assert isinstance(values, Tensor)
        return values

    @cached_property
    def encoded(self) -> Tensor:
        """Conditions of training images, (n, width).

        Raises:
            InputError: if they are damaged.
        """
        return _unpacked(self.rows, self.columns)

    @cached_property
    def recombined(self) -> Tensor:
        """Conditions that most training images do not have, with pairs of values that they have, (n, width)."""
        return recombine(self.encoded, self.encoded, self.columns)

    @cached_property
    def frame(self) -> DataFrame:
        """The rows of training images as values of the columns."""
        return self.decode(self.encoded)

    def decode(self, conditions: Tensor) -> DataFrame:
        """Conditions (n, width) as rows."""
        frame: DataFrame = self.table.decode({VALUES: self.table.scale(conditions)})
        return frame

    # Asking.

    @property
    def asks(self) -> tuple[Ask, ...]:
        (where,) = self.table.asks
        return (where,)

    def draw(self, n: int, device: torch.device, rows: Tensor | None = None) -> Tensor:
        """Conditions of n samples: at random from training rows whose columns were recombined.

        Args:
            rows: draw from these instead, (m, width).
        """
        rows = (self.recombined if rows is None else rows).to(device)
        return rows[torch.randint(len(rows), (n,), device=device)]

    def request(self, where: Any) -> Request:
        """Conditions that satisfy rules: rows of training images that satisfy all of them, whose other columns were
        recombined. If there are none, rows that satisfy as many as possible, in which the columns of the other rules
        are changed to satisfy these.

        Raises:
            InputError: if a rule cannot be parsed or satisfied.
        """
        asked = self.table.request(where=where)
        rules: tuple[Condition, ...] = asked.rules
        if not rules:
            return Request()
        holds = np.stack([rule.holds(self.frame) for rule in rules])  # (rules, rows)
        counts = holds.sum(0)
        best = np.flatnonzero(counts == counts.max())
        if counts.max() == len(rules):
            fixed = {self.names.index(name) for rule in rules for name in (rule.column, rule.other) if name}
            return Request(recombine(self.encoded[best], self.encoded, self.columns, fixed))
        _check_possible(rules)
        changed = self.encoded[best].clone()
        for column in dict.fromkeys(rule.column for rule in rules):
            own = [i for i, rule in enumerate(rules) if rule.column == column]
            satisfying: NDArray[np.bool_] = np.logical_and.reduce(holds[own])
            wrong = np.flatnonzero(~satisfying[best])
            changed[wrong] = self._with_column(changed[wrong], column, [rules[i] for i in own], satisfying)
        texts = " and ".join(rule.text for rule in rules)
        note = f"no training image has {texts}; it is set as asked, and the rest is that of the closest images"
        return Request(changed, notes=(note,))

    def _with_column(
        self, conditions: Tensor, column: str, rules: Sequence[Condition], satisfying: NDArray[np.bool_]
    ) -> Tensor:
        """Conditions (n, width) in which a column satisfies its rules, with values of training images that do.

        Args:
            satisfying: which training images do, (rows,).
        """
        source = self.encoded[torch.from_numpy(satisfying)]
        if not len(source):
            source = self._of_value(column, rules)
        place = self.names.index(column)
        scalars = [len(self.names) + i for i, owner in enumerate(self.columns.scalars) if owner == place]
        order = torch.randint(len(source), (len(conditions),), generator=torch.Generator().manual_seed(0))
        conditions = conditions.clone()
        for i in (place, *scalars):
            conditions[:, i] = source[order, i]
        return conditions

    def _of_value(self, column: str, rules: Sequence[Condition]) -> Tensor:
        """A condition (1, width) with a value of a column that no training image has: a level of others, or a number
        within the range of the data.
        """
        import pandas

        equal = next((rule for rule in rules if rule.operator == "="), None)
        reader = next(rule.reader for rule in rules if rule.reader is not None)
        texts = " and ".join(rule.text for rule in rules)
        condition = self.encoded[:1].clone()
        place = self.names.index(column)
        if equal is not None and isinstance(reader, Category):
            condition[:, place] = reader.code(equal.value)
            return condition
        numbers = reader.numbers(self.frame[column])
        low, high = np.nanmin(numbers), np.nanmax(numbers)
        if equal is None or isinstance(equal.value, str) or not low <= equal.value <= high:
            raise InputError(f"no training image has {texts}; {column!r} is from {low:g} to {high:g} in the data")
        codes, scalars = reader.encode(pandas.Series([equal.value]))
        condition[:, place] = float(codes[0])
        for i, owner in enumerate(self.columns.scalars):
            if owner == place:
                condition[:, len(self.names) + i] = float(scalars[0])
        return condition


def _check_possible(rules: Sequence[Condition]) -> None:
    """Refuse rules between columns that no training image satisfies: it is not known which column to change."""
    between = [rule.text for rule in rules if rule.other]
    if between:
        texts = " and ".join(rule.text for rule in rules)
        raise InputError(f"no training image satisfies {texts}; leave {between[0]!r} out, or ask for less")


def _columns(beside: Beside, wanted: Sequence[str]) -> tuple[list[Column], list[str]]:
    """The fitted columns that can be conditions, and the others with the reason."""
    frame, kinds = beside.frame, dict(_name_and_kind(text) for text in wanted)
    for name in kinds:
        if name not in frame:
            raise InputError(f"columns={name}: {beside.name} has no such column; {nearest(name, map(str, frame))}")
    context = file_context(frame)
    columns, left_out = [], []
    for name in kinds or map(str, frame):
        column = fit_column(frame[name], kinds.get(name, ""), False, context)
        reason = _why_no_condition(column)
        if reason and name in kinds:
            raise InputError(f"columns={name}: it is {reason} and cannot be asked for; leave it out")
        if reason:
            left_out.append(f"{name} ({reason})")
        else:
            columns.append(column)
    return columns, left_out


def _name_and_kind(text: str) -> tuple[str, str]:
    name, _, kind = text.partition("=")
    return name.strip(), kind.strip()


def _why_no_condition(column: Column) -> str:
    """Why samples cannot be asked for by a column, in words; "" if they can."""
    if not column.width:
        return "an identifier"
    if isinstance(column, Category):
        rare, all_values = sum(column.rare_counts), sum(sum(counts) for _, counts in column.counted())
        if rare > FREE_TEXT * all_values:
            return "free text"
    return "one value" if column.width == 1 else ""


def _packed(rows: Tensor) -> str:
    return base64.b64encode(zlib.compress(rows.numpy().astype("<f4").tobytes(), 9)).decode()


def _unpacked(text: str, columns: Columns) -> Tensor:
    """
    Raises:
        InputError: if the text is damaged, or a code is none of its column.
    """
    limit = 4 * columns.width * MAX_ROWS
    try:
        whole = zlib.decompressobj()
        content = whole.decompress(base64.b64decode(text, validate=True), limit)
        if not whole.eof:
            raise ValueError("they are cut off, or too many")
        rows = torch.from_numpy(np.frombuffer(content, "<f4").reshape(-1, columns.width).astype(np.float32))
    except (binascii.Error, zlib.error, ValueError) as error:
        raise InputError(f"the rows of the model's table are damaged: {error}") from error
    codes = rows[:, : len(columns.widths)]
    known = (codes >= 0) & (codes < torch.tensor(columns.widths)) & (codes == codes.floor())
    if not len(rows) or not known.all() or not rows.isfinite().all():
        raise InputError("the rows of the model's table are damaged: they hold codes that no column has")
    return rows

"""What rows can be asked for: conditions on their columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from sparring.modalities.asks import Ask
from sparring.modalities.tables.columns import Column
from sparring.modalities.tables.conditions import Condition, check_compatible, condition
from sparring.modalities.tables.distributions import fields

WHERE = Ask(
    "where",
    "Only samples whose columns satisfy a condition: COLUMN=LEVEL, COLUMN>=NUMBER. May be repeated.",
    many=True,
    examples=("income=>50K", "age>=18"),
)


def where_of(learned: Sequence[Column]) -> Ask:
    """The ask for conditions on fitted columns."""
    offered = fields(learned)
    examples = tuple(f"{f.name}={f.choices[0]}" if f.choices else f"{f.name}>={f.low}" for f in offered[:2])
    return replace(WHERE, fields=offered, examples=examples)


def conditions_of(where: str | Sequence[str] | Mapping[str, Any], columns: Mapping[str, Column]) -> list[Condition]:
    """The conditions that are asked for.

    Args:
        where: as they are typed, or values by the names of columns.
        columns: by name.

    Raises:
        InputError: if one cannot be read, or some exclude each other.
    """
    conditions = [condition(text, columns) for text in _texts(where)]
    check_compatible(conditions)
    return conditions


def codes_of(conditions: Sequence[Condition], learned: Sequence[Column]) -> Tensor:
    """Codes of learned columns that satisfy the equalities among some conditions, negative for other columns."""
    codes, names = torch.full((len(learned),), -1), [column.name for column in learned]
    for equality in (c for c in conditions if c.operator == "="):
        place = names.index(equality.column)
        codes[place] = learned[place].code(equality.value)
    return codes


def _texts(where: str | Sequence[str] | Mapping[str, Any]) -> Sequence[str]:
    """Conditions as they are typed."""
    if isinstance(where, Mapping):
        return [f"{name}={'missing' if value is None else value}" for name, value in where.items()]
    return [where] if isinstance(where, str) else where

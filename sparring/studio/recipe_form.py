"""A recipe's table as a form of text fields; the changed ones are passed to the training."""

from __future__ import annotations

import types
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from sparring.recipes.base import Recipe


@dataclass(frozen=True)
class Entry:
    """A field of a recipe in a form.

    Attributes:
        name: of the field.
        group: its group in the table.
        description: of the field.
        value: its default as text, as in `FIELD=VALUE`.
        choices: the possible texts; () if any text may be entered.
    """

    name: str
    group: str
    description: str
    value: str
    choices: tuple[str, ...] = ()


def entries(recipe: Recipe[Any]) -> list[Entry]:
    """A recipe's fields in the order of its table."""
    hints = get_type_hints(type(recipe), include_extras=True)
    return [
        Entry(name, group, description, text(value), _choices(hints[name]))
        for group, rows in recipe.by_group().items()
        for name, value, description in rows
    ]


def text(value: Any) -> str:
    """A value as in `FIELD=VALUE`."""
    if isinstance(value, tuple):
        return ",".join(map(text, value))
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)


def changed(table: Sequence[Entry], texts: Sequence[str]) -> dict[str, str]:
    """The fields that no longer have their defaults, by name."""
    pairs = zip(table, texts, strict=True)
    return {entry.name: given.strip() for entry, given in pairs if (given or "").strip() != entry.value}


def _choices(hint: Any) -> tuple[str, ...]:
    if get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    if get_origin(hint) is Literal:
        return tuple(map(text, get_args(hint)))
    if isinstance(hint, types.UnionType):
        choices = [choice for part in get_args(hint) if part is not types.NoneType for choice in _choices(part)]
        return (*choices, "none") if choices else ()
    return ("true", "false") if hint is bool else ()

"""A recipe's table as a form of texts, of which those that were changed are passed on."""

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
        group: of the table that it stands in.
        what: it is.
        value: its default as text, as `FIELD=VALUE` would have it.
        choices: the texts that there are, none where any may be typed.
    """

    name: str
    group: str
    what: str
    value: str
    choices: tuple[str, ...] = ()


def entries(recipe: Recipe[Any]) -> list[Entry]:
    """A recipe's fields in the order of its table."""
    hints = get_type_hints(type(recipe), include_extras=True)
    return [
        Entry(name, group, what, text(value), _choices(hints[name]))
        for group, rows in recipe.table().items()
        for name, value, what in rows
    ]


def text(value: Any) -> str:
    """A value as `FIELD=VALUE` has it."""
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
        known = [choice for part in get_args(hint) if part is not types.NoneType for choice in _choices(part)]
        return (*known, "none") if known else ()
    return ("true", "false") if hint is bool else ()

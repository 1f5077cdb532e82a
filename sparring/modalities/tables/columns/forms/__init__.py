"""Forms in which the values of a column are written, and their recognition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sparring.errors import InputError
from sparring.json_files import build
from sparring.modalities.tables.columns.forms.angles import AngleForm
from sparring.modalities.tables.columns.forms.base import Form
from sparring.modalities.tables.columns.forms.dates import DateForm
from sparring.modalities.tables.columns.forms.durations import DurationForm
from sparring.modalities.tables.columns.forms.epochs import EpochForm
from sparring.modalities.tables.columns.forms.numbers import NumberForm

FORMS: dict[str, type[Form]] = {
    "number": NumberForm, "date": DateForm, "duration": DurationForm, "epoch": EpochForm, "angle": AngleForm,
}  # fmt: skip

__all__ = [
    "FORMS", "AngleForm", "DateForm", "DurationForm", "EpochForm", "Form", "NumberForm", "as_tuples", "form_from_json",
]  # fmt: skip


def form_from_json(stored: Mapping[str, Any]) -> Form:
    """A form from its JSON.

    Raises:
        InputError: if it is damaged.
    """
    kind = stored.get("kind")
    if kind not in list(FORMS):
        raise InputError(f"the form of a column is damaged: its kind is {str(kind)!r}")
    return build(FORMS[kind], stored, f"the form {kind!r} of a column")


def as_tuples(value: Any) -> Any:
    """A value of JSON with tuples instead of lists."""
    return tuple(map(as_tuples, value)) if isinstance(value, list | tuple) else value

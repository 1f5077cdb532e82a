"""The values that are searched: ranges and choices of a recipe's fields, as they are typed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sparring.errors import InputError
from sparring.recipes.base import Recipe, parse

if TYPE_CHECKING:
    from optuna import Trial

NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?"
RANGE = re.compile(rf"(log:)?({NUMBER})\.\.({NUMBER})", re.IGNORECASE)
EXAMPLES = "width=32,64 chooses, gamma=0.1..10 is a range, lr=log:1e-4..1e-2 one of magnitudes, G=64|128,128 has lists"


@dataclass(frozen=True)
class Dimension:
    """A field whose value is searched.

    Attributes:
        name: of the field.
        choices: its values as they are typed; () for a range.
        low, high: ends of the range.
        log: True if magnitudes are searched evenly.
        whole: True for whole numbers.
    """

    name: str
    choices: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    whole: bool = False

    def suggest(self, trial: Trial) -> str:
        """The value of a trial, as it is typed."""
        if self.choices:
            return str(trial.suggest_categorical(self.name, self.choices))
        if self.whole:
            return str(trial.suggest_int(self.name, int(self.low), int(self.high), log=self.log))
        return repr(trial.suggest_float(self.name, self.low, self.high, log=self.log))

    @property
    def ends(self) -> tuple[str, ...]:
        """Values that must be valid for all of them to be so."""
        if self.choices:
            return self.choices
        return tuple(str(int(end)) if self.whole else repr(end) for end in (self.low, self.high))


def parse_space(assignments: Sequence[str], recipe: Recipe[Any]) -> tuple[tuple[Dimension, ...], tuple[str, ...]]:
    """The dimensions of a search, and the fields that are fixed, as FIELD=VALUE.

    Args:
        assignments: FIELD=VALUE, FIELD=A,B,C, FIELD=LOW..HIGH, FIELD=log:LOW..HIGH; choices that contain commas are
            separated by "|".
        recipe: whose fields they are.

    Raises:
        InputError: if a field is unknown, or some value does not fit it.
    """
    found: list[Dimension] = []
    fixed: list[str] = []
    for text in assignments:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not name or not value:
            raise InputError(f"{text!r} is not FIELD=VALUES; {EXAMPLES}")
        dimension = _dimension(name, value, isinstance(getattr(recipe, name, None), tuple))
        for end in dimension.ends if dimension else (value,):
            recipe.set(parse([f"{name}={end}"]))
        if dimension is None:
            fixed.append(f"{name}={value}")
        elif dimension.name in {other.name for other in found}:
            raise InputError(f"{name} is given twice; give it once")
        else:
            found.append(dimension)
    if not found:
        raise InputError(f"nothing is searched: no field has several values; {EXAMPLES}")
    return tuple(found), tuple(fixed)


def _dimension(name: str, value: str, listed: bool) -> Dimension | None:
    """The dimension that a value describes; None if it is a single value."""
    if match := RANGE.fullmatch(value):
        log, low, high = bool(match[1]), float(match[2]), float(match[3])
        if not low < high:
            raise InputError(f"{name}={value}: {match[2]} must be below {match[3]}")
        if log and low <= 0:
            raise InputError(f"{name}={value}: magnitudes are of numbers above 0; begin above 0, or leave log: out")
        whole = all(re.fullmatch(r"[-+]?\d+", end) for end in match.groups()[1:])
        return Dimension(name, low=low, high=high, log=log, whole=whole)
    choices = [part.strip() for part in value.split("|" if "|" in value or listed else ",")]
    if "" in choices:
        raise InputError(f"{name}={value} has an empty choice; {EXAMPLES}")
    return Dimension(name, choices=tuple(dict.fromkeys(choices))) if len(choices) > 1 else None

"""Fields of a recipe: what values they take, where in the paper's table they stand, how they are typed."""

from __future__ import annotations

import ast
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, get_args, get_origin

from sparring.errors import InputError, nearest


@dataclass(frozen=True)
class Within:
    """The values that a number may take: low <= value <= high, or low < value where `above`."""

    low: float
    high: float = float("inf")
    above: bool = False

    def __contains__(self, value: Any) -> bool:
        return bool((value > self.low if self.above else value >= self.low) and value <= self.high)

    def __str__(self) -> str:
        low = f"above {self.low:g}" if self.above else f"at least {self.low:g}"
        return low if self.high == float("inf") else f"{low} and at most {self.high:g}"


Count = Annotated[int, Within(1)]
Natural = Annotated[int, Within(0)]
Pixels = Annotated[int, Within(0, 1024)]
Weight = Annotated[float, Within(0)]
Positive = Annotated[float, Within(0, above=True)]
Share = Annotated[float, Within(0, 1)]
Fraction = Annotated[float, Within(0, 1, above=True)]
Decay = Annotated[float, Within(0, 0.99999)]
Widths = Annotated[tuple[int, ...], Within(1)]
Words = tuple[str, ...]

Group = Literal["Data", "Generator", "Discriminator", "Losses", "Optimisation"]


def _group(name: Group) -> Callable[[Any, str], Any]:
    def described(default: Any, what: str) -> Any:
        return field(default=default, metadata={"group": name, "what": what})

    return described


data = _group("Data")
generator = _group("Generator")
discriminator = _group("Discriminator")
losses = _group("Losses")
optimisation = _group("Optimisation")


def parse(assignments: Sequence[str]) -> dict[str, Any]:
    """FIELD=VALUE as typed on a command line, as values: numbers, true/false, none, a,b,c or text.

    Raises:
        InputError: where there is no `=`.
    """
    settings = {}
    for text in assignments:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise InputError(f"{text!r} is not FIELD=VALUE (as in batch=128)")
        settings[name.strip()] = _literal(value.strip())
    return settings


def _literal(text: str) -> Any:
    words = {"true": True, "yes": True, "false": False, "no": False, "none": None}
    if text.lower() in words:
        return words[text.lower()]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def checked(name: str, value: Any, hint: Any) -> Any:
    """A value that fits a field's type hint, or an error that says what would."""
    within = None
    if get_origin(hint) is Annotated:
        hint, within = get_args(hint)
    if get_origin(hint) is Literal:
        value = "none" if value is None else value  # the word that `parse` reads as nothing
        if value not in get_args(hint):
            raise InputError(f"{name}={value} is not known; {nearest(str(value), get_args(hint))}")
        return value
    if isinstance(hint, types.UnionType):
        if value is None:
            return None
        hint = next(h for h in get_args(hint) if h is not types.NoneType)
        return checked(name, value, hint)
    if get_origin(hint) is tuple:
        if isinstance(value, str) and get_args(hint)[0] is str:
            value = [part.strip() for part in value.split(",") if part.strip()]
        several = value if isinstance(value, list | tuple) else (value,)
        return tuple(_number(name, v, get_args(hint)[0], within) for v in several)
    return _number(name, value, hint, within)


def _number(name: str, value: Any, kind: type, within: Within | None) -> Any:
    words = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise InputError(f"{name}={value} is not {words[kind]}")
    if within is not None and value not in within:
        raise InputError(f"{name}={value} is out of range; it must be {within}")
    return value

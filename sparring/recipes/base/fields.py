"""Fields of a recipe: the values they take, their group in the paper's table, and how they are typed."""

from __future__ import annotations

import ast
import math
import sys
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Protocol, Union, get_args, get_origin

from sparring.errors import InputError, nearest


@dataclass(frozen=True)
class Within:
    """The range of a number: low <= value <= high, or low < value if `exclusive`."""

    low: float
    high: float = float("inf")
    exclusive: bool = False

    def __contains__(self, value: Any) -> bool:
        return bool((value > self.low if self.exclusive else value >= self.low) and value <= self.high)

    def __str__(self) -> str:
        low = f"above {self.low:g}" if self.exclusive else f"at least {self.low:g}"
        return low if self.high == float("inf") else f"{low} and at most {self.high:g}"


Count = Annotated[int, Within(1)]
Natural = Annotated[int, Within(0)]
Pixels = Annotated[int, Within(0, 1024)]
Weight = Annotated[float, Within(0)]
Positive = Annotated[float, Within(0, exclusive=True)]
Share = Annotated[float, Within(0, 1)]
Fraction = Annotated[float, Within(0, 1, exclusive=True)]
Decay = Annotated[float, Within(0, 0.99999)]
Widths = Annotated[tuple[int, ...], Within(1)]
Words = tuple[str, ...]
NAMED = "NAME=VALUE"  # of words, whose names and values may contain commas
Named = Annotated[Words, NAMED]
Levels = tuple[float, ...]

Group = Literal["Data", "Generator", "Discriminator", "Losses", "Optimization"]


@dataclass(frozen=True)
class About:
    """What is declared with a field.

    Attributes:
        group: part of the table in which the field is listed.
        description: shown to users next to the value.
        sets: name of the modality's field that takes the value; "" if there is none.
        only: the modality for which the field has a meaning; None for all.
    """

    group: Group
    description: str
    sets: str = ""
    only: type | None = None

    def applies(self, modality: Any) -> bool:
        """True if the field has a meaning for data of this modality."""
        if self.only is not None and not isinstance(modality, self.only):
            return False
        return not self.sets or hasattr(modality, self.sets)


class Declare(Protocol):
    """Declares a field with its default; the arguments are those of `About`."""

    def __call__(self, default: Any, description: str, *, sets: str = "", only: type | None = None) -> Any: ...


MAX_FIELD = 2**63  # magnitude of whole numbers: what tensors hold
ABOUT = "about"  # key of a field's metadata


def _group(name: Group) -> Declare:
    def declare(default: Any, description: str, *, sets: str = "", only: type | None = None) -> Any:
        return field(default=default, metadata={ABOUT: About(name, description, sets, only)})

    return declare


data = _group("Data")
generator = _group("Generator")
discriminator = _group("Discriminator")
losses = _group("Losses")
optimization = _group("Optimization")


def parse(assignments: Sequence[str]) -> dict[str, Any]:
    """FIELD=VALUE as typed on a command line, as values: numbers, true/false, none, a,b,c or text.

    Raises:
        InputError: if the `=` or the name is missing.
    """
    settings = {}
    for text in assignments:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise InputError(f"{text!r} is not FIELD=VALUE (as in batch=128)")
        settings[name.strip()] = _literal(value.strip())
    return settings


WORDS: Mapping[str, bool | None] = {"true": True, "yes": True, "false": False, "no": False, "none": None}


def _literal(text: str) -> Any:
    if text.lower() in WORDS:
        return WORDS[text.lower()]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def checked(name: str, value: Any, hint: Any) -> Any:
    """The value of a field, converted to its type.

    Args:
        hint: type hint of the field.

    Raises:
        InputError: if the value does not fit; the message says which values do.
    """
    within = None
    if get_origin(hint) is Annotated:
        hint, within = get_args(hint)
    if within == NAMED:
        value, within = named_parts(value) if isinstance(value, str) else value, None
    if get_origin(hint) is Literal:
        value = "none" if value is None else value  # `parse` reads the word "none" as None
        if value not in get_args(hint):
            raise InputError(f"{name}={value} is not supported; {nearest(str(value), get_args(hint))}")
        return value
    if get_origin(hint) in (Union, types.UnionType):
        if value is None:
            return None
        hint = next(h for h in get_args(hint) if h is not types.NoneType)
        return checked(name, value, hint)
    if get_origin(hint) is tuple:
        if isinstance(value, str) and get_args(hint)[0] is str:
            value = [part.strip() for part in value.split(",") if part.strip()]
        if value == "" and within is None:
            value = ()
        values = value if isinstance(value, list | tuple) else (value,)
        return tuple(_scalar(name, v, get_args(hint)[0], within) for v in values)
    return _scalar(name, value, hint, within)


def named_parts(text: str) -> list[str]:
    """The parts of a text such as "zip=category,seen=%b %d, %Y", separated by those commas that are not in a name or in
    a pattern.
    """
    parts: list[str] = []
    for piece in text.split(","):
        if parts and ("=" not in parts[-1] or ("=" not in piece and "%" in piece)):
            parts[-1] += f",{piece}"
        else:
            parts.append(piece)
    return [part.strip() for part in parts if part.strip()]


TYPES = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}


def _scalar(name: str, value: Any, kind: type, within: Within | None) -> Any:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value) if abs(value) <= sys.float_info.max else math.inf
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"{name}={value} is not a finite number")
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise InputError(f"{name}={value} is not {TYPES[kind]}")
    if isinstance(value, int) and abs(value) >= MAX_FIELD:
        raise InputError(f"{name}={value} is out of range; it must be below 2**63")
    if within is not None and value not in within:
        raise InputError(f"{name}={value} is out of range; it must be {within}")
    return value

"""Degradations as words: a name, and a number or a range from which each item draws uniformly."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from torch import Tensor

from sparring.errors import InputError, nearest

NUMBER = r"\d+(?:\.\d+)?"
WORD = re.compile(rf"(x\d+|[a-z][a-z]+)(?:({NUMBER})(?:-({NUMBER}))?)?")


@dataclass(frozen=True)
class Kind:
    """A type of degradation.

    Attributes:
        function: takes items (n, ...) and, if it has a parameter, the limits of its range.
        bounds: of the parameter; None if there is none.
        default: range of the parameter unless given; None if it must be given.
    """

    function: Callable[..., Tensor]
    bounds: tuple[float, float] | None = None
    default: tuple[float, float] | None = None


K = TypeVar("K", bound=Kind)


@dataclass(frozen=True)
class Step(Generic[K]):
    """One degradation.

    Attributes:
        name: of the kind.
        kind: what it does.
        amounts: range of the parameter, from which each item draws; () if there is no parameter.
    """

    name: str
    kind: K
    amounts: tuple[float, ...]


def steps(texts: Sequence[str], kinds: Mapping[str, K]) -> tuple[Step[K], ...]:
    """Degradations from words.

    Args:
        kinds: that there are, by name.

    Raises:
        InputError: if a word is unknown, or its number is missing, superfluous or out of bounds.
    """
    return tuple(_step(text, kinds) for text in texts)


def _step(text: str, kinds: Mapping[str, K]) -> Step[K]:
    match = WORD.fullmatch(text)
    name, low, high = match.groups() if match else (text, None, None)
    if name not in kinds:
        raise InputError(f"{text!r} is not a degradation; {nearest(name, kinds)}")
    kind = kinds[name]
    if kind.bounds is None:
        if low is not None:
            raise InputError(f"{text!r} has a number, but {name} takes none; write {name}")
        return Step(name, kind, ())
    minimum, maximum = kind.bounds
    usage = f"{name} takes a number or a range within {minimum:g}-{maximum:g}"
    if low is None:
        if kind.default is None:
            raise InputError(f"{text!r} lacks its number; {usage}")
        return Step(name, kind, kind.default)
    amounts = (float(low), float(high or low))
    if not minimum <= amounts[0] <= amounts[1] <= maximum:
        raise InputError(f"{text!r} is out of bounds; {usage}, the smaller number first")
    return Step(name, kind, amounts)

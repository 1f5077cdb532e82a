"""Conditions on properties of molecules: `logP=2..3`, `QED>.6`, `MW<400`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparring.errors import InputError, nearest
from sparring.metrics import chemistry
from sparring.modalities.molecules.properties import Measure

NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
RANGE = re.compile(rf"\s*(.+?)\s*=\s*({NUMBER})?\s*\.\.\s*({NUMBER})?\s*")
COMPARISON = re.compile(rf"\s*(.+?)\s*(>=|<=|=|>|<)\s*({NUMBER})\s*")
EQUAL = 1e-6  # relative difference of numbers that are taken as equal


@dataclass(frozen=True)
class Range:
    """A descriptor within bounds.

    Attributes:
        text: the condition as it was typed.
        name: of the property.
        measure: measures it.
        low, high: bounds; infinite where there is none.
        above, below: True if the bound itself is excluded.
    """

    text: str
    name: str
    measure: Measure
    low: float = -inf
    high: float = inf
    above: bool = False
    below: bool = False

    def holds(self, smiles: NDArray[Any]) -> NDArray[np.bool_]:
        """True for the molecules that satisfy it, (n,); False for invalid ones."""
        molecules = chemistry.parse(smiles)
        known = [i for i, molecule in enumerate(molecules) if molecule is not None]
        satisfied = np.zeros(len(molecules), bool)
        if known:
            satisfied[known] = self.contains(self.measure([molecules[i] for i in known]))
        return satisfied

    def seen(self, smiles: NDArray[Any]) -> str:
        """The range of molecules that were drawn last, for the user; "" if none is valid."""
        molecules = [molecule for molecule in chemistry.parse(smiles) if molecule is not None]
        if not molecules:
            return ""
        values = self.measure(molecules)
        return f"{self.name} of the last {len(values)} is from {values.min():.4g} to {values.max():.4g}"

    def contains(self, x: NDArray[np.float64]) -> NDArray[np.bool_]:
        """True for the values within the bounds."""
        low = x > self.low if self.above else x >= self.low
        high = x < self.high if self.below else x <= self.high
        within: NDArray[np.bool_] = low & high
        return within


@dataclass(frozen=True)
class Valid:
    """Every molecule that is handed out is valid."""

    text: str = "validity"

    def holds(self, smiles: NDArray[Any]) -> NDArray[np.bool_]:
        """True for valid SMILES, (n,)."""
        return np.array([molecule is not None for molecule in chemistry.parse(smiles)], bool)


def ranges(where: str | Sequence[str] | Mapping[str, Any], known: Mapping[str, Measure]) -> list[Range]:
    """Conditions from their texts.

    Args:
        known: what measures each property, by its name.

    Raises:
        InputError: if one cannot be parsed, names no property, or two contradict one another.
    """
    if isinstance(where, Mapping):
        texts: Sequence[str] = [f"{name}={value}" for name, value in where.items()]
    else:
        texts = [where] if isinstance(where, str) else where
    parsed = [_range(text, known) for text in texts]
    for name in {condition.name for condition in parsed}:
        own = [condition for condition in parsed if condition.name == name]
        if max(c.low for c in own) > min(c.high for c in own):
            raise InputError(f"{' and '.join(repr(c.text) for c in own)} cannot both hold; leave one out")
    return parsed


def _range(text: str, known: Mapping[str, Measure]) -> Range:
    found = RANGE.fullmatch(text)
    if found is not None and (found[2] or found[3]):
        low, high = float(found[2] or -inf), float(found[3] or inf)
        if low > high:
            raise InputError(f"{text!r} is an empty range; write {found[1]}={found[3]}..{found[2]}")
        return Range(text, *_measured(found[1], text, known), low, high)
    found = COMPARISON.fullmatch(text)
    if found is None or not isfinite(float(found[3])):
        raise InputError(f"{text!r} is not a condition; write NAME=LOW..HIGH, NAME>NUMBER or NAME<NUMBER")
    (name, measure), x = _measured(found[1], text, known), float(found[3])
    if found[2] == "=":
        return Range(text, name, measure, x - EQUAL * max(1, abs(x)), x + EQUAL * max(1, abs(x)))
    if found[2].startswith(">"):
        return Range(text, name, measure, low=x, above=found[2] == ">")
    return Range(text, name, measure, high=x, below=found[2] == "<")


def _measured(name: str, text: str, known: Mapping[str, Measure]) -> tuple[str, Measure]:
    if name in known:
        return name, known[name]
    similar = {other.lower(): other for other in known}
    close = similar.get(name.lower())
    hint = f"did you mean {close!r}?" if close else nearest(name, known)
    if not hint.startswith("did"):
        own = [other for other in known if other not in chemistry.descriptors()]
        hint = f"choose from {', '.join([*chemistry.ALIASES, *own])} or a descriptor of RDKit"
    raise InputError(f"{text!r}: there is no property {name!r}; {hint}")

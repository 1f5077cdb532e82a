"""SMILES as tokens: an atom, a bond, a branch or a ring closure each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

TOKEN = re.compile(r"\[[^\]]+\]|Br|Cl|%\d\d|.")
END = 0  # the token after the last one, and all after it


def tokenize(smiles: str) -> list[str]:
    """The tokens of a SMILES."""
    return TOKEN.findall(smiles)


def vocabulary(smiles: Iterable[str]) -> tuple[str, ...]:
    """The tokens that occur in some SMILES, sorted."""
    found: set[str] = set()
    for text in smiles:
        found.update(tokenize(text))
    return tuple(sorted(found))


def as_codes(smiles: Sequence[str], tokens: Sequence[str], length: int) -> NDArray[np.int16]:
    """SMILES as codes, (n, length): i + 1 for token i, 0 after the end. A SMILES with an unknown token, or one that
    does not end within the length, has -1 in its first place.
    """
    index = {token: i + 1 for i, token in enumerate(tokens)}
    codes = np.zeros((len(smiles), length), np.int16)
    for row, text in enumerate(smiles):
        parts = [index.get(token, -1) for token in tokenize(text)]
        if len(parts) >= length or -1 in parts:
            codes[row, 0] = -1
        else:
            codes[row, : len(parts)] = parts
    return codes


def as_text(codes: NDArray[np.integer], tokens: Sequence[str]) -> list[str]:
    """Codes (n, length) as SMILES."""
    names = np.array(["", *tokens], object)
    ended = (codes == END).cumsum(1) > 0
    return ["".join(row) for row in names[np.where(ended, END, codes)]]

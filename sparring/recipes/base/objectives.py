"""What molecules are worth: built-in objectives, and functions in users' own files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from sparring.errors import InputError, nearest, own_code
from sparring.metrics import chemistry
from sparring.metrics.chemistry import Floats
from sparring.recipes.base.own_function import own_function

Score = Callable[[list[str]], Sequence[float]]  # valid SMILES -> what each is worth, in [0, 1]


def _qed(smiles: list[str]) -> Sequence[float]:
    """Drug-likeness. Bickerton et al. 2012, doi:10.1038/nchem.1243."""
    return [float(x) for x in chemistry.described(chemistry.parse(smiles), "QED")]


def _validity(smiles: list[str]) -> Sequence[float]:
    return [1.0] * len(smiles)


BUILT_IN: dict[str, Score] = {"QED": _qed, "validity": _validity}


def objective(given: str) -> Callable[[Sequence[str]], Floats]:
    """What molecules are worth, (n,), in [0, 1]; 0 for invalid ones.

    Args:
        given: a name, or the user's FILE.py:FUNCTION, which takes a list of valid, canonical SMILES and returns as many
            numbers in [0, 1]. The file is run.

    Raises:
        InputError: if there is no such objective; when it is called, if it fails or returns something else.
    """
    check_known(given)
    score = _checked(own_function(given, "an objective"), given) if is_file(given) else BUILT_IN[given]

    def worth(smiles: Sequence[str]) -> Floats:
        canonical = chemistry.canonical(smiles)
        values = np.zeros(len(canonical))
        valid = [i for i, text in enumerate(canonical) if text]
        values[valid] = score([canonical[i] for i in valid]) if valid else 0.0
        return values

    return worth


def check_known(given: str) -> None:
    """Refuse what is neither the name of an objective nor a file; the file is not run.

    Raises:
        InputError: if it is.
    """
    if not is_file(given) and given not in BUILT_IN:
        raise InputError(f"objective={given} is unknown; {nearest(given, BUILT_IN)}, or give a FILE.py:FUNCTION")


def is_file(given: str) -> bool:
    """True for a function in a user's file."""
    return given.partition(":")[0].endswith(".py")


def _checked(score: Score, given: str) -> Score:
    """A user's function whose results are checked."""

    def checked(smiles: list[str]) -> Sequence[float]:
        with own_code(str(Path(given.partition(":")[0]).absolute())):
            values = np.asarray(score(smiles), np.float64)
        if values.shape != (len(smiles),):
            raise InputError(f"{given} returned an array of shape {values.shape} for {len(smiles)} molecules")
        wrong = [i for i, value in enumerate(values) if not 0 <= value <= 1]
        if wrong:
            i = wrong[0]
            raise InputError(f"{given} returned {values[i]} for {smiles[i]}; return numbers from 0 to 1")
        return [float(value) for value in values]

    return checked

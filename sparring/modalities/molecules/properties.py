"""Properties of molecules that samples are generated for: descriptors, and columns of the file by an estimate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from sparring.errors import InputError, nearest
from sparring.metrics import chemistry
from sparring.metrics.chemistry import Floats, Molecule
from sparring.modalities.molecules.cleaning import Cleaned
from sparring.modalities.molecules.records import Records
from sparring.modalities.molecules.view import View

Measure = Callable[[Sequence[Molecule]], Floats]  # molecules -> a property of each, (n,)

MAX_FITTED = 5000  # molecules that an estimate is fitted to
TESTED = 5  # one molecule in this many tests the estimate
MIN_FITTED = 20  # molecules with a value
PENALTIES = np.logspace(-1, 4, 11)  # of ridge regression, of which the best by cross-validation is taken


@dataclass(frozen=True)
class Estimate:
    """A column of the file as a linear function of what D sees of a molecule, for molecules that were not measured.

    Attributes:
        name: of the column.
        weights, intercept: of the function.
        r2: coefficient of determination on molecules that it was not fitted to.
    """

    name: str
    weights: tuple[float, ...]
    intercept: float
    r2: float

    def note(self) -> str:
        """How good it is, for the user."""
        return f"{self.name} of new molecules is estimated by ridge regression (R² {self.r2:.2f} on other molecules)"


def measure_of(name: str, estimates: Sequence[Estimate], view: View) -> Measure:
    """What measures a property of new molecules: a descriptor or an estimate."""
    own = {estimate.name: estimate for estimate in estimates}
    if name not in own:
        return lambda molecules: chemistry.described(molecules, name)
    weights, intercept = np.array(own[name].weights), own[name].intercept
    return lambda molecules: view.numbers(molecules) @ weights + intercept


def measures(estimates: Sequence[Estimate], view: View) -> Mapping[str, Measure]:
    """What measures each property by its name."""
    names = [*chemistry.descriptors(), *(estimate.name for estimate in estimates)]
    return {name: measure_of(name, estimates, view) for name in names}


def check_names(names: Sequence[str], records: Records) -> None:
    """Refuse names that are neither descriptors nor columns.

    Raises:
        InputError: if there is one.
    """
    for name in (name for name in names if name not in chemistry.descriptors() and name not in records.columns):
        known = [*records.columns, *chemistry.ALIASES]
        raise InputError(
            f"conditions={name} is no descriptor of RDKit and no column of numbers; {nearest(name, known)}"
        )


def known_properties(records: Records, cleaned: Cleaned, names: tuple[str, ...]) -> Floats:
    """The properties of the molecules of a file, (n, names): descriptors are computed, columns are read, NaN where
    nothing is known.
    """
    columns = [
        _described(cleaned.smiles, name)
        if name in chemistry.descriptors()
        else records.columns.get(name, np.full(len(records), np.nan))[cleaned.rows]
        for name in names
    ]
    values = np.stack(columns, 1) if columns else np.zeros((len(cleaned.smiles), 0))
    return np.where(np.isfinite(values), values, np.nan)


@lru_cache(maxsize=16)  # fitting and encoding ask for the same
def _described(smiles: tuple[str, ...], name: str) -> Floats:
    return chemistry.described(chemistry.parse_each(smiles), name)


def estimate(name: str, values: Floats, smiles: Sequence[str], view: View) -> Estimate:
    """An estimate of a column.

    Args:
        values: of the column, (n,); NaN where they are unknown.
        smiles: of the molecules, canonical.

    Raises:
        InputError: if too few values are known.
    """
    from sklearn.linear_model import RidgeCV

    known = np.flatnonzero(np.isfinite(values))
    if len(known) < MIN_FITTED:
        raise InputError(f"conditions={name} has {len(known)} values, which is too few; it needs {MIN_FITTED}")
    rows = np.random.default_rng(0).permutation(known)[:MAX_FITTED]
    x, y = view.numbers(chemistry.parse(smiles[i] for i in rows)).astype(np.float64), values[rows]
    test = np.arange(len(rows)) % TESTED == 0
    r2 = RidgeCV(PENALTIES).fit(x[~test], y[~test]).score(x[test], y[test])
    fitted = RidgeCV(PENALTIES).fit(x, y)
    return Estimate(name, tuple(float(w) for w in fitted.coef_), float(fitted.intercept_), float(r2))

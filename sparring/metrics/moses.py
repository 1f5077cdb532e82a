"""Files of the MOSES benchmark: molecules, statistics of the test set, filters. Polykovskiy et al. 2018,
arXiv:1811.12823. They are part of the package molsets.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from sparring.errors import InputError, needs
from sparring.metrics import chemistry
from sparring.metrics.chemistry import Molecule
from sparring.metrics.frechet import Moments

INSTALL = "pip install --no-deps molsets==0.3.1"
ELEMENTS = frozenset({"C", "N", "S", "O", "F", "Cl", "Br", "H"})
MAX_RING = 7  # atoms of a ring that passes the filters
SEARCHED = 1000  # molecules that are searched for patterns at once
TEST = 176_074  # molecules of the test set


@dataclass(frozen=True)
class Statistics:
    """What metrics compare molecules with.

    Attributes:
        chemnet: moments of the activations of ChemNet; None if they are unknown.
        fingerprints: Morgan fingerprints of 1,024 bits, (n, 1024).
        fragments, scaffolds: how often each occurs.
    """

    chemnet: Moments | None
    fingerprints: NDArray[np.uint8]
    fragments: dict[str, int]
    scaffolds: dict[str, int]


def installed() -> bool:
    """True if the package molsets is installed."""
    return find_spec("moses") is not None


def file(*parts: str) -> Path:
    """A file of the package, which is not imported: it needs old versions of other packages.

    Raises:
        InputError: if it is not installed.
    """
    spec = find_spec("moses")
    folders = list(spec.submodule_search_locations or ()) if spec is not None else []
    path = Path(folders[0], *parts) if folders else None
    if path is None or not path.is_file():
        raise InputError(f"moses is part of the package molsets, which is not installed; {INSTALL}")
    return path


def smiles(part: str) -> tuple[str, ...]:
    """The molecules of a part: "train", "test" or "test_scaffolds"."""
    with gzip.open(file("dataset", "data", f"{part}.csv.gz"), "rt") as lines:
        return tuple(row["SMILES"] for row in csv.DictReader(lines))


@cache
def statistics() -> Statistics:
    """The published statistics of the test set."""
    with np.load(file("dataset", "data", "test_stats.npz"), allow_pickle=True) as stored:
        known: dict[str, Any] = stored["stats"].item()
    mean, covariance = (torch.from_numpy(np.asarray(known["FCD"][part], np.float64)) for part in ("mu", "sigma"))
    return Statistics(
        Moments(TEST, mean, covariance),
        np.asarray(known["SNN"]["fps"], np.uint8),
        dict(known["Frag"]["frag"]),
        dict(known["Scaf"]["scaf"]),
    )


@cache
def _patterns() -> list[Any]:
    """Substructures of the medicinal chemistry filters and of PAINS."""
    read = chemistry.chem().MolFromSmarts
    with file("metrics", "mcf.csv").open() as lines:
        texts = [row["smarts"] for row in csv.DictReader(lines)]
    with file("metrics", "wehi_pains.csv").open() as lines:
        texts += [row[0].strip() for row in csv.reader(lines)]
    with chemistry.quiet():
        return [read(text) for text in texts]


def pass_filters(smiles: Sequence[str]) -> NDArray[np.bool_]:
    """Which valid molecules pass MOSES's filters, (n,): no charges, rare elements, large rings or unwanted patterns."""
    parts = [smiles[i : i + SEARCHED] for i in range(0, len(smiles), SEARCHED)]
    return np.concatenate([np.zeros(0, bool), *(_pass(chemistry.parse(part)) for part in parts)])


def _pass(molecules: Sequence[Molecule]) -> NDArray[np.bool_]:
    """The same of a few molecules. Their fingerprints tell which patterns are searched for in which of them."""
    library = needs("rdkit.Chem.rdSubstructLibrary", "molecules", "searches for substructures")
    searched = library.SubstructLibrary(library.MolHolder(), library.PatternHolder())
    plain = np.array([i for i, molecule in enumerate(molecules) if _is_plain(molecule)], np.int64)
    for i in plain.tolist():
        searched.AddMol(chemistry.chem().AddHs(molecules[i]))
    passed = np.zeros(len(molecules), bool)
    passed[plain] = True
    for pattern in _patterns() if len(plain) else ():
        found = searched.GetMatches(pattern, useChirality=False, numThreads=1, maxResults=len(plain))
        passed[plain[list(found)]] = False
    return passed


def _is_plain(molecule: Molecule) -> bool:
    """True without charges, rare elements and large rings."""
    if any(len(ring) > MAX_RING for ring in molecule.GetRingInfo().AtomRings()):
        return False
    return not any(atom.GetFormalCharge() or atom.GetSymbol() not in ELEMENTS for atom in molecule.GetAtoms())

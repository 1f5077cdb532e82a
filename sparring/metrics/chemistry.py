"""Molecules as RDKit has them: parsing, fingerprints, descriptors. RDKit is optional, and imported when it is used."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparring.errors import needs

Floats = NDArray[np.float64]
Molecule = Any  # rdkit.Chem.Mol

BITS = 2048  # of a folded Morgan fingerprint that counts substructures
FINGERPRINT = 1024  # bits of a folded Morgan fingerprint that only says which substructures occur
RADIUS = 2
# Descriptors that take microseconds, as `rdMolDescriptors.Properties` calls them.
QUICK = (
    "amw", "NumHeavyAtoms", "NumHeteroatoms", "NumHBD", "NumHBA", "NumRotatableBonds", "NumAmideBonds", "FractionCSP3",
    "NumRings", "NumAromaticRings", "NumAliphaticRings", "NumSaturatedRings", "NumHeterocycles",
    "NumAromaticHeterocycles", "NumSpiroAtoms", "NumBridgeheadAtoms", "labuteASA", "tpsa", "CrippenClogP",
)  # fmt: skip
# Usual names of descriptors, and RDKit's.
ALIASES = {
    "logP": "MolLogP", "QED": "qed", "MW": "MolWt", "TPSA": "TPSA", "HBA": "NumHAcceptors", "HBD": "NumHDonors",
    "rings": "RingCount", "rotatable": "NumRotatableBonds", "heavy": "HeavyAtomCount",
}  # fmt: skip


def chem() -> Any:
    """RDKit's `Chem`.

    Raises:
        InputError: if RDKit is not installed.
    """
    return needs("rdkit.Chem", "molecules", "reads molecules")


@contextmanager
def quiet() -> Iterator[None]:
    """While active, RDKit does not print why a molecule is invalid."""
    blocked = needs("rdkit.rdBase", "molecules", "reads molecules").BlockLogs()
    try:
        yield
    finally:
        del blocked


def parse(smiles: Iterable[str]) -> list[Molecule | None]:
    """Molecules of SMILES strings; None for invalid and empty ones."""
    return list(parse_each(smiles))


def parse_each(smiles: Iterable[str]) -> Iterator[Molecule | None]:
    """The same one after the other: a molecule takes tens of kilobytes."""
    read = chem().MolFromSmiles
    with quiet():
        for text in smiles:
            yield read(text) if text else None


def canonical(smiles: Iterable[str]) -> list[str]:
    """RDKit's canonical SMILES; "" for invalid strings."""
    write = chem().MolToSmiles
    return ["" if molecule is None else write(molecule) for molecule in parse_each(smiles)]


@cache
def _morgan(bits: int) -> Any:
    generators = needs("rdkit.Chem.rdFingerprintGenerator", "molecules", "reads molecules")
    return generators.GetMorganGenerator(radius=RADIUS, fpSize=bits)


def counts(molecules: Sequence[Molecule]) -> NDArray[np.float32]:
    """How often each folded substructure of radius 2 occurs, (n, 2048). Rogers and Hahn 2010, doi:10.1021/ci100050t."""
    rows = [_morgan(BITS).GetCountFingerprintAsNumPy(molecule) for molecule in molecules]
    return np.array(rows, np.float32).reshape(len(rows), BITS)


def fingerprints(molecules: Iterable[Molecule], bits: int = FINGERPRINT) -> NDArray[np.uint8]:
    """Which folded substructures of radius 2 occur, (n, bits)."""
    rows = [_morgan(bits).GetFingerprintAsNumPy(molecule) for molecule in molecules]
    return np.array(rows, np.uint8).reshape(len(rows), bits)


def substructures(molecule: Molecule) -> dict[int, str]:
    """The substructures that `counts` counts, as SMILES of one occurrence of each, by their places."""
    found = needs("rdkit.Chem.rdFingerprintGenerator", "molecules", "reads molecules").AdditionalOutput()
    found.AllocateBitInfoMap()
    _morgan(BITS).GetCountFingerprint(molecule, additionalOutput=found)
    return {place: _environment(molecule, *where[0]) for place, where in found.GetBitInfoMap().items()}


def _environment(molecule: Molecule, atom: int, radius: int) -> str:
    """The part of a molecule within so many bonds of an atom."""
    bonds = chem().FindAtomEnvironmentOfRadiusN(molecule, radius, atom) if radius else ()
    ends = [molecule.GetBondWithIdx(bond) for bond in bonds]
    atoms = {atom, *(end for bond in ends for end in (bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()))}
    text: str = chem().MolFragmentToSmiles(molecule, sorted(atoms), list(bonds), rootedAtAtom=atom)
    return text


@cache
def _quick() -> Any:
    module = needs("rdkit.Chem.rdMolDescriptors", "molecules", "reads molecules")
    return module.Properties(list(QUICK))


def quick(molecules: Iterable[Molecule]) -> Floats:
    """The descriptors of `QUICK`, (n, 19)."""
    rows = [list(_quick().ComputeProperties(molecule)) for molecule in molecules]
    return np.array(rows, np.float64).reshape(len(rows), len(QUICK))


@cache
def descriptors() -> dict[str, Callable[[Molecule], float]]:
    """All descriptors of RDKit by name, the usual names of some of them first."""
    module = needs("rdkit.Chem.Descriptors", "molecules", "computes descriptors")
    listed = dict(module.descList)
    return {**{name: listed[own] for name, own in ALIASES.items()}, **listed}


def described(molecules: Iterable[Molecule], name: str) -> Floats:
    """A descriptor of molecules by its name, (n,)."""
    return all_described(molecules, (name,))[:, 0]


def all_described(molecules: Iterable[Molecule], names: Sequence[str]) -> Floats:
    """Descriptors of molecules by their names, (n, names)."""
    compute = [descriptors()[name] for name in names]
    rows = [[of(molecule) for of in compute] for molecule in molecules]
    return np.array(rows, np.float64).reshape(len(rows), len(names))

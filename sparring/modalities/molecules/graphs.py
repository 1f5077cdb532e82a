"""Molecules as graphs of atoms and bonds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sparring.data.items import Items
from sparring.data.store import Progress, no_progress
from sparring.data.tensors import VALUES, Tensors
from sparring.errors import InputError
from sparring.layers.spans import Spans
from sparring.metrics import chemistry
from sparring.metrics.chemistry import Molecule
from sparring.modalities.base import Encoded, Modality, Recommendation
from sparring.modalities.molecules.cleaning import Cleaned, notes_of
from sparring.modalities.molecules.molecules import Molecules
from sparring.modalities.ranking import Ranked, rank_values
from sparring.nets.discriminator import Discriminator

BONDS = ("SINGLE", "DOUBLE", "TRIPLE")  # codes 1 to 3; aromatic ones are alternately single and double


@dataclass(frozen=True)
class MoleculeGraphs(Molecules):
    """Molecules of a few heavy atoms as graphs. The networks see one-hot vectors of the type of each atom, and then of
    the bond of each pair of atoms, (width,), the first position of each for "none". Hydrogens are implicit.

    Attributes:
        most: heavy atoms of the largest molecules that are learned.
        atoms: types of atoms, an element and its charge each.
    """

    kind: ClassVar[str] = "molecule graphs"
    reads: ClassVar[tuple[str, ...]] = ("molecules", "rows")
    files: ClassVar[str] = ""
    sets: ClassVar[Mapping[str, Callable[[], Items]]] = {}

    most: int = 9
    atoms: tuple[str, ...] = ()

    @classmethod
    def recommend(cls, items: Items, device: str, seconds: float | None) -> Recommendation | None:  # noqa: ARG003
        return None

    def cleaned(self, items: Items) -> Cleaned:
        cleaned = _small(super().cleaned(items), self.most)
        if not cleaned.smiles:
            raise InputError(f"{items.name!r} has no molecule of at most {self.most} heavy atoms; give a larger atoms=")
        return cleaned

    def fit(self, items: Items) -> Self:
        fitted = super().fit(items)
        molecules: Iterator[Molecule] = chemistry.parse_each(self.cleaned(items).smiles)
        types = {atom_type(atom) for molecule in molecules for atom in molecule.GetAtoms()}
        return replace(fitted, atoms=tuple(sorted(types)))

    @property
    def widths(self) -> tuple[int, ...]:
        """Number of choices of each atom, then of each pair of atoms."""
        return (len(self.atoms) + 1,) * self.most + (len(BONDS) + 1,) * (self.most * (self.most - 1) // 2)

    @property
    def shape(self) -> tuple[int, ...]:
        return (sum(self.widths),)

    @property
    def sample_shape(self) -> tuple[int, ...]:
        return self.shape

    def describe_values(self) -> str:
        return "one-hot types of atoms, then of the bonds of pairs of atoms"

    @cached_property
    def _spans(self) -> Spans:
        return Spans(self.widths, ())

    def encode(self, items: Items, progress: Progress = no_progress) -> Encoded:  # noqa: ARG002
        """Codes of atoms and bonds, int16 (n, most + most (most - 1) / 2)."""
        cleaned = self.cleaned(items)
        rows = [self._codes(molecule) for molecule in chemistry.parse_each(cleaned.smiles)]
        known = np.array([row is not None for row in rows])
        if not known.any():
            raise InputError(f"{items.name!r} has no molecule that consists of the atoms of the training data")
        unknown = [
            (smiles, "it has atoms that the training data lack")
            for smiles, k in zip(cleaned.smiles, known, strict=True)
            if not k
        ]
        codes = torch.from_numpy(np.stack([row for row in rows if row is not None]))
        return Encoded(
            {VALUES: codes}, cleaned.rows[known], skipped=(*cleaned.skipped, *unknown), notes=tuple(notes_of(cleaned))
        )

    def _codes(self, molecule: Molecule) -> NDArray[np.int16] | None:
        """Of a molecule; None if it has atoms of other types."""
        chemistry.chem().Kekulize(molecule, clearAromaticFlags=True)
        types = [atom_type(atom) for atom in molecule.GetAtoms()]
        if not set(types) <= set(self.atoms):
            return None
        bonds = np.zeros((self.most, self.most), np.int16)
        for bond in molecule.GetBonds():
            i, j = sorted((bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()))
            bonds[i, j] = 1 + BONDS.index(str(bond.GetBondType()))
        codes = np.zeros(self.most, np.int16)
        codes[: len(types)] = [1 + self.atoms.index(name) for name in types]
        return np.concatenate([codes, bonds[np.triu_indices(self.most, 1)]])

    def scale(self, encoded: Tensor) -> Tensor:
        return self._spans.to(encoded.device, non_blocking=True).onehot(encoded.long())

    def unscale(self, values: Tensor) -> Tensor:
        return self._spans.to(values.device, non_blocking=True).codes(values).to(torch.int16)

    def batch(self, tensors: Mapping[str, Tensor]) -> Tensors:
        return Modality.batch(self, tensors)

    def rank(self, critic: Discriminator, items: Items, device: torch.device, progress: Progress) -> list[Ranked]:
        return rank_values(self, critic, items, device, progress)

    def decode(self, samples: Tensors, start: int = 0) -> NDArray[Any]:  # noqa: ARG002
        """SMILES, an array of strings (n,); "" for graphs that are no valid molecule, or several."""
        with chemistry.quiet():
            texts = [self._smiles(codes) for codes in self.unscale(samples[VALUES]).cpu().numpy()]
        return np.array(texts, object)

    def _smiles(self, codes: NDArray[np.int16]) -> str:
        chem, places = chemistry.chem(), np.flatnonzero(codes[: self.most])
        edited = chem.RWMol()
        for place in places:
            edited.AddAtom(_atom(self.atoms[codes[place] - 1]))
        index = {int(place): i for i, place in enumerate(places)}
        for i, j, bond in zip(*np.triu_indices(self.most, 1), codes[self.most :], strict=True):
            if bond and i in index and j in index:
                edited.AddBond(index[int(i)], index[int(j)], getattr(chem.BondType, BONDS[bond - 1]))
        if not len(places) or chem.SanitizeMol(edited, catchErrors=True):
            return ""
        text: str = chem.MolToSmiles(edited)
        return "" if "." in text else text


def atom_type(atom: Any) -> str:
    """The element of an atom and its charge, such as "N+1"."""
    charge = atom.GetFormalCharge()
    return f"{atom.GetSymbol()}{charge:+d}" if charge else str(atom.GetSymbol())


def _atom(name: str) -> Any:
    """An atom of a type."""
    symbol = name.rstrip("+-0123456789")
    atom = chemistry.chem().Atom(symbol)
    atom.SetFormalCharge(int(name[len(symbol) :] or 0))
    return atom


@lru_cache(maxsize=4)
def _heavy(smiles: tuple[str, ...]) -> Sequence[int]:
    molecules: Iterator[Molecule] = chemistry.parse_each(smiles)
    return [molecule.GetNumHeavyAtoms() for molecule in molecules]


def _small(cleaned: Cleaned, most: int) -> Cleaned:
    """The molecules of at most so many heavy atoms."""
    counts = np.array(_heavy(cleaned.smiles))
    fits = np.flatnonzero(counts <= most)
    left = [
        (text, f"it has {n} heavy atoms (atoms={most})")
        for text, n in zip(cleaned.smiles, counts, strict=True)
        if n > most
    ]
    return Cleaned(
        tuple(cleaned.smiles[i] for i in fits), cleaned.rows[fits], (*cleaned.skipped, *left), cleaned.changed
    )

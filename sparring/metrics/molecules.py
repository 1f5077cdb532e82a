"""Metrics of molecules. Those of MOSES follow its protocol (Polykovskiy et al. 2018, arXiv:1811.12823)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from functools import cache
from math import nan, sqrt
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sparring.errors import needs
from sparring.metrics import chemistry
from sparring.metrics.chemistry import QUICK, Floats, Molecule
from sparring.metrics.frechet import Moments, Summed
from sparring.metrics.tables import Rows

CHEMNET_LENGTH = 350  # characters of a SMILES
CHEMNET_BATCH = 256
CHEMNET_WIDTH = 512  # activations of a molecule
MIN_RINGS = 2  # of a scaffold that counts
BLOCK = 2048  # molecules whose pairs or activations are added up at once
COMPARED = 16_384  # real fingerprints that are compared at once: their columns fit into a cache
PROJECTED = 64  # directions of substructures by which a classifier tells molecules apart

T = TypeVar("T")


def unique(smiles: Sequence[str], k: int) -> float:
    """Share of different molecules among the first k, canonical ones; NaN if there are fewer."""
    return len(set(smiles[:k])) / k if len(smiles) >= k else nan


def novelty(smiles: Iterable[str], train: set[str]) -> float:
    """Share of the different molecules that are not among the training molecules; all canonical."""
    made = set(smiles)
    return len(made - train) / len(made) if made else nan


@cache
def _chemnet() -> tuple[torch.nn.Module, Callable[..., Any]]:
    fcd = needs("fcd_torch", "molecules", "computes ChemNet's activations")
    utils = needs("fcd_torch.utils", "molecules", "computes ChemNet's activations")
    return fcd.FCD(device="cpu", n_jobs=1).model.eval(), utils.get_one_hot


@torch.no_grad()
def activations(smiles: Sequence[str]) -> NDArray[np.float32]:
    """ChemNet's activations of canonical SMILES, (n, 512). Preuer et al. 2018, arXiv:1803.09518."""
    net, one_hot = _chemnet()
    found = []
    for start in range(0, len(smiles), CHEMNET_BATCH):
        codes = [one_hot(text, CHEMNET_LENGTH) for text in smiles[start : start + CHEMNET_BATCH]]
        x = torch.from_numpy(np.stack(codes, dtype=np.float32))
        found.append(net((x / x.shape[2]).transpose(1, 2)).numpy())
    return np.concatenate(found) if found else np.zeros((0, CHEMNET_WIDTH), np.float32)


def chemnet_moments(activations: Sequence[NDArray[np.float32]]) -> Moments:
    """Moments of the activations of molecules, (512,) each, for the Fréchet ChemNet distance."""
    summed = Summed()
    for start in range(0, len(activations), BLOCK):
        summed.add(torch.from_numpy(np.stack(activations[start : start + BLOCK])))
    return summed.moments()


class Pieces(NamedTuple):
    """Parts of a molecule, as SMILES.

    Attributes:
        fragments: by BRICS. Degen et al. 2008, doi:10.1002/cmdc.200800178.
        scaffold: "" if it has fewer than two rings. Bemis and Murcko 1996, doi:10.1021/jm9602928.
    """

    fragments: tuple[str, ...]
    scaffold: str


def pieces(smiles: Iterable[str]) -> list[Pieces]:
    """Parts of valid molecules."""
    brics = needs("rdkit.Chem.AllChem", "molecules", "computes fragments").FragmentOnBRICSBonds
    murcko = needs("rdkit.Chem.Scaffolds.MurckoScaffold", "molecules", "computes scaffolds").GetScaffoldForMol
    write, found = chemistry.chem().MolToSmiles, []
    for molecule in chemistry.parse_each(smiles):
        scaffold = murcko(molecule)
        counts = scaffold.GetRingInfo().NumRings() >= MIN_RINGS
        found.append(Pieces(tuple(write(brics(molecule)).split(".")), write(scaffold) if counts else ""))
    return found


def fragments(pieces: Iterable[Pieces]) -> Counter[str]:
    """How often each fragment occurs."""
    return Counter(fragment for one in pieces for fragment in one.fragments)


def scaffolds(pieces: Iterable[Pieces]) -> Counter[str]:
    """How often each scaffold of two rings or more occurs."""
    return Counter(one.scaffold for one in pieces if one.scaffold)


def cosine(a: Mapping[str, int], b: Mapping[str, int]) -> float:
    """Cosine of the angle between two tables of counts; NaN if one is empty."""
    lengths = [sqrt(sum(count * count for count in counts.values())) for counts in (a, b)]
    if not all(lengths):
        return nan
    return sum(count * b.get(name, 0) for name, count in a.items()) / (lengths[0] * lengths[1])


def similarity(a: Tensor, b: Tensor) -> Tensor:
    """Tanimoto similarities (n, m) of fingerprints (n, bits) and (m, bits); 1 for two empty ones."""
    both = a @ b.T
    either = a.sum(1)[:, None] + b.sum(1)[None] - both
    return torch.where(either > 0, both / either.clamp(min=1), 1.0)


def nearest(made: NDArray[np.uint8], real: NDArray[np.uint8]) -> Floats:
    """Similarity of each fingerprint to the most similar real one, (n,).

    Few bits are set: to count common ones, only these columns of the real fingerprints are read.
    """
    best = np.zeros(len(made), np.float32)
    for start in range(0, len(real), COMPARED):
        block = real[start : start + COMPARED]
        columns, sizes = np.ascontiguousarray(block.T), block.sum(1, dtype=np.int32)
        for i, row in enumerate(made):
            bits = np.flatnonzero(row)
            both = columns[bits].sum(0, dtype=np.uint8 if len(bits) < 256 else np.uint16)
            either = (len(bits) + sizes - both).astype(np.float32)
            shares = np.divide(both, either, out=np.ones_like(either), where=either > 0)
            best[i] = max(best[i], shares.max())
    return best.astype(np.float64)


def internal_diversity(fingerprints: NDArray[np.uint8]) -> float:
    """1 - the mean similarity of all pairs of molecules, each with itself included, as MOSES does."""
    if not len(fingerprints):
        return nan
    x, total = torch.from_numpy(fingerprints).float(), 0.0
    for start in range(0, len(x), BLOCK):
        block, later = x[start : start + BLOCK], x[start + BLOCK :]
        total += float(similarity(block, block).double().sum())
        total += 2 * float(similarity(block, later).double().sum())  # each pair of different blocks counts twice
    return 1 - total / len(x) ** 2


def add_atom_share(smiles: Sequence[str], train: set[str]) -> float:
    """Share of the molecules that are a training molecule with one atom added at its surface: the trivial generator of
    Renz et al. 2020, doi:10.1016/j.ddtec.2020.09.003.
    """
    edited = [molecule is not None and not train.isdisjoint(smaller(molecule)) for molecule in chemistry.parse(smiles)]
    return sum(edited) / len(edited) if edited else nan


def smaller(molecule: Molecule) -> set[str]:
    """The molecules that remain when one atom that has a single neighbor is removed, canonical."""
    chem = chemistry.chem()
    ends = [atom.GetIdx() for atom in molecule.GetAtoms() if atom.GetDegree() == 1]
    remaining = []
    with chemistry.quiet():
        for end in ends:
            edited = chem.RWMol(molecule)
            edited.RemoveAtom(end)
            remaining.append(chem.MolToSmiles(edited))
    return set(chemistry.canonical(remaining)) - {""}


def add_carbon(smiles: Sequence[str], seed: int = 0) -> list[str]:
    """Each molecule with a carbon added at a random atom with a hydrogen; "" where there is none."""
    chem, random, made = chemistry.chem(), np.random.default_rng(seed), []
    for molecule in (molecule for molecule in chemistry.parse(smiles) if molecule is not None):
        free = [atom.GetIdx() for atom in molecule.GetAtoms() if atom.GetTotalNumHs() > 0]
        edited = chem.RWMol(molecule)
        if free:
            place = int(random.choice(free))
            atom = edited.GetAtomWithIdx(place)
            atom.SetNumExplicitHs(max(0, atom.GetNumExplicitHs() - 1))
            edited.AddBond(place, edited.AddAtom(chem.Atom(6)), chem.BondType.SINGLE)
        made.append(chem.MolToSmiles(edited) if free else "")
    return chemistry.canonical(made)


def rows(molecules: Sequence[Molecule]) -> Rows:
    """Descriptors and projected substructures, for the two-sample test."""
    directions = np.random.default_rng(0).standard_normal((chemistry.BITS, PROJECTED)) / sqrt(PROJECTED)
    projected = np.log1p(chemistry.counts(molecules)) @ directions
    values = np.concatenate([chemistry.quick(molecules), projected], 1)
    return Rows(values, np.zeros(len(QUICK) + PROJECTED, bool))


def fingerprints_of(smiles: Sequence[str]) -> NDArray[np.uint8]:
    """Morgan fingerprints of valid SMILES, (n, 1024)."""
    return chemistry.fingerprints(chemistry.parse_each(smiles))


class Once(Generic[T]):
    """A function of molecules that is computed once for each real one: these occur in several rows of an evaluation,
    and a row may have a molecule more than once.

    Args:
        compute: canonical SMILES -> what is computed of each.
        is_real: whether a molecule is remembered.
    """

    def __init__(self, compute: Callable[[list[str]], Iterable[T]], is_real: Callable[[str], bool]) -> None:
        self.compute, self.is_real = compute, is_real
        self._known: dict[str, T] = {}

    def __call__(self, smiles: Sequence[str]) -> list[T]:
        """Of each molecule."""
        new = [text for text in dict.fromkeys(smiles) if text not in self._known]
        made = dict(zip(new, self.compute(new), strict=True)) if new else {}
        # A row of an array is copied, or it would keep the whole array in memory.
        self._known.update({text: copy(value) for text, value in made.items() if self.is_real(text)})
        return [made[text] if text in made else self._known[text] for text in smiles]

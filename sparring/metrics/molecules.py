"""Metrics of molecules. Those of MOSES follow its protocol (Polykovskiy et al. 2018, arXiv:1811.12823)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from math import nan, sqrt
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sparring.errors import needs
from sparring.metrics import chemistry
from sparring.metrics.chemistry import QUICK, Floats, Molecule
from sparring.metrics.frechet import Moments, Summed
from sparring.metrics.moses import Statistics
from sparring.metrics.tables import Rows

CHEMNET_LENGTH = 350  # characters of a SMILES
CHEMNET_BATCH = 256
MIN_RINGS = 2  # of a scaffold that counts
BLOCK = 4096  # fingerprints that are compared at once
PROJECTED = 64  # directions of substructures by which a classifier tells molecules apart


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
def chemnet_moments(smiles: Sequence[str]) -> Moments:
    """Moments of ChemNet's activations of canonical SMILES, for the Fréchet ChemNet distance. Preuer et al. 2018,
    arXiv:1803.09518.
    """
    net, one_hot = _chemnet()
    summed = Summed()
    for start in range(0, len(smiles), CHEMNET_BATCH):
        codes = np.stack([one_hot(text, CHEMNET_LENGTH) for text in smiles[start : start + CHEMNET_BATCH]])
        x = torch.from_numpy(codes / codes.shape[2]).transpose(1, 2).float()
        summed.add(net(x))
    return summed.moments()


def fragments(molecules: Iterable[Molecule]) -> Counter[str]:
    """How often each BRICS fragment occurs. Degen et al. 2008, doi:10.1002/cmdc.200800178."""
    brics = needs("rdkit.Chem.AllChem", "molecules", "computes fragments").FragmentOnBRICSBonds
    write = chemistry.chem().MolToSmiles
    found: Counter[str] = Counter()
    for molecule in molecules:
        found.update(write(brics(molecule)).split("."))
    return found


def scaffolds(molecules: Iterable[Molecule]) -> Counter[str]:
    """How often each scaffold of two rings or more occurs. Bemis and Murcko 1996, doi:10.1021/jm9602928."""
    murcko = needs("rdkit.Chem.Scaffolds.MurckoScaffold", "molecules", "computes scaffolds").GetScaffoldForMol
    write = chemistry.chem().MolToSmiles
    found: Counter[str] = Counter()
    for molecule in molecules:
        scaffold = murcko(molecule)
        if scaffold.GetRingInfo().NumRings() >= MIN_RINGS:
            found[write(scaffold)] += 1
    return found


def cosine(a: Mapping[str, int], b: Mapping[str, int]) -> float:
    """Cosine of the angle between two tables of counts; NaN if one is empty."""
    lengths = [sqrt(sum(count * count for count in counts.values())) for counts in (a, b)]
    if not all(lengths):
        return nan
    return sum(count * b.get(name, 0) for name, count in a.items()) / (lengths[0] * lengths[1])


def statistics(smiles: Sequence[str], chemnet: bool = True) -> Statistics:
    """What metrics compare molecules with, of canonical SMILES.

    Args:
        chemnet: compute the moments of ChemNet's activations.
    """
    molecules = chemistry.parse(smiles)
    moments = chemnet_moments(smiles) if chemnet else None
    return Statistics(
        moments, chemistry.fingerprints(molecules), dict(fragments(molecules)), dict(scaffolds(molecules))
    )


def similarity(a: Tensor, b: Tensor) -> Tensor:
    """Tanimoto similarities (n, m) of fingerprints (n, bits) and (m, bits); 1 for two empty ones."""
    both = a @ b.T
    either = a.sum(1)[:, None] + b.sum(1)[None] - both
    return torch.where(either > 0, both / either.clamp(min=1), 1.0)


def nearest(made: NDArray[np.uint8], real: NDArray[np.uint8]) -> Floats:
    """Similarity of each fingerprint to the most similar real one, (n,)."""
    x, best = torch.from_numpy(made).float(), torch.zeros(len(made))
    for start in range(0, len(real), BLOCK):
        block = torch.from_numpy(real[start : start + BLOCK]).float()
        best = torch.maximum(best, similarity(x, block).amax(1))
    return best.double().numpy()


def internal_diversity(fingerprints: NDArray[np.uint8]) -> float:
    """1 - the mean similarity of all pairs of molecules, each with itself included, as MOSES does."""
    if not len(fingerprints):
        return nan
    x = torch.from_numpy(fingerprints).float()
    blocks = [x[i : i + BLOCK] for i in range(0, len(x), BLOCK)]
    total = sum(float(similarity(block, x).double().sum()) for block in blocks)
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

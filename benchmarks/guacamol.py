"""Objectives of molecules by the formulas of GuacaMol (Brown et al. 2019, arXiv:1811.09621), for

    sparring train zinc --recipe organ objective=benchmarks/guacamol.py:celecoxib_rediscovery

Each function takes a list of valid SMILES and returns a number in [0, 1] for each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from math import exp, prod
from typing import Any

from rdkit import Chem, DataStructs
from rdkit.Chem import Descriptors, rdFingerprintGenerator

CELECOXIB = "Cc1ccc(cc1)c1cc(nn1c1ccc(cc1)S(N)(=O)=O)C(F)(F)F"
OSIMERTINIB = "COc1cc(N(C)CCN(C)C)c(NC(=O)C=C)cc1Nc1nccc(n1)c1cn(C)c2ccccc12"
FEXOFENADINE = "CC(C)(C(=O)O)c1ccc(cc1)C(O)CCCN1CCC(CC1)C(O)(c1ccccc1)c1ccccc1"


def celecoxib_rediscovery(smiles: Sequence[str]) -> list[float]:
    """Similarity to celecoxib, by counts of substructures of radius 2 (ECFC4)."""
    return [_similarity(molecule, CELECOXIB, "ECFC4") for molecule in _parsed(smiles)]


def osimertinib_mpo(smiles: Sequence[str]) -> list[float]:
    """Like osimertinib, but not too like, more polar and less lipophilic."""

    def score(molecule: Any) -> float:
        return _mean(
            min(1.0, _similarity(molecule, OSIMERTINIB, "FCFC4") / 0.8),
            _at_most(_similarity(molecule, OSIMERTINIB, "ECFC6"), 0.85, 0.1),
            _at_least(Descriptors.TPSA(molecule), 100, 10),
            _at_most(Descriptors.MolLogP(molecule), 1, 1),
        )

    return list(map(score, _parsed(smiles)))


def fexofenadine_mpo(smiles: Sequence[str]) -> list[float]:
    """Like fexofenadine, more polar and less lipophilic."""

    def score(molecule: Any) -> float:
        return _mean(
            min(1.0, _similarity(molecule, FEXOFENADINE, "AP") / 0.8),
            _at_least(Descriptors.TPSA(molecule), 90, 10),
            _at_most(Descriptors.MolLogP(molecule), 4, 1),
        )

    return list(map(score, _parsed(smiles)))


def _parsed(smiles: Sequence[str]) -> list[Any]:
    return [Chem.MolFromSmiles(text) for text in smiles]


@cache
def _generator(kind: str) -> Any:
    if kind == "AP":
        return rdFingerprintGenerator.GetAtomPairGenerator(maxDistance=10)
    features = rdFingerprintGenerator.GetMorganFeatureAtomInvGen() if kind.startswith("F") else None
    return rdFingerprintGenerator.GetMorganGenerator(int(kind[-1]) // 2, atomInvariantsGenerator=features)


@cache
def _target(smiles: str, kind: str) -> Any:
    return _generator(kind).GetSparseCountFingerprint(Chem.MolFromSmiles(smiles))


def _similarity(molecule: Any, target: str, kind: str) -> float:
    """Tanimoto similarity of counts."""
    own = _generator(kind).GetSparseCountFingerprint(molecule)
    return float(DataStructs.TanimotoSimilarity(own, _target(target, kind)))


def _at_least(x: float, mean: float, deviation: float) -> float:
    """1 from a value on; below it falls as a normal density does."""
    return 1.0 if x >= mean else exp(-0.5 * ((x - mean) / deviation) ** 2)


def _at_most(x: float, mean: float, deviation: float) -> float:
    """1 up to a value; above it falls as a normal density does."""
    return _at_least(-x, -mean, deviation)


def _mean(*values: float) -> float:
    """The geometric mean."""
    return prod(values) ** (1 / len(values))


OBJECTIVES: dict[str, Callable[[Sequence[str]], list[float]]] = {
    function.__name__: function for function in (celecoxib_rediscovery, osimertinib_mpo, fexofenadine_mpo)
}

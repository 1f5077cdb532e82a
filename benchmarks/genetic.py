"""A genetic search for molecules, the baseline of goal-directed design: molecules are crossed at single bonds, changed
at single atoms and bonds, and the best survive. After Jensen 2019, doi:10.1039/C8SC05372C.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from rdkit import Chem, rdBase

ELEMENTS = (6, 7, 8, 9, 16, 17)
BONDS = (Chem.BondType.SINGLE, Chem.BondType.DOUBLE, Chem.BondType.TRIPLE)
DUMMY = Chem.MolFromSmarts("[#0]")  # where a molecule has been cut
CUT = Chem.MolFromSmarts("[!R]-!@[*]")  # single bonds that are in no ring
MUTATED = 0.5  # share of the children that are changed
MAX_ATOMS = 50

Score = Callable[[Sequence[str]], Sequence[float]]


def search(start: Sequence[str], score: Score, population: int, generations: int, seed: int = 0) -> list[str]:
    """Molecules, the best first.

    Args:
        start: SMILES that the search begins with; the best of them survive.
        score: what molecules are worth; it is called for each once.
        population: molecules that survive, and children of a generation.
    """
    draw = random.Random(seed)
    worth = dict(zip(start, score(start), strict=True))
    alive = _best(worth, population)
    with rdBase.BlockLogs():
        for _ in range(generations):
            weights = [worth[text] + 1e-3 for text in alive]
            children: set[str] = set()
            for _ in range(4 * population):  # many have no valid child
                a, b = draw.choices(alive, weights, k=2)
                child = _crossed(a, b, draw)
                if child and draw.random() < MUTATED:
                    child = _mutated(child, draw)
                if child and child not in worth:
                    children.add(child)
                if len(children) == population:
                    break
            made = sorted(children)
            worth |= dict(zip(made, score(made), strict=True)) if made else {}
            alive = _best({text: worth[text] for text in {*alive, *made}}, population)
    return alive


def _best(worth: dict[str, float], n: int) -> list[str]:
    return sorted(worth, key=lambda text: (-worth[text], text))[:n]


def _crossed(a: str, b: str, draw: random.Random) -> str:
    """A part of each of two molecules, joined; "" if they cannot be cut."""
    parts = [_part(text, draw) for text in (a, b)]
    if None in parts:
        return ""
    joined = Chem.RWMol(Chem.CombineMols(*parts))
    ends = [end for (end,) in joined.GetSubstructMatches(DUMMY)]
    neighbors = [joined.GetAtomWithIdx(end).GetNeighbors()[0].GetIdx() for end in ends]
    joined.AddBond(neighbors[0], neighbors[1], Chem.BondType.SINGLE)
    for end in sorted(ends, reverse=True):
        joined.RemoveAtom(end)
    return _valid(joined)


def _part(text: str, draw: random.Random) -> Any:
    """One side of a random single bond, with a dummy atom at the cut; None if there is no such bond."""
    pairs = _parsed(text)[1]
    return draw.choice(_sides(text, draw.choice(pairs))) if pairs else None


@lru_cache(maxsize=2000)  # a parent has many children
def _parsed(text: str) -> tuple[Any, tuple[tuple[int, int], ...]]:
    """A molecule, and the ends of the bonds where it can be cut."""
    molecule = Chem.MolFromSmiles(text)
    return molecule, molecule.GetSubstructMatches(CUT)


@lru_cache(maxsize=2000)
def _sides(text: str, ends: tuple[int, int]) -> tuple[Any, ...]:
    """The two sides of a bond."""
    molecule = _parsed(text)[0]
    cut = Chem.FragmentOnBonds(molecule, [molecule.GetBondBetweenAtoms(*ends).GetIdx()], dummyLabels=[(0, 0)])
    return Chem.GetMolFrags(cut, asMols=True, sanitizeFrags=False)


def _mutated(text: str, draw: random.Random) -> str:
    """A molecule with one atom more, less or of another element, or another bond; the same if that is invalid."""
    edited = Chem.RWMol(Chem.MolFromSmiles(text))
    Chem.Kekulize(edited, clearAromaticFlags=True)
    atom = draw.randrange(edited.GetNumAtoms())
    kind = draw.choice(("add", "remove", "element", "bond"))
    if kind == "add":
        edited.AddBond(atom, edited.AddAtom(Chem.Atom(draw.choice(ELEMENTS))), Chem.BondType.SINGLE)
    elif kind == "remove" and edited.GetAtomWithIdx(atom).GetDegree() == 1:
        edited.RemoveAtom(atom)
    elif kind == "element":
        edited.GetAtomWithIdx(atom).SetAtomicNum(draw.choice(ELEMENTS))
    elif kind == "bond" and edited.GetNumBonds():
        edited.GetBondWithIdx(draw.randrange(edited.GetNumBonds())).SetBondType(draw.choice(BONDS))
    return _valid(edited) or text


def _valid(edited: Any) -> str:
    """Canonical SMILES; "" for what is no single valid molecule of a usual size."""
    try:
        molecule = Chem.MolFromSmiles(Chem.MolToSmiles(edited))
    except (ValueError, RuntimeError):
        return ""
    if molecule is None or not 0 < molecule.GetNumAtoms() <= MAX_ATOMS:
        return ""
    text = Chem.MolToSmiles(molecule)
    return "" if "." in text else text

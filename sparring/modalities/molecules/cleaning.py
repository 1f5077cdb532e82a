"""From the molecules of a file to canonical SMILES that are learned, and why others are not."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sparring.errors import needs
from sparring.metrics import chemistry
from sparring.metrics.chemistry import Molecule
from sparring.modalities.molecules.records import Records
from sparring.modalities.molecules.tokens import tokenize

CHARGE, ISOTOPE = re.compile(r"\[[^\]]*[+-]"), re.compile(r"\[\d")
Salts = Literal["largest", "keep", "drop"]
Charges = Literal["keep", "neutralize", "drop"]
Marks = Literal["keep", "remove", "drop"]


@dataclass(frozen=True)
class Rules:
    """What is done with molecules before they are learned.

    Attributes:
        salts: of several fragments keep the largest, keep all, or leave the molecule out.
        charges: keep charged atoms, neutralize them where that is possible, or leave the molecule out.
        isotopes, stereo: keep the marks, remove them, or leave the molecule out.
        longest: tokens of the longest molecule that is learned.
    """

    salts: Salts = "largest"
    charges: Charges = "keep"
    isotopes: Marks = "keep"
    stereo: Marks = "keep"
    longest: int = 100


@dataclass(frozen=True)
class Cleaned:
    """The molecules that are learned.

    Attributes:
        smiles: canonical, each once.
        rows: index of the record of each, (n,).
        skipped: where a molecule that is not learned is in the file, and why.
        changed: how many molecules were changed, by what was done.
    """

    smiles: tuple[str, ...]
    rows: NDArray[np.int64]
    skipped: tuple[tuple[str, str], ...]
    changed: dict[str, int]


class Left(Exception):
    """A molecule is left out; the message says why."""


@cache
def _tools() -> tuple[Any, Any]:
    standard = needs("rdkit.Chem.MolStandardize.rdMolStandardize", "molecules", "reads molecules")
    return standard.LargestFragmentChooser(), standard.Uncharger()


@lru_cache(maxsize=4)  # fitting, encoding and judging ask for the same
def clean(records: Records, rules: Rules) -> Cleaned:
    """The molecules of a file that are learned by some rules."""
    smiles: list[str] = []
    rows: list[int] = []
    skipped: list[tuple[str, str]] = []
    changed: Counter[str] = Counter()
    first: dict[str, int] = {}
    with chemistry.quiet():
        for i, molecule in enumerate(chemistry.parse_each(records.smiles)):
            try:
                text, done = _cleaned(molecule, records.smiles[i], rules)
                if text in first:
                    raise Left(f"the same molecule as {records.place(first[text])}")
            except Left as left:
                skipped.append((records.place(i), str(left)))
                continue
            first[text] = i
            smiles.append(text)
            rows.append(i)
            changed.update(done)
    return Cleaned(tuple(smiles), np.array(rows, np.int64), tuple(skipped), dict(changed))


def _cleaned(molecule: Molecule | None, written: str, rules: Rules) -> tuple[str, list[str]]:
    """Canonical SMILES, and what was done.

    Raises:
        Left: if the molecule is not learned.
    """
    if molecule is None or not molecule.GetNumAtoms():
        raise Left(f"{written[:60]!r} is not a valid SMILES" if written else "it cannot be read")
    write, (chooser, uncharger) = chemistry.chem().MolToSmiles, _tools()
    done: list[str] = []
    text = write(molecule)
    if "." in text and rules.salts != "keep":
        if rules.salts == "drop":
            raise Left(f"it has {text.count('.') + 1} fragments (salts=drop)")
        molecule, done = chooser.choose(molecule), [*done, "reduced to the largest fragment"]
    if rules.charges != "keep" and has_charges(write(molecule)):
        if rules.charges == "drop":
            raise Left("it has charged atoms (charges=drop)")
        molecule, done = uncharger.uncharge(molecule), [*done, "neutralized"]
    if rules.isotopes != "keep" and has_isotopes(text):
        if rules.isotopes == "drop":
            raise Left("it has isotopes (isotopes=drop)")
        for atom in molecule.GetAtoms():
            atom.SetIsotope(0)
        done = [*done, "without their isotopes"]
    if rules.stereo != "keep" and has_stereo(text):
        if rules.stereo == "drop":
            raise Left("it has stereo marks (stereo=drop)")
        chemistry.chem().RemoveStereochemistry(molecule)
        done = [*done, "without their stereo marks"]
    if done:
        text = chemistry.canonical([write(molecule)])[0]
    tokens = len(tokenize(text))
    if tokens > rules.longest:
        raise Left(f"it has {tokens} tokens (longest={rules.longest})")
    return text, done


@lru_cache(maxsize=2)  # fitting and encoding ask for the same
def rewritten(smiles: tuple[str, ...]) -> tuple[str, ...]:
    """Another SMILES of each molecule, which begins at a random atom and goes on in random order. They are always the
    same for the same molecules.
    """
    write = chemistry.chem().MolToRandomSmilesVect
    return tuple(write(molecule, 1, randomSeed=i + 1)[0] for i, molecule in enumerate(chemistry.parse_each(smiles)))


def has_charges(smiles: str) -> bool:
    """True if an atom of a SMILES has a charge."""
    return CHARGE.search(smiles) is not None


def has_isotopes(smiles: str) -> bool:
    """True if a SMILES says which isotope an atom is."""
    return ISOTOPE.search(smiles) is not None


def has_stereo(smiles: str) -> bool:
    """True if a SMILES says how a center or a double bond is arranged."""
    return "@" in smiles or "/" in smiles or "\\" in smiles


def notes_of(cleaned: Cleaned) -> list[str]:
    """What was done with the molecules, one line each, for the user."""
    return [f"{count:,} molecules are {what}" for what, count in cleaned.changed.items()]

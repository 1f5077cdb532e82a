"""What samples can be asked for besides properties: a similar molecule, a scaffold, novelty."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from sparring.errors import InputError, needs
from sparring.metrics import chemistry
from sparring.metrics.chemistry import Floats, Molecule
from sparring.metrics.molecules import fingerprints_of, nearest
from sparring.modalities.asks import Ask
from sparring.modalities.molecules.conditions import Range, ranges
from sparring.modalities.molecules.membership import Members
from sparring.modalities.molecules.properties import Measure
from sparring.modalities.molecules.tokens import tokenize

BEGINNINGS = 64  # SMILES of a scaffold with which samples begin
SIMILAR = "0.4.."  # Tanimoto similarity unless it is given
ELEMENT = re.compile(r"\[?\d*(se|as|[bcnops]|[A-Z][a-z]?)")  # at the beginning of a token
LIKE = Ask(
    "like",
    "Only molecules whose substructures are similar to those of this SMILES.",
    examples=("CC(=O)Oc1ccccc1C(=O)O",),
)
SIMILARITY = Ask(
    "similarity",
    f"Tanimoto similarity to the molecule of --like, LOW..HIGH; {SIMILAR} unless given.",
    examples=("0.4..", "0.5..0.8"),
)
SCAFFOLD = Ask(
    "scaffold",
    "Only molecules with this substructure, a SMILES (where * is any atom) or a SMARTS.",
    examples=("c1ccncc1", "*c1ccc(*)cc1"),
)
NOVEL = Ask(
    "novel",
    "Only new molecules: none of the training data, and with --like neither that molecule nor one of its tautomers.",
    "boolean",
    examples=("true",),
)


@dataclass(frozen=True)
class Target:
    """A molecule that samples should be similar to.

    Attributes:
        smiles: canonical.
    """

    smiles: str

    @classmethod
    def parsed(cls, text: str) -> Target:
        """The molecule that was asked for.

        Raises:
            InputError: if it is not a valid SMILES.
        """
        found = chemistry.canonical([text])[0]
        if not found:
            raise InputError(f"like={text!r} is not a valid SMILES")
        return cls(found)

    @cached_property
    def molecule(self) -> Molecule:
        return chemistry.parse([self.smiles])[0]

    @property
    def measure(self) -> Measure:
        """Similarity of molecules to this one, in [0, 1]. Tanimoto coefficient of Morgan fingerprints of radius 2."""
        own = fingerprints_of([self.smiles])
        return lambda molecules: nearest(chemistry.fingerprints(molecules), own)

    def similar(self, text: str) -> Range:
        """The condition on the similarity.

        Args:
            text: LOW..HIGH, >NUMBER or <NUMBER.

        Raises:
            InputError: if it is no range of similarities.
        """
        typed = f"similarity{'' if text.strip()[:1] in ('<', '>', '=') else '='}{text}"
        (condition,) = ranges([typed], {"similarity": self.measure})
        if condition.low > 1 or condition.high < 0:
            raise InputError(f"similarity={text} is out of range; it must be from 0 to 1")
        return condition

    def note(self, examples: Sequence[str]) -> str:
        """How similar training molecules are, for the user."""
        values = self.measure(chemistry.parse(examples))
        return (
            f"{len(examples):,} training molecules that the model keeps have similarities from {values.min():.2f} to "
            f"{values.max():.2f} to {self.smiles}, median {np.median(values):.2f}"
        )

    @cached_property
    def _tautomer(self) -> tuple[str, str]:
        return _formula(self.molecule), _canonical_tautomer(self.molecule)

    def same(self, smiles: Sequence[str]) -> NDArray[np.bool_]:
        """True for the molecule itself and its tautomers, (n,)."""
        formula, canonical = self._tautomer
        found = np.zeros(len(smiles), bool)
        for i, molecule in enumerate(chemistry.parse(smiles)):
            if molecule is not None and _formula(molecule) == formula:  # enumerating tautomers takes milliseconds
                found[i] = _canonical_tautomer(molecule) == canonical
        return found


@dataclass(frozen=True)
class Contains:
    """A substructure.

    Attributes:
        text: for messages.
        read_as: "SMILES" or "SMARTS".
        query: for RDKit.
        molecule: the scaffold, if it is read as SMILES, or None.
    """

    text: str
    read_as: str
    query: Molecule
    molecule: Molecule | None = None

    @classmethod
    def parsed(cls, text: str, vocabulary: Sequence[str], length: int) -> Contains:
        """The substructure that was asked for. What is a valid SMILES is read as one.

        Args:
            vocabulary: tokens that molecules can consist of.
            length: of molecules in tokens, their end included.

        Raises:
            InputError: if it is neither SMILES nor SMARTS, or no molecule of the model can have it.
        """
        chem = chemistry.chem()
        molecule = chemistry.parse([text])[0]
        if molecule is None:
            with chemistry.quiet():
                query = chem.MolFromSmarts(text)
            if query is None or not query.GetNumAtoms():
                raise InputError(f"scaffold={text!r} is neither a valid SMILES nor a valid SMARTS")
            return cls(f"scaffold {text}", "SMARTS", query)
        settings = chem.AdjustQueryParameters.NoAdjustments()
        settings.makeDummiesQueries = True
        known = {match[1].capitalize() for token in vocabulary if (match := ELEMENT.match(token))}
        used = {atom.GetSymbol() for atom in molecule.GetAtoms()} - {"*", "H"}
        if unknown := sorted(used - known):
            raise InputError(
                f"scaffold={text!r} has {', '.join(unknown)}, and training molecules consist of "
                f"{', '.join(sorted(known))}; ask for another scaffold"
            )
        if (tokens := len(tokenize(chem.MolToSmiles(molecule)))) >= length:
            raise InputError(
                f"scaffold={text!r} has {tokens} tokens, and the largest training molecule has {length - 1}; ask for a "
                "smaller scaffold"
            )
        return cls(f"scaffold {text}", "SMILES", chem.AdjustQueryProperties(molecule, settings), molecule)

    @property
    def beginnings(self) -> tuple[str, ...]:
        """SMILES of the scaffold, in various orders of its atoms, which molecules with it can begin with. What follows
        is bound to the last atom, the one next to the dummy atom if there is one. () if there are several.
        """
        if self.molecule is None:
            return ()
        dummies = sum(atom.GetAtomicNum() == 0 for atom in self.molecule.GetAtoms())
        texts = chemistry.chem().MolToRandomSmilesVect(self.molecule, BEGINNINGS, randomSeed=1)
        if dummies:
            texts = [text[:-1] for text in texts if text.endswith("*") and dummies == 1]
        return tuple(dict.fromkeys(text for text in texts if "*" not in text and "." not in text))

    def holds(self, smiles: Any) -> NDArray[np.bool_]:
        """True for the molecules that have it, (n,)."""
        molecules = chemistry.parse(smiles)
        return np.array([m is not None and m.HasSubstructMatch(self.query) for m in molecules], bool)

    def note(self, examples: Sequence[str]) -> str:
        """What was understood, and how many training molecules have it, for the user."""
        count = int(self.holds(examples).sum())
        return (
            f"{self.text} is read as {self.read_as}; {count:,} of {len(examples):,} training molecules that "
            "the model keeps have it"
        )


@dataclass(frozen=True)
class Novel:
    """No copy of a training molecule, nor of a target or its tautomers.

    Attributes:
        members: the training molecules.
        target: a molecule that is excluded with its tautomers, or None.
        text: for messages.
    """

    members: Members
    target: Target | None
    text: str = "novelty"

    def holds(self, smiles: Any) -> NDArray[np.bool_]:
        """True for molecules that are new, (n,); False for invalid ones."""
        canonical = chemistry.canonical(smiles)
        new: NDArray[np.bool_] = ~self.members.contain(canonical) & np.array([text != "" for text in canonical], bool)
        return new if self.target is None else new & ~self.target.same(canonical)


@dataclass(frozen=True)
class Distinct:
    """All molecules that are returned are different."""

    text: str = "difference"
    of_all: ClassVar[bool] = True

    def holds(self, smiles: Any) -> NDArray[np.bool_]:
        """True for the first of equal molecules, (n,)."""
        first: dict[str, int] = {}
        for i, text in enumerate(chemistry.canonical(smiles)):
            first.setdefault(text, i)
        found = np.zeros(len(smiles), bool)
        found[list(first.values())] = True
        return found


@dataclass(frozen=True)
class Wanted:
    """What was asked for besides properties.

    Attributes:
        target: a molecule that samples are similar to, or None.
        scaffold: a substructure that they have, or None.
        rules: conditions that every sample satisfies.
    """

    target: Target | None
    scaffold: Contains | None
    rules: tuple[Any, ...]

    @classmethod
    def of(cls, asked: Mapping[str, Any], vocabulary: Sequence[str], length: int, members: Members | None) -> Wanted:
        """What is asked for by `LIKE`, `SIMILARITY`, `SCAFFOLD` and `NOVEL`.

        Args:
            vocabulary, length: as for `Contains.parsed`.
            members: the training molecules; None if they are unknown.

        Raises:
            InputError: if a value cannot be used.
        """
        like, similarity, text = (asked.get(ask.name) for ask in (LIKE, SIMILARITY, SCAFFOLD))
        if similarity is not None and like is None:
            raise InputError(f"similarity={similarity} was given without a molecule; give --like SMILES too")
        target = None if like is None else Target.parsed(like)
        scaffold = None if text is None else Contains.parsed(text, vocabulary, length)
        rules: list[Any] = [] if target is None else [target.similar(similarity or SIMILAR)]
        rules += [] if scaffold is None else [scaffold]
        if asked.get(NOVEL.name) and members is not None:
            rules.append(Novel(members, target))
        rules += [Distinct()] if rules else []
        return cls(target, scaffold, tuple(rules))

    def typical(self, known: Sequence[Measure], examples: Sequence[str], values: Floats) -> Floats:
        """Properties (m, properties) of molecules such as those that are asked for: those of the target, or of the
        training molecules with the scaffold; m is 0 where they are unknown.

        Args:
            known: what measures each property.
            examples: training molecules.
            values: their properties, (n, properties).
        """
        if self.target is not None:
            own = [float(measure([self.target.molecule])[0]) for measure in known]
            return np.array(own).reshape(1, len(known))
        return values[:0] if self.scaffold is None else values[self.scaffold.holds(examples)]

    def notes(self, examples: Sequence[str]) -> tuple[str, ...]:
        """What was understood, and what training molecules have of it."""
        return tuple(part.note(examples) for part in (self.target, self.scaffold) if part is not None and examples)


def _formula(molecule: Molecule) -> str:
    formula: str = needs("rdkit.Chem.rdMolDescriptors", "molecules", "reads molecules").CalcMolFormula(molecule)
    return formula


def _canonical_tautomer(molecule: Molecule) -> str:
    """The tautomer that stands for all of a molecule, as SMILES."""
    standard = needs("rdkit.Chem.MolStandardize.rdMolStandardize", "molecules", "reads molecules")
    with chemistry.quiet():
        text: str = chemistry.chem().MolToSmiles(standard.TautomerEnumerator().Canonicalize(molecule))
    return text

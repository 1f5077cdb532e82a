"""The result of checking a set of molecules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sparring.data.items import Items
from sparring.data.store import Progress
from sparring.metrics import chemistry
from sparring.modalities.molecules import cleaning, drawing, reading
from sparring.modalities.molecules.cleaning import Rules, has_charges, has_isotopes, has_stereo
from sparring.modalities.molecules.records import Records
from sparring.modalities.molecules.tokens import tokenize
from sparring.modalities.survey import Survey, listed

if TYPE_CHECKING:
    from PIL import Image

    from sparring.modalities.molecules.molecules import Molecules

RARE = 0.001  # share of the molecules below which an element is rare
FEW = 1000  # molecules, below which samples are close to them
AS_WRITTEN = Rules(salts="keep", longest=10**6)


@dataclass(frozen=True, kw_only=True)
class MoleculeSurvey(Survey):
    """What a set of molecules contains.

    Attributes:
        found: where molecules with a peculiarity are in the file, by what it is.
        lengths: numbers of tokens: the smallest, the median, the 99th percentile and the largest.
        left_out: where molecules are that training leaves out by default, and why.
        examples: some of the molecules.
    """

    found: Mapping[str, tuple[str, ...]]
    lengths: tuple[int, int, int, int]
    left_out: tuple[tuple[str, str], ...]
    examples: tuple[str, ...]

    def rows(self) -> list[tuple[str, str]]:
        count, _, unreadable = super().rows()
        low, middle, most, high = self.lengths
        return [
            count,
            unreadable,
            *((what, listed(places)) for what, places in self.found.items()),
            ("tokens", f"{low} to {high}, median {middle}, 99% have at most {most}"),
            ("left out", listed([f"{place} ({why})" for place, why in self.left_out])),
        ]

    def advice(self) -> list[str]:
        advice = []
        for what, field in (
            ("charges", "charges=neutralize"),
            ("stereo", "stereo=remove"),
            ("isotopes", "isotopes=remove"),
        ):
            if self.found[what]:
                advice.append(
                    f"{len(self.found[what]):,} molecules with {what} are learned as they are ({field} changes it)"
                )
        if self.found["salts"]:
            advice.append("of salts, the largest fragment is learned (salts=keep or salts=drop changes it)")
        if self.count < FEW:
            advice.append(
                f"only {self.count:,} molecules: samples will be close to them; check novelty in the evaluation"
            )
        return advice

    def content(self) -> dict[str, Any]:
        found = {what: list(places) for what, places in self.found.items()}
        return {**super().content(), "found": found, "tokens": list(self.lengths), "left_out": dict(self.left_out)}

    def sheets(self) -> Mapping[str, Image.Image]:
        return {"molecules.png": drawing.sheet(self.examples)}


def survey(modality: Molecules, items: Items, data: str, progress: Progress) -> MoleculeSurvey:
    """All molecules of a data set are parsed and measured.

    Raises:
        InputError: if none can be learned.
    """
    records = reading.records_of(items, modality.column)
    learned = modality.cleaned(items)
    invalid, found, tokens = _measured(records, progress)
    written = cleaning.clean(records, AS_WRITTEN).smiles
    examples = written[:: max(1, len(written) // drawing.MAX_DRAWN)][: drawing.MAX_DRAWN]
    quantiles = np.quantile(tokens, [0, 0.5, 0.99, 1], method="nearest").astype(int).tolist()
    return MoleculeSurvey(
        items=items,
        data=data,
        words=modality.words,
        count=len(records) - len(invalid),
        classes={},
        held=0 if items.held is None else int(items.held.sum()),
        unreadable=invalid,
        notes=tuple(cleaning.notes_of(learned)),
        found=found,
        lengths=tuple(quantiles),
        left_out=tuple(entry for entry in learned.skipped if entry not in set(invalid)),
        examples=examples,
    )


def _measured(
    records: Records, progress: Progress
) -> tuple[tuple[tuple[str, str], ...], dict[str, tuple[str, ...]], list[int]]:
    """Where molecules are invalid and why, where those with a peculiarity are, and numbers of tokens."""
    found: dict[str, list[str]] = {what: [] for what in ("salts", "charges", "stereo", "isotopes", "duplicates")}
    elements: dict[str, list[str]] = {}
    tokens: list[int] = []
    first: Counter[str] = Counter()
    as_written = cleaning.clean(records, AS_WRITTEN)
    duplicates = {place for place, why in as_written.skipped if why.startswith("the same")}
    invalid = tuple(entry for entry in as_written.skipped if entry[0] not in duplicates)
    for i, molecule in enumerate(chemistry.parse_each(records.smiles)):
        if molecule is None or not molecule.GetNumAtoms():
            continue
        progress(i, len(records))
        place, text = records.place(i), chemistry.chem().MolToSmiles(molecule)
        tokens.append(len(tokenize(text)))
        marks = {
            "salts": "." in text,
            "charges": has_charges(text),
            "stereo": has_stereo(text),
            "isotopes": has_isotopes(text),
            "duplicates": place in duplicates,
        }
        for what in (what for what, present in marks.items() if present):
            found[what].append(place)
        for symbol in {atom.GetSymbol() for atom in molecule.GetAtoms()}:
            first[symbol] += 1
            elements.setdefault(symbol, []).append(place)
    rare = [s for s, count in first.items() if count < max(2, RARE * len(tokens))]
    named = {what: tuple(places) for what, places in found.items()}
    named["rare atoms"] = tuple(f"{symbol} ({', '.join(elements[symbol][:3])})" for symbol in sorted(rare))
    return invalid, named, tokens

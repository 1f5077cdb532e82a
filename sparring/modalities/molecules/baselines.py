"""Trivial generators of molecules, each of which wins some metric."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress

import numpy as np

from sparring.errors import needs
from sparring.metrics import chemistry
from sparring.metrics.molecules import add_carbon
from sparring.modalities.molecules.tokens import tokenize

ORDER = 4  # tokens that the next one depends on
MAX_TRAINED = 20_000  # molecules that the n-gram model is fitted to
MAX_LENGTH = 100  # tokens of its molecules
MAX_BROKEN = 300  # molecules whose fragments are joined anew
MAX_TRIED = 1_000_000  # fragments that are tried, which takes about ten seconds


def baselines(train: Sequence[str], n: int) -> dict[str, list[str]]:
    """SMILES of trivial generators by name, without those that generate nothing.

    Args:
        train: canonical SMILES.
        n: number of molecules.
    """
    random = np.random.default_rng(0)
    some = [train[i] for i in random.permutation(len(train))[:n]]
    made = {
        "copy": some,
        "add_carbon": [text for text in add_carbon(some) if text],
        "ngram": ngrams(train, n),
        "recombined": recombined(some[:MAX_BROKEN], n),
        "repeated": [some[0]] * n,
    }
    return {name: smiles for name, smiles in made.items() if smiles}


def ngrams(train: Sequence[str], n: int, seed: int = 0) -> list[str]:
    """Strings of a model in which a token depends on the four before it."""
    random = np.random.default_rng(seed)
    order = random.permutation(len(train))[:MAX_TRAINED]
    following: defaultdict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for i in order:
        tokens = ["^"] * ORDER + tokenize(train[i]) + [""]
        for place in range(ORDER, len(tokens)):
            following[tuple(tokens[place - ORDER : place])][tokens[place]] += 1
    choices = {before: (list(counts), np.array(list(counts.values())).cumsum()) for before, counts in following.items()}
    made = []
    for _ in range(n):
        tokens = ["^"] * ORDER
        while len(tokens) < MAX_LENGTH + ORDER:
            names, ends = choices[tuple(tokens[-ORDER:])]
            token = names[int(np.searchsorted(ends, random.integers(ends[-1]), side="right"))]
            if not token:
                break
            tokens.append(token)
        made.append("".join(tokens[ORDER:]))
    return made


class _Enough(Exception):
    """So many fragments have been tried that the search ends."""


class _Tried:
    """Fragments for `BRICSBuild`, which goes through all of them for each intermediate product and each reaction: where
    few can be joined to whole molecules, it would search for minutes or hours.
    """

    def __init__(self, fragments: Sequence[chemistry.Molecule]) -> None:
        self.fragments, self.tried = fragments, 0

    def __iter__(self) -> Iterator[chemistry.Molecule]:
        for fragment in self.fragments:
            self.tried += 1
            if self.tried > MAX_TRIED:
                raise _Enough
            yield fragment


def recombined(smiles: Sequence[str], n: int, seed: int = 0) -> list[str]:
    """BRICS fragments of molecules, joined anew at random: at most n different molecules, fewer where a bounded search
    finds fewer. Degen et al. 2008, doi:10.1002/cmdc.200800178.
    """
    import random as standard

    brics = needs("rdkit.Chem.BRICS", "molecules", "joins fragments")
    pieces = sorted({piece for molecule in chemistry.parse(smiles) for piece in brics.BRICSDecompose(molecule)})
    tried = _Tried(chemistry.parse(pieces))
    state = standard.getstate()
    standard.seed(seed)  # which BRICSBuild draws from
    made: list[str] = []
    with chemistry.quiet(), suppress(_Enough):
        for molecule in brics.BRICSBuild(tried, scrambleReagents=True, maxDepth=2):
            made.append(chemistry.chem().MolToSmiles(molecule))
            if len(made) == n:
                break
    standard.setstate(state)
    return made

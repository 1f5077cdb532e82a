"""Trivial generators of texts, each of which wins some metric."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from sparring.metrics.bleu import References

Tokens = Sequence[str]
LONGEST = 4  # times the length of the longest training text that a model of n-grams may reach


def baselines(train: Sequence[Tokens], references: References, n: int) -> dict[str, list[Tokens]]:
    """Texts of trivial generators by name.

    Args:
        train: training texts as tokens.
        references: that BLEU is measured by.
        n: number of texts.
    """
    random = np.random.default_rng(0)
    some = [train[i] for i in random.permutation(len(train))]
    return {
        "3-grams": ngrams(train, n, 3),
        "5-grams": ngrams(train, n, 5),
        "repeated": [sorted(some[: 2 * n], key=len)[len(some[: 2 * n]) // 2]] * n,
        "spliced": spliced(some, n),
        "picked": picked(train, references, n),
    }


def ngrams(train: Sequence[Tokens], n: int, order: int, seed: int = 0) -> list[Tokens]:
    """Texts of a model in which a token depends on those before it, `order` together, as often as in training."""
    random = np.random.default_rng(seed)
    following: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    before = ("",) * (order - 1)
    for tokens in train:
        row = (*before, *tokens, "")
        for i in range(order - 1, len(row)):
            following[row[i - order + 1 : i]].append(row[i])
    longest = LONGEST * max(len(tokens) for tokens in train)
    made: list[Tokens] = []
    for _ in range(n):
        row = before
        while len(row) < longest:
            choices = following[row[len(row) - order + 1 :]]
            token = choices[int(random.integers(len(choices)))]
            if not token:
                break
            row = (*row, token)
        made.append(row[order - 1 :])
    return made


def spliced(texts: Sequence[Tokens], n: int) -> list[Tokens]:
    """The first half of a text followed by the second half of another one."""
    pairs = [(texts[i % len(texts)], texts[(i + 1) % len(texts)]) for i in range(n)]
    return [(*a[: len(a) // 2], *b[len(b) // 2 :]) for a, b in pairs]


def picked(texts: Sequence[Tokens], references: References, n: int) -> list[Tokens]:
    """The different training texts with the highest BLEU-4, as often as needed."""
    different = list(dict.fromkeys(map(tuple, texts)))
    best = sorted(different, key=lambda tokens: -references.bleu(tokens)[3])
    return [best[i % min(n, len(best))] for i in range(n)]

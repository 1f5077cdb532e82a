"""BLEU of many texts, exact and fast. Papineni et al. 2002, doi:10.3115/1073083.1073135; self-BLEU: Zhu et al. 2018,
arXiv:1802.01886.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from math import exp, log

import numpy as np
from numpy.typing import NDArray

Tokens = Sequence[str]
Floats = NDArray[np.float64]
EPSILON = 0.1  # matches in place of none: method 1 of Chen and Cherry 2014, doi:10.3115/v1/W14-3346, as in NLTK
HIGHEST = 5  # length of the longest n-grams
NOBODY = -1


class References:
    """Texts that others are compared with. For each n-gram, only the two highest counts in a text are kept, and whose
    the highest is, so that a text can be compared with all others but itself.

    Args:
        texts: as tokens.
    """

    def __init__(self, texts: Sequence[Tokens]) -> None:
        self._best: dict[tuple[str, ...], tuple[int, int, int]] = {}  # highest count, its owner, the next highest count
        for owner, tokens in enumerate(texts):
            for gram, count in _grams(tokens).items():
                first, whose, second = self._best.get(gram, (0, NOBODY, 0))
                if count > first:
                    self._best[gram] = (count, owner, first)
                elif count > second:
                    self._best[gram] = (first, whose, count)
        self._lengths = sorted(len(tokens) for tokens in texts)

    def bleu(self, tokens: Tokens, own: int = NOBODY) -> list[float]:
        """BLEU-1 to BLEU-5 of a text.

        Args:
            own: index of the reference that is this text itself, which is left out.
        """
        if not tokens:
            return [0.0] * HIGHEST
        matched, total = [0] * HIGHEST, [0] * HIGHEST
        for gram, count in _grams(tokens).items():
            first, whose, second = self._best.get(gram, (0, NOBODY, 0))
            matched[len(gram) - 1] += min(count, second if whose == own else first)
            total[len(gram) - 1] += count
        if not matched[0]:
            return [0.0] * HIGHEST
        closest = self._closest(len(tokens), own != NOBODY)
        penalty = 1.0 if len(tokens) > closest else exp(1 - closest / len(tokens))
        logs = [log((m or EPSILON) / max(t, 1)) for m, t in zip(matched, total, strict=True)]
        return [penalty * exp(sum(logs[:n]) / n) for n in range(1, HIGHEST + 1)]

    def _closest(self, length: int, without_own: bool) -> int:
        """The length of a reference that is closest to a length, the smaller of two.

        Args:
            without_own: leave out one reference of exactly this length.
        """
        low, high = bisect_left(self._lengths, length), bisect_right(self._lengths, length)
        if high - low > without_own:
            return length
        near = [*self._lengths[max(0, low - 1) : low], *self._lengths[high : high + 1]]
        return min(near, key=lambda other: (abs(other - length), other), default=length)


def _grams(tokens: Tokens) -> Counter[tuple[str, ...]]:
    row = tuple(tokens)
    return Counter(row[i : i + n] for n in range(1, HIGHEST + 1) for i in range(len(row) - n + 1))


def bleu(texts: Sequence[Tokens], references: References) -> Floats:
    """Mean BLEU-1 to BLEU-5 of texts, each compared with all references, (5,)."""
    scores: Floats = np.array([references.bleu(tokens) for tokens in texts]).mean(0)
    return scores


def self_bleu(texts: Sequence[Tokens]) -> Floats:
    """Mean BLEU-1 to BLEU-5 of texts, each compared with all others, (5,). It grows with their number."""
    references = References(texts)
    scores: Floats = np.array([references.bleu(tokens, i) for i, tokens in enumerate(texts)]).mean(0)
    return scores

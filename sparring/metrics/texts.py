"""Metrics of texts as tokens: a language model, repetition, and what they share with the training texts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from itertools import pairwise
from math import log, nan

import numpy as np
from numpy.typing import NDArray

from sparring.metrics.tables import Rows

Tokens = Sequence[str]
Floats = NDArray[np.float64]
DISCOUNT = 0.75  # of every count in a model of n-grams
START, END = "\x02", "\x03"
MULTIPLIER = 0x9E3779B97F4A7C15  # of the hashes of n-grams
MAX_FEATURES = 20_000  # words and pairs of words, the most frequent ones
REPEATED = 3  # tokens of the n-grams whose repetition within a text is counted


class Trigrams:
    """A language model in which a token depends on the two before it, by interpolated Kneser-Ney smoothing. Kneser and
    Ney 1995, doi:10.1109/ICASSP.1995.479394.

    Args:
        texts: as tokens, which the model is fitted to.
        vocabulary: number of different tokens that may occur, so that models of few texts can be compared.
    """

    def __init__(self, texts: Sequence[Tokens], vocabulary: int = 0) -> None:
        counts: Counter[tuple[str, ...]] = Counter()
        for tokens in texts:
            row = (START, START, *tokens, END)
            counts.update(zip(row, row[1:], row[2:], strict=False))
        pairs: Counter[tuple[str, ...]] = Counter(
            (b, c) for _, b, c in counts
        )  # of how many different tokens each pair is preceded
        single = Counter(c for _, c in pairs)
        self._tables = [_Table(counts), _Table(pairs)]
        self._single, self._total = single, single.total()
        self._kinds = max(vocabulary, len(single)) + 1  # of tokens, and all that are not in the vocabulary together

    def nats(self, texts: Sequence[Tokens]) -> float:
        """Mean negative log likelihood per token, the ends of texts included."""
        losses = [loss for tokens in texts for loss in self.losses(tokens)]
        return float(np.mean(losses)) if losses else nan

    def losses(self, tokens: Tokens) -> list[float]:
        """Negative log likelihood of each token of a text and of its end."""
        row = (START, START, *tokens, END)
        return [-log(self._share(row[i - 2], row[i - 1], row[i])) for i in range(2, len(row))]

    def _share(self, a: str, b: str, c: str) -> float:
        rest = DISCOUNT * len(self._single) / self._total / self._kinds
        share = max(self._single[c] - DISCOUNT, 0) / self._total + rest
        share = self._tables[1].share((b,), (b, c), share)
        return self._tables[0].share((a, b), (a, b, c), share)


class _Table:
    """Discounted counts of n-grams, by the tokens before the last one."""

    def __init__(self, counts: Counter[tuple[str, ...]]) -> None:
        self.counts = counts
        self.totals: defaultdict[tuple[str, ...], int] = defaultdict(int)
        self.kinds: defaultdict[tuple[str, ...], int] = defaultdict(int)
        for gram, count in counts.items():
            self.totals[gram[:-1]] += count
            self.kinds[gram[:-1]] += 1

    def share(self, before: tuple[str, ...], gram: tuple[str, ...], shorter: float) -> float:
        """The probability of the last token of an n-gram, mixed with that by fewer tokens."""
        total = self.totals.get(before, 0)
        if not total:
            return shorter
        return (max(self.counts[gram] - DISCOUNT, 0) + DISCOUNT * self.kinds[before] * shorter) / total


def shared(texts: Sequence[Tokens], train: Sequence[Tokens]) -> NDArray[np.int64]:
    """Number of tokens of the longest n-gram that each text shares with some training text, (n,)."""
    index: dict[str, int] = {}
    made, owners, made_left = _flat(texts, index)
    known, _, known_left = _flat(train, index)
    longest = np.zeros(len(texts), np.int64)
    hashes, train_hashes = made.copy(), known.copy()
    places, train_places = np.arange(len(made)), np.arange(len(known))  # where n-grams that are shared begin
    for n in range(1, max((len(tokens) for tokens in texts), default=0) + 1):
        if n > 1:
            hashes, train_hashes = _longer(hashes, made, n), _longer(train_hashes, known, n)
        places, train_places = places[made_left[places] >= n], train_places[known_left[train_places] >= n]
        places = places[np.isin(hashes[places], train_hashes[train_places])]
        train_places = train_places[np.isin(train_hashes[train_places], hashes[places])]
        if not len(places):
            break
        longest[owners[places]] = n
    return longest


def _flat(
    texts: Sequence[Tokens], index: dict[str, int]
) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int64]]:
    """Numbers of all tokens one after the other, the text of each, and how many tokens it has from there on."""
    codes = [index.setdefault(token, len(index) + 1) for tokens in texts for token in tokens]
    lengths = np.array([len(tokens) for tokens in texts], np.int64)
    owners = np.repeat(np.arange(len(texts)), lengths)
    left = np.repeat(lengths.cumsum(), lengths) - np.arange(len(codes))
    return np.array(codes, np.uint64), owners, left


def _longer(hashes: NDArray[np.uint64], tokens: NDArray[np.uint64], n: int) -> NDArray[np.uint64]:
    """Hashes of n-grams from those of their first n - 1 tokens; those beyond the end mean nothing."""
    last = np.zeros_like(tokens)
    last[: len(tokens) - n + 1] = tokens[n - 1 :]
    return hashes * np.uint64(MULTIPLIER) + last


def repetition(texts: Sequence[Tokens]) -> float:
    """Share of the n-grams of three tokens that occur before in the same text."""
    repeated = total = 0
    for tokens in texts:
        grams = list(zip(*(tokens[i:] for i in range(REPEATED)), strict=False))
        repeated, total = repeated + len(grams) - len(set(grams)), total + len(grams)
    return repeated / total if total else nan


class TextFeatures:
    """Features that are fitted to the training texts: their words and pairs of words weighted by rarity, projected on
    the 64 directions in which they vary most (Deerwester et al. 1990), each with variance 1.

    Args:
        texts: as tokens.
        directions: at most.
    """

    def __init__(self, texts: Sequence[Tokens], directions: int = 64) -> None:
        from sklearn.decomposition import TruncatedSVD
        from sklearn.feature_extraction.text import TfidfVectorizer

        self._weights = TfidfVectorizer(analyzer=_singles_and_pairs, sublinear_tf=True, max_features=MAX_FEATURES)
        weighted = self._weights.fit_transform(texts)
        n = max(1, min(directions, weighted.shape[1] - 1, len(texts) - 1))
        self._project = TruncatedSVD(n, random_state=0)
        projected = self._project.fit_transform(weighted)
        deviation = projected.std(0)
        self._deviation = np.where(deviation > 0, deviation, 1.0)

    def __call__(self, texts: Sequence[Tokens]) -> Floats:
        """Features (n, directions)."""
        projected: Floats = self._project.transform(self._weights.transform(texts)) / self._deviation
        return projected


def _singles_and_pairs(tokens: Tokens) -> list[str]:
    return [*tokens, *(" ".join(pair) for pair in pairwise(tokens))]


def rows(texts: Sequence[Tokens], features: Callable[[Sequence[Tokens]], Floats], model: Trigrams) -> Rows:
    """What a two-sample test sees: features, number of tokens, share of different ones, and the mean and the largest
    negative log likelihood of tokens.
    """
    losses = [model.losses(tokens) for tokens in texts]
    counts = [
        (len(tokens), len(set(tokens)) / max(1, len(tokens)), np.mean(loss), max(loss))
        for tokens, loss in zip(texts, losses, strict=True)
    ]
    values = np.concatenate([features(texts), np.array(counts).reshape(-1, 4)], 1)
    return Rows(values, np.zeros(values.shape[1], bool))


def classify(train: Floats, labels: NDArray[np.int64], test: Floats, classes: int, balanced: bool = False) -> Floats:
    """Class probabilities (m, classes) of features by a logistic regression.

    Args:
        train, test: features (n, d) and (m, d).
        labels: of `train`, (n,).
        balanced: give every class the same weight.
    """
    from sklearn.linear_model import LogisticRegression

    net = LogisticRegression(C=1.0, max_iter=2000, class_weight="balanced" if balanced else None).fit(train, labels)
    probabilities = np.zeros((len(test), classes))
    probabilities[:, net.classes_] = net.predict_proba(test)
    return probabilities

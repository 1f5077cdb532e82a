"""Ways to make more of a labelled set, and what a classifier learns from each of them about data kept apart."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparring.errors import needs
from sparring.metrics.tables import Floats

Labels = NDArray[np.int64]

NEIGHBOURS = 5  # of SMOTE


@dataclass(frozen=True)
class Labelled:
    """Items with their labels.

    Attributes:
        items: as the kind of data has them.
        labels: (n,).
        balanced: whether every class is to count as much as another.
    """

    items: Any
    labels: Labels
    balanced: bool = False


Strategy = Callable[[Labelled, int], Labelled]  # (real items, seed) -> what is learnt from


class Strategies(ABC):
    """What is done to a training set before a classifier learns from it.

    Args:
        classes: names of the labels.
        labels: of the real items that are trained on, (n,).
        unseen: of those that are kept apart.
        made: how many samples are added; None for as many as there are real items.
    """

    def __init__(self, classes: Sequence[str], labels: Labels, unseen: Labels, made: int | None) -> None:
        self.classes, self.labels, self.unseen = tuple(classes), labels, unseen
        self.made = made or len(labels)

    def all(self) -> dict[str, Strategy]:
        """By name."""
        return {
            "nothing": lambda real, _: real,
            "class weights": lambda real, _: Labelled(real.items, real.labels, balanced=True),
            "SMOTE": self._smote,
            "samples": lambda real, seed: self.with_samples(real, self.as_often(real.labels), seed),
            "samples of the rare": lambda real, seed: self.with_samples(real, self.of_the_rare(real.labels), seed),
        }

    def whole(self) -> Labelled:
        """All real items that are trained on: the generator has learnt from no others."""
        return self.real(np.arange(len(self.labels)))

    def asked(self, seed: int) -> Labels:
        """Rows of the unseen items that a seed's classifiers are asked about: drawn again and again, so that what
        another test set would change is among what differs from seed to seed.
        """
        random = np.random.default_rng(seed)
        groups = [np.flatnonzero(self.unseen == c) for c in np.unique(self.unseen)]
        return np.concatenate([random.choice(rows, len(rows)) for rows in groups])

    def as_often(self, labels: Labels) -> Labels:
        """How many samples of each class keep the classes' shares."""
        exact = self._counts(labels) / len(labels) * self.made
        wanted = np.floor(exact).astype(np.int64)
        wanted[np.argsort(wanted - exact, kind="stable")[: self.made - wanted.sum()]] += 1
        return wanted

    def of_the_rare(self, labels: Labels) -> Labels:
        """How many samples of each class make it as frequent as the most frequent."""
        counts = self._counts(labels)
        return np.where(counts > 0, counts.max() - counts, 0)

    def with_samples(self, real: Labelled, wanted: Labels, seed: int) -> Labelled:
        """Real items, and so many samples of each class after them."""
        parts, labels = [real.items], [real.labels]
        for label, n in enumerate(wanted):
            if n:
                parts.append(self.drawn(label, int(n), seed))
                labels.append(np.full(n, label, np.int64))
        return Labelled(self.joined(parts), np.concatenate(labels))

    def _counts(self, labels: Labels) -> Labels:
        return np.bincount(labels, minlength=len(self.classes))

    def _smote(self, real: Labelled, seed: int) -> Labelled:
        """Points between neighbours of the rarer classes. Chawla et al. 2002, arXiv:1106.1813."""
        over = needs("imblearn.over_sampling", "augment", "has SMOTE")
        x, category = self.numbers(real.items)
        counts = self._counts(real.labels)
        several = counts > 1  # one alone has no neighbours
        known = {
            "random_state": seed,
            "k_neighbors": max(1, min(NEIGHBOURS, int(counts[several].min()) - 1)),
            "sampling_strategy": {int(c): int(counts.max()) for c in np.flatnonzero(several)},
        }
        if not category.any():
            smote = over.SMOTE(**known)
        elif category.all():
            smote = over.SMOTEN(**known)
        else:
            smote = over.SMOTENC(np.flatnonzero(category).tolist(), **known)
        enlarged, labels = smote.fit_resample(x, real.labels)
        return Labelled(self.from_numbers(enlarged, real.items), labels.astype(np.int64))

    @abstractmethod
    def real(self, rows: Labels) -> Labelled:
        """Some of the real items that are trained on."""

    @abstractmethod
    def drawn(self, label: int, n: int, seed: int) -> Any:
        """Samples of a class."""

    @abstractmethod
    def joined(self, parts: Sequence[Any]) -> Any:
        """Items one after the other."""

    @abstractmethod
    def numbers(self, items: Any) -> tuple[Floats, NDArray[np.bool_]]:
        """Items as vectors without gaps, (n, d), and which of their numbers are levels."""

    @abstractmethod
    def from_numbers(self, x: Floats, like: Any) -> Any:
        """Items again."""

    @abstractmethod
    def told(self, train: Labelled, seed: int) -> Floats:
        """What a classifier that has learnt from some items says of the unseen ones: probabilities (n, classes)."""


def measured(truth: Labels, told: Floats) -> dict[str, float]:
    """What a classifier is worth.

    Args:
        truth: (n,).
        told: probabilities (n, classes).

    Returns:
        "auc": the mean area under the ROC curve of each class against the rest; "f1": the mean over the classes;
        "accuracy"; "balanced": the mean over classes of the share that is recognised.
    """
    from sklearn.metrics import balanced_accuracy_score, f1_score, roc_auc_score

    said = told.argmax(1)
    present = [c for c in np.unique(truth) if 0 < (truth == c).mean() < 1]
    return {
        "auc": float(np.mean([roc_auc_score(truth == c, told[:, c]) for c in present])) if present else 0.5,
        "f1": float(f1_score(truth, said, average="macro")),
        "accuracy": float((truth == said).mean()),
        "balanced": float(balanced_accuracy_score(truth, said)),
    }

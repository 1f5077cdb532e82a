"""Ways to change a labeled training set before a classifier is trained on it, and metrics of the classifier."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparring.errors import needs
from sparring.modalities.labeled import Floats, LabeledSet, Labels

SMOTE_NEIGHBORS = 5
REAL_ONLY = "real only"  # the strategy that the others are compared with


@dataclass(frozen=True)
class Labeled:
    """Labeled items.

    Attributes:
        items: as their `LabeledSet` represents them.
        labels: (n,).
        balanced: True to give every class the same weight.
    """

    items: Any
    labels: Labels
    balanced: bool = False


Strategy = Callable[[Labeled, int], Labeled]  # (real items, seed) -> training set of the classifier


class Strategies:
    """Ways to change a labeled training set.

    Args:
        data: the real items.
        count: number of samples to add; None for the number of real items.
    """

    def __init__(self, data: LabeledSet, count: int | None) -> None:
        self.data, self.count = data, count or len(data.labels)

    def by_name(self) -> dict[str, Strategy]:
        """All strategies."""
        return {
            REAL_ONLY: lambda real, _: real,
            "class weights": lambda real, _: Labeled(real.items, real.labels, balanced=True),
            "SMOTE": self._smote,
            "samples": lambda real, seed: self._with_samples(real, self.proportional(real.labels), seed),
            "samples of rare classes": lambda real, seed: self._with_samples(real, self.balancing(real.labels), seed),
        }

    def real(self) -> Labeled:
        """All real items that the generator was trained on."""
        rows = np.arange(len(self.data.labels))
        return Labeled(self.data.items(rows), self.data.labels)

    def test_rows(self, seed: int) -> Labels:
        """Held-out items that the classifiers of a seed are tested on: a bootstrap sample of each class, so that the
        variation between test sets is part of the variation between seeds.
        """
        random, labels = np.random.default_rng(seed), self.data.held_labels
        groups = [np.flatnonzero(labels == c) for c in np.unique(labels)]
        return np.concatenate([random.choice(rows, len(rows)) for rows in groups])

    def proportional(self, labels: Labels) -> Labels:
        """Number of samples of each class that keeps the shares of the classes."""
        exact = self._counts(labels) / len(labels) * self.count
        counts = np.floor(exact).astype(np.int64)
        counts[np.argsort(counts - exact, kind="stable")[: self.count - counts.sum()]] += 1
        return counts

    def balancing(self, labels: Labels) -> Labels:
        """Number of samples of each class that makes it as frequent as the most frequent one."""
        counts = self._counts(labels)
        return np.where(counts > 0, counts.max() - counts, 0)

    def _with_samples(self, real: Labeled, counts: Labels, seed: int) -> Labeled:
        """Real items followed by samples of each class."""
        parts, labels = [real.items], [real.labels]
        for label, n in enumerate(counts):
            if n:
                parts.append(self.data.generated(label, int(n), seed))
                labels.append(np.full(n, label, np.int64))
        return Labeled(self.data.concatenate(parts), np.concatenate(labels))

    def _counts(self, labels: Labels) -> Labels:
        return np.bincount(labels, minlength=len(self.data.classes))

    def _smote(self, real: Labeled, seed: int) -> Labeled:
        """Real items followed by points between neighbors of the rarer classes. Chawla et al. 2002, arXiv:1106.1813."""
        over_sampling = needs("imblearn.over_sampling", "augment", "has SMOTE")
        x, category = self.data.vectors(real.items)
        counts = self._counts(real.labels)
        with_neighbors = counts > 1
        settings = {
            "random_state": seed,
            "k_neighbors": max(1, min(SMOTE_NEIGHBORS, int(counts[with_neighbors].min()) - 1)),
            "sampling_strategy": {int(c): int(counts.max()) for c in np.flatnonzero(with_neighbors)},
        }
        if not category.any():
            smote = over_sampling.SMOTE(**settings)
        elif category.all():
            smote = over_sampling.SMOTEN(**settings)
        else:
            smote = over_sampling.SMOTENC(np.flatnonzero(category).tolist(), **settings)
        enlarged, labels = smote.fit_resample(x, real.labels)
        return Labeled(self.data.from_vectors(enlarged), labels.astype(np.int64))


def metrics(labels: Labels, probabilities: Floats) -> dict[str, float]:
    """Metrics of a classifier.

    Args:
        labels: the true classes, (n,).
        probabilities: predicted, (n, classes).

    Returns:
        "auc": area under the ROC curve of each class against the rest, mean over the classes; "f1": mean over the
        classes; "accuracy"; "balanced": balanced accuracy, the mean recall of the classes.
    """
    from sklearn.metrics import balanced_accuracy_score, f1_score, roc_auc_score

    predicted = probabilities.argmax(1)
    present = [c for c in np.unique(labels) if 0 < (labels == c).mean() < 1]
    areas = [roc_auc_score(labels == c, probabilities[:, c]) for c in present]
    return {
        "auc": float(np.mean(areas)) if areas else 0.5,
        "f1": float(f1_score(labels, predicted, average="macro")),
        "accuracy": float((labels == predicted).mean()),
        "balanced": float(balanced_accuracy_score(labels, predicted)),
    }

"""Labeled training data that generated samples can be added to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparring.modalities.samples import Samples

Labels = NDArray[np.int64]
Floats = NDArray[np.float64]


class LabeledSet(ABC):
    """The labeled training items of a model, held-out ones, and a classifier for them.

    Items are in a representation that the kind of data chooses, such as arrays of numbers.

    Args:
        classes: names of the classes.
        labels: class of each training item, (n,).
        held_labels: class of each held-out item, (m,).
        classifier: what the classifier is, in words.
    """

    def __init__(self, classes: Sequence[str], labels: Labels, held_labels: Labels, classifier: str) -> None:
        self.classes, self.labels, self.held_labels, self.classifier = tuple(classes), labels, held_labels, classifier

    @abstractmethod
    def items(self, rows: Labels) -> Any:
        """Some of the training items."""

    @abstractmethod
    def generated(self, label: int, n: int, seed: int) -> Any:
        """Generated items of a class."""

    @abstractmethod
    def concatenate(self, parts: Sequence[Any]) -> Any:
        """Items of several parts, one after the other."""

    @abstractmethod
    def vectors(self, items: Any) -> tuple[Floats, NDArray[np.bool_]]:
        """Items as vectors without missing values, (n, d), and which of their components are categorical, (d,)."""

    @abstractmethod
    def from_vectors(self, x: Floats) -> Any:
        """Items from vectors."""

    @abstractmethod
    def probabilities(self, items: Any, labels: Labels, balanced: bool, seed: int) -> Floats:
        """Class probabilities of the held-out items, (m, classes), by a classifier that is trained on labeled items.

        Args:
            balanced: give every class the same weight.
        """

    @abstractmethod
    def samples(self, counts: Labels, seed: int) -> Samples:
        """All training items, then generated ones, to be written.

        Args:
            counts: number of generated items of each class.
        """

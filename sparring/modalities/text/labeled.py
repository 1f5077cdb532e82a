"""Texts with classes, that generated ones can be added to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sparring.data.items import Items
from sparring.errors import InputError
from sparring.metrics import texts as metrics
from sparring.metrics.texts import TextFeatures
from sparring.modalities.judge import Sampler, TrainingData
from sparring.modalities.labeled import Floats, LabeledSet, Labels
from sparring.modalities.samples import Samples
from sparring.modalities.text.passages import Side
from sparring.modalities.text.tokens import words

if TYPE_CHECKING:
    from sparring.modalities.text.text import Text

DIRECTIONS = 200  # of the features of texts
MIN_HELD = 20  # held-out texts


class LabeledTexts(LabeledSet):
    """Texts as features: words and pairs of words weighted by rarity, projected on 200 directions.

    Args:
        modality: of the model.
        model: generates texts of a class.
        train, held: real texts with their classes.
    """

    def __init__(self, modality: Text, model: Sampler, train: Side, held: Side) -> None:
        assert train.labels is not None
        assert held.labels is not None
        self.modality, self.model, self.texts = modality, model, train.texts
        self._features = TextFeatures([self._tokens(text) for text in train.texts], DIRECTIONS)
        self._train, self._held = self._vectors(train.texts), self._vectors(held.texts)
        described = "logistic regression on words and pairs of words"
        super().__init__(modality.classes, train.labels, held.labels, described)

    def _tokens(self, text: str) -> list[str]:
        return list(text) if self.modality.tokenizer.unit == "characters" else words(text)

    def _vectors(self, texts: Sequence[str]) -> Floats:
        return self._features([self._tokens(text) for text in texts])

    def items(self, rows: Labels) -> Floats:
        return self._train[rows]

    def generated(self, label: int, n: int, seed: int) -> Floats:
        return self._vectors(self._made(label, n, seed))

    def _made(self, label: int, n: int, seed: int) -> Any:
        return self.model.sample(n, seed=seed, label=self.classes[label]).items

    def concatenate(self, parts: Sequence[Floats]) -> Floats:
        return np.concatenate(parts)

    def vectors(self, items: Floats) -> tuple[Floats, NDArray[np.bool_]]:
        return items, np.zeros(items.shape[1], bool)

    def from_vectors(self, x: Floats) -> Floats:
        return x

    def probabilities(self, items: Floats, labels: Labels, balanced: bool, seed: int) -> Floats:  # noqa: ARG002
        return metrics.classify(items, labels, self._held, len(self.classes), balanced)

    def samples(self, counts: Labels, seed: int) -> Samples:
        classes = [label for label, n in enumerate(counts) if n]
        made = [self._made(label, int(counts[label]), seed) for label in classes]
        labels = np.concatenate([self.labels, *(np.full(counts[label], label, np.int64) for label in classes)])
        texts = np.array([*self.texts, *(text for part in made for text in part)], object)
        return Samples(texts, labels, self.modality)


def labeled_texts(modality: Text, model: Sampler, training: TrainingData, against: Items | None) -> LabeledTexts:
    """See `Modality.labeled_set`."""
    training.check_unchanged(modality.words.items)
    train, held = modality.sides(training.items)
    if against is not None:
        if against.classes != training.items.classes:
            raise InputError(f"{against.name!r} does not have the classes of the training data; give texts with them")
        both = modality.sides(against)
        labels = [side.labels for side in both if side.labels is not None]
        held = Side([text for side in both for text in side.texts], np.concatenate(labels))
    if len(held.texts) < MIN_HELD:
        raise InputError(
            f"{training.source} has {len(held.texts)} held-out texts; {MIN_HELD} are needed: give --against FILE"
        )
    return LabeledTexts(modality, model, train, held)

"""A cheap score of the samples during training."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from sparring.data.tensors import Tensors
from sparring.evaluation.distance import FeatureDistance, features, real_batches
from sparring.games.game import Game
from sparring.metrics.copies import diversity
from sparring.training.scored_samples import BATCH, ScoredSamples

MAX_SCORES = 32  # of a run, evenly spread over its steps
MIN_SAMPLES_BETWEEN = 25_000  # trained on between two scores, so that scoring takes a twentieth of the time at most
MAX_REFERENCE = 2000  # real items that they are compared with
MIN_ITEMS = 8


def every(total: int, batch: int) -> int:
    """Steps between scores in a run of `total` steps. It depends on nothing else, so that runs with the same seed
    choose the same weights.
    """
    return max(-(-total // MAX_SCORES), -(-MIN_SAMPLES_BETWEEN // batch))


class Scorer:
    """Compares samples with the training items, on the first rank. It is made without the others.

    Args:
        samples: what is compared. One part of the training items is the reference; as many others as there are samples
            give the floor.
    """

    def __init__(self, samples: ScoredSamples) -> None:
        self.samples, self.modality, self.data = samples, samples.modality, samples.data
        if not self.possible:
            return
        order, n = samples.order, samples.n
        unseen, reference = order[:n], order[n : n + MAX_REFERENCE]
        self._distance = FeatureDistance(self.modality, self._real(reference), self._real(unseen))
        self.floor = self._distance.floor or 0.0
        self._real_diversity = self._diversity_of_real(unseen)

    @property
    def possible(self) -> bool:
        """True if there are enough items to compare with."""
        return len(self.data.train) >= MIN_ITEMS

    def score(self, game: Game) -> float:
        """Fréchet distance of new samples, always from the same latents."""
        (features,) = self.samples.features(game, "score")
        return self._distance.of_features(features)

    def diversity(self, game: Game, together: bool = True) -> float:
        """Mean distance of pairs of samples, of one class if there are classes, relative to that of real items: 1 is as
        diverse as the data, 0 means that all samples are the same.

        Args:
            together: False if only the first rank has these weights.
        """
        return diversity(*self.samples.features(game, "pairs", "others", together=together)) / self._real_diversity

    def _diversity_of_real(self, order: Tensor) -> float:
        labels = self.data.labels(order)
        if labels is None:
            first, second = order[: len(order) // 2], order[len(order) // 2 : len(order) // 2 * 2]
        else:
            # Neighbors among items sorted by class are pairs of one class, except where classes change.
            by_label = labels.argsort(stable=True)
            same = labels[by_label[1:]] == labels[by_label[:-1]]
            first, second = order[by_label[1:][same]], order[by_label[:-1][same]]
        if not len(first):
            return 1.0
        return max(1e-9, diversity(*(features(self.modality, self._real(rows)) for rows in (first, second))))

    def _real(self, rows: Tensor) -> Iterator[Tensors]:
        return real_batches(self.modality, self.data, rows, self.samples.seeds, self.samples.device, BATCH)

"""A cheap score of the samples during training."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from sparring.data.dataset import Dataset
from sparring.data.tensors import CONDITION, Tensors, move
from sparring.evaluation.distance import FeatureDistance, features, real_batches
from sparring.games.game import Game
from sparring.metrics.copies import diversity
from sparring.modalities import Modality
from sparring.seeds import Seeds, reseed

MAX_SCORES = 32  # of a run, evenly spread over its steps
MIN_SAMPLES_BETWEEN = 25_000  # trained on between two scores, so that scoring takes a twentieth of the time at most
MAX_SCORED = 500  # samples per score
MAX_REFERENCE = 2000  # real items that they are compared with
MAX_PAIRS = 64  # of samples, whose distances measure diversity
BATCH = 100
MIN_ITEMS = 8


def every(total: int, batch: int) -> int:
    """Steps between scores in a run of `total` steps. It depends on nothing else, so that runs with the same seed
    choose the same weights.
    """
    return max(-(-total // MAX_SCORES), -(-MIN_SAMPLES_BETWEEN // batch))


class Scorer:
    """Compares samples with the training items.

    Args:
        modality: declares the features.
        data: one part of the training items is the reference; as many others as there are samples give the floor.
        seeds: the root of randomness; random numbers drawn here do not affect the run.
        device: of the nets.
    """

    def __init__(self, modality: Modality, data: Dataset, seeds: Seeds, device: torch.device) -> None:
        self.modality, self.data, self.seeds, self.device = modality, data, seeds, device
        if not self.possible:
            return
        order = data.train[torch.randperm(len(data.train), generator=torch.Generator().manual_seed(0))]
        self.n = min(MAX_SCORED, max(2, len(order) // 2))
        unseen, reference = order[: self.n], order[self.n : self.n + MAX_REFERENCE]
        self._distance = FeatureDistance(modality, self._real(reference), self._real(unseen))
        self.floor = self._distance.floor or 0.0
        self._order = order
        self._labels = data.labels(order)
        self._real_diversity = self._diversity_of_real(order[: self.n])

    @property
    def possible(self) -> bool:
        """True if there are enough items to compare with."""
        return len(self.data.train) >= MIN_ITEMS

    @torch.no_grad()
    def score(self, game: Game) -> float:
        """Fréchet distance of new samples, always from the same latents."""
        return self._distance.of(self._generated(game, self._order[: self.n], "judge"))

    @torch.no_grad()
    def diversity(self, game: Game) -> float:
        """Mean distance of pairs of samples, of one class if there are classes, relative to that of real items: 1 is as
        diverse as the data, 0 means that all samples are the same.
        """
        first = self._order[: min(MAX_PAIRS, self.n)]
        # Samples generated from one item are no independent draws, so they are compared with those of other items.
        second = self._order[len(first) :][: len(first)] if self.modality.source is not None else first
        pairs = (
            features(self.modality, self._generated(game, first[: len(second)], "pairs")),
            features(self.modality, self._generated(game, second, "others")),
        )
        return diversity(*pairs) / self._real_diversity

    def _generated(self, game: Game, rows: Tensor, key: str) -> Iterator[Tensors]:
        """Samples that are generated for the classes of these rows, or from these rows themselves."""
        reseed(self.seeds.key(key), self.device)
        for part in torch.split(rows, BATCH):
            condition = self._condition(part)
            yield game.generate(game.draw(len(part), self.device), condition)

    def _condition(self, rows: Tensor) -> Tensor | None:
        """What samples are generated for: the classes of the rows, conditions that ask for nothing, or the items."""
        if self.modality.source is not None:
            return self.modality.batch(move(self.data.items(rows), self.device))[CONDITION]
        if self.data.labeled:
            return self.data.part(CONDITION, rows).to(self.device)
        return self.modality.draw_conditions(len(rows), self.device)

    def _diversity_of_real(self, order: Tensor) -> float:
        if self._labels is None:
            first, second = order[: len(order) // 2], order[len(order) // 2 : len(order) // 2 * 2]
        else:
            # Neighbors among items sorted by class are pairs of one class, except where classes change.
            labels = self._labels[: self.n]
            by_label = labels.argsort(stable=True)
            same = labels[by_label[1:]] == labels[by_label[:-1]]
            first, second = order[by_label[1:][same]], order[by_label[:-1][same]]
        if not len(first):
            return 1.0
        return max(1e-9, diversity(*(features(self.modality, self._real(rows)) for rows in (first, second))))

    def _real(self, rows: Tensor) -> Iterator[Tensors]:
        return real_batches(self.modality, self.data, rows, self.seeds, self.device, BATCH)

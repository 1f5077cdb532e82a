"""A cheap judge of the samples, while they are being trained."""

from __future__ import annotations

import torch
from torch import Tensor

from sparring.data.dataset import Dataset
from sparring.data.tensors import CONDITION, move
from sparring.games.game import Game
from sparring.metrics.copies import diversity
from sparring.metrics.frechet import frechet, moments
from sparring.modalities import Modality
from sparring.seeds import Seeds, reseed

SCORES = 32  # scores of a run, spread over its steps, at most
BETWEEN = 25_000  # samples trained on between two, at least: then they take a twentieth of the time or less
JUDGED = 500  # samples that a score is of
REFERENCE = 2000  # real items that they are held against
PAIRS = 64  # of samples, whose distances are the diversity
AT_ONCE = 100
FEWEST = 8


def every(total: int, batch: int) -> int:
    """Steps between scores in a run of so many steps. Known beforehand, so that runs of one seed choose
    the same weights.
    """
    return max(-(-total // SCORES), -(-BETWEEN // batch))


class Judge:
    """Holds samples against the items that are trained on.

    Args:
        modality: whose features are compared.
        data: what is trained on. One part is the reference; as much of another as there are samples,
            held against it, gives the floor.
        seeds: the root of randomness; nothing that is drawn here touches the run.
        device: of the nets.
    """

    def __init__(self, modality: Modality, data: Dataset, seeds: Seeds, device: torch.device) -> None:
        self.modality, self.data, self.seeds, self.device = modality, data, seeds, device
        if not self.possible:
            return
        order = data.train[torch.randperm(len(data.train), generator=torch.Generator().manual_seed(0))]
        self.n = min(JUDGED, max(2, len(order) // 2))
        apart = order[: self.n]
        reference = order[self.n : self.n + REFERENCE]
        self._reference = moments(self._features(reference))
        self.floor = frechet(moments(self._features(apart)), self._reference)
        self._order = order
        self._labels = data.labels(order)
        self._real = self._real_diversity(order)

    @property
    def possible(self) -> bool:
        """Whether there are items enough to hold anything against."""
        return len(self.data.train) >= FEWEST

    @torch.no_grad()
    def score(self, game: Game) -> float:
        """Fréchet distance of fresh samples, always from the same latents."""
        return frechet(moments(self._made(game, self._order[: self.n], "judge")), self._reference)

    @torch.no_grad()
    def diversity(self, game: Game) -> float:
        """How far apart pairs of samples are, of one label where there are labels, by how far real
        ones are: 1 is like the data, 0 is one sample only.
        """
        one = self._order[: min(PAIRS, self.n)]
        # What is made of one item is no draw among many: others are held against it.
        two = self._order[len(one) :][: len(one)] if self.modality.source is not None else one
        return diversity(self._made(game, one[: len(two)], "pairs"), self._made(game, two, "others")) / self._real

    def _made(self, game: Game, rows: Tensor, key: str) -> Tensor:
        """Features of samples that are made for the labels of these items, or of these items themselves."""
        reseed(self.seeds.key(key), self.device)
        found = []
        for part in torch.split(rows, AT_ONCE):
            condition = self._given(part)
            made = game.generate(game.draw(len(part), self.device), condition)
            found.append(self.modality.features({k: v.float() for k, v in made.items()}).cpu())
        return torch.cat(found)

    def _given(self, rows: Tensor) -> Tensor | None:
        """What samples are made for: the items' labels, such as ask for nothing where these have none, or the items."""
        if self.modality.source is not None:
            return self.modality.batch(move(self.data.items(rows), self.device))[CONDITION]
        if self._labels is not None:
            return self.data.part(CONDITION, rows).to(self.device)
        return self.modality.draw_conditions(len(rows), self.device)

    def _real_diversity(self, order: Tensor) -> float:
        order = order[: self.n]
        if self._labels is None:
            one, two = order[: len(order) // 2], order[len(order) // 2 : len(order) // 2 * 2]
        else:
            # Neighbours among items sorted by label are pairs of one label, but where labels change.
            labels = self._labels[: self.n]
            by_label = labels.argsort(stable=True)
            same = labels[by_label[1:]] == labels[by_label[:-1]]
            one, two = order[by_label[1:][same]], order[by_label[:-1][same]]
        return max(1e-9, diversity(self._features(one), self._features(two))) if len(one) else 1.0

    @torch.no_grad()
    def _features(self, rows: Tensor) -> Tensor:
        found = []
        for part in torch.split(rows, AT_ONCE):
            reseed(self.seeds.key("real", int(part[0])), self.device)
            batch = self.modality.batch(move(self.data.samples(part), self.device))
            found.append(self.modality.features(batch).cpu())
        return torch.cat(found)

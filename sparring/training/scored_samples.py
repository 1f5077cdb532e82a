"""The samples of the scores during training: each rank computes the features of a part of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from sparring.data.dataset import Dataset
from sparring.data.tensors import CONDITION, move
from sparring.evaluation.distance import features
from sparring.evaluation.ranks import Ranks
from sparring.games.game import Game
from sparring.modalities import Modality
from sparring.seeds import Seeds, reseed

MAX_SCORED = 500  # samples per score
MAX_PAIRS = 64  # of samples, whose distances measure diversity
BATCH = 100  # samples that are generated together, with random numbers of their own, by any of the ranks

Batch = tuple[str, int, Tensor]  # the name of the stream, the number of the batch in it, and its rows


@dataclass(frozen=True)
class End:
    """The first rank asks for no more features.

    Attributes:
        result: what it has decided meanwhile.
    """

    result: object


class ScoredSamples:
    """Samples of the averaged weights in named streams: "score", and "pairs" and "others", which are compared with one
    another. A stream is always the same for the same weights, whatever the number of ranks.

    The first rank decides alone when samples are scored, also by the time. While it watches the run, the others `help`:
    they wait until it asks for `features`, and compute their part, until it calls `end`. A signal that one of them
    receives meanwhile is noted, and the first rank's is obeyed at the end of a step, as everywhere.

    Args:
        modality: declares the features.
        data: samples are generated for the classes of training items, or from the items themselves.
        seeds: the root of randomness; random numbers drawn here do not affect the run.
        device: of the nets.
        ranks: that share the work.
    """

    def __init__(
        self, modality: Modality, data: Dataset, seeds: Seeds, device: torch.device, ranks: Ranks | None = None
    ) -> None:
        self.modality, self.data, self.seeds, self.device = modality, data, seeds, device
        self.ranks = ranks or Ranks()

    @cached_property
    def order(self) -> Tensor:
        """All training rows, in the random order in which scores use them."""
        return self.data.train[torch.randperm(len(self.data.train), generator=torch.Generator().manual_seed(0))]

    @property
    def n(self) -> int:
        """Number of samples of a score."""
        return min(MAX_SCORED, max(2, len(self.data.train) // 2))

    def features(self, game: Game, *streams: str, together: bool = True) -> list[Tensor]:
        """The features of all samples of each stream, float32 (n, d) on the CPU. The first rank calls this.

        Args:
            game: with the weights of all ranks.
            together: False if only the first rank has these weights. It then computes everything, with the same result.
        """
        if not together:
            batches = self._batches(streams)
            return self._joined(batches, self._computed(game, batches))
        self.ranks.share(streams)
        return self._parts(game, streams)

    def help(self, game: Game) -> Any:
        """On the other ranks: compute parts of what the first one asks for. Returns what it ends with."""
        while True:
            asked: Any = self.ranks.share(None)
            if isinstance(asked, End):
                return asked.result
            self._parts(game, asked)

    def end(self, result: object) -> None:
        """On the first rank: let the others go on, with this result."""
        self.ranks.share(End(result))

    def _parts(self, game: Game, streams: Sequence[str]) -> list[Tensor]:
        """Compute this rank's part. Returns the features of each stream on the first rank, nothing on the others."""
        batches = self._batches(streams)
        gathered = self.ranks.gather(self._computed(game, self.ranks.own(batches)))
        return self._joined(batches, [each for part in gathered for each in part]) if gathered else []

    def _batches(self, streams: Sequence[str]) -> list[Batch]:
        return [(name, i, rows) for name in streams for i, rows in enumerate(torch.split(self._rows(name), BATCH))]

    def _rows(self, stream: str) -> Tensor:
        """The rows that the samples of a stream are generated for."""
        if stream == "score":
            return self.order[: self.n]
        first = self.order[: min(MAX_PAIRS, self.n)]
        if self.modality.source is None:
            return first
        # Samples generated from one item are no independent draws, so they are compared with those of other items.
        second = self.order[len(first) :][: len(first)]
        return first[: len(second)] if stream == "pairs" else second

    @torch.no_grad()
    def _computed(self, game: Game, batches: Sequence[Batch]) -> list[Tensor]:
        """The features of each batch."""
        found = []
        for stream, number, rows in batches:
            reseed(self.seeds.key(stream, number), self.device)
            condition = self._condition(rows)
            samples = game.generate(game.draw(len(rows), self.device), condition)
            found.append(features(self.modality, [samples]))
        return found

    def _condition(self, rows: Tensor) -> Tensor | None:
        """What samples are generated for: the classes of the rows, conditions that ask for nothing, or the items."""
        if self.modality.source is not None:
            return self.modality.batch(move(self.data.items(rows), self.device))[CONDITION]
        if self.data.labeled:
            return self.data.part(CONDITION, rows).to(self.device)
        return self.modality.draw_conditions(len(rows), self.device)

    @staticmethod
    def _joined(batches: Sequence[Batch], found: Sequence[Tensor]) -> list[Tensor]:
        """The features of each stream."""
        streams: dict[str, list[Tensor]] = {}
        for (name, _, _), computed in zip(batches, found, strict=True):
            streams.setdefault(name, []).append(computed)
        return [torch.cat(parts) for parts in streams.values()]

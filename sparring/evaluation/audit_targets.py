"""What an audit attacks: a model, or a file of samples that any tool made."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from sparring.console import Screen
from sparring.data.items import Items
from sparring.data.tensors import CONDITION, VALUES, Tensors, move
from sparring.errors import InputError
from sparring.evaluation.evaluate import training_data
from sparring.evaluation.real import Real, read
from sparring.modalities import Modality
from sparring.model import Model, stored
from sparring.nets.discriminator import Discriminator
from sparring.nets.packed import logits, score
from sparring.privacy import Guarantee, promised

MAX_CANDIDATES, MIN_CANDIDATES = 2000, 20  # members that are attacked, and as many others
MAX_SAMPLES, MIN_SAMPLES = 10_000, 1000
BATCH_SIZE = 100


@dataclass(frozen=True)
class Pool:
    """Some items of a data set: `rows` of `real`."""

    real: Real
    rows: Tensor

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, part: slice) -> Pool:
        return Pool(self.real, self.rows[part])

    def shuffled(self) -> Pool:
        """In an order that is always the same."""
        return Pool(self.real, self.rows[torch.randperm(len(self), generator=torch.Generator().manual_seed(0))])

    def batches(self) -> Iterator[Tensors]:
        """The items as networks see them, without their classes."""
        return (batch for batch, _ in self.real.batches(self.rows))


class Target(ABC):
    """What is attacked, and what the attacker knows.

    Attributes:
        modality: reads and writes the items.
        trained, unseen: training items, and other real ones, in random order.
        count: number of samples that attacks use.
        identity: SHA-256 of a model's weights; "" for a file.
        promise: what a model promises about each record.
        random: whether training items were chosen at random.
    """

    modality: Modality
    trained: Pool
    unseen: Pool
    count: int
    identity: str = ""
    promise: Guarantee | None = None
    random: bool = False

    @abstractmethod
    def samples(self) -> Iterator[tuple[Tensors, Any]]:
        """`count` samples in batches, as networks see them and decoded."""

    def scores(self, *pools: Pool) -> tuple[Tensor, ...] | None:
        """What a model's own D says of items, (n,) of each pool; None if there is no D that could be asked."""
        del pools
        return None


class TrainedModel(Target):
    """A model and the data that it was trained on.

    Raises:
        InputError: if the model makes its samples of given ones, its training data are missing or have changed, or too
            many or too few samples are asked for.
    """

    def __init__(self, model: Model, samples: int | None, seed: int, device: torch.device, screen: Screen) -> None:
        words = model.modality.words.trained
        if model.modality.source is not None:
            raise InputError(f"this model makes {words} of given ones; audits are for models that generate from noise")
        training = training_data(model)
        training.check_unchanged(model.modality.words.items)
        with screen.progress(f"reading {training.name}") as progress:
            real, _ = read(model.modality, training.items, progress)
        self.model, self.seed, self.device = model, seed, device
        self.modality = model.modality
        self.trained, self.unseen = (Pool(real, rows).shuffled() for rows in (real.data.train, real.data.held))
        if len(self.unseen) < 2 * MIN_CANDIDATES:
            raise InputError(
                f"{training.source} holds out {len(self.unseen)} {words}, and an audit needs {2 * MIN_CANDIDATES} of "
                "them; train on more data"
            )
        most = min(MAX_SAMPLES, max(MIN_SAMPLES, len(self.trained)))
        self.count = most if samples is None else samples
        if not MIN_CANDIDATES <= self.count <= MAX_SAMPLES:
            raise InputError(f"{self.count:,} samples were asked for; give {MIN_CANDIDATES} to {MAX_SAMPLES:,}")
        self.identity = stored.identity(model.game.state_dict())
        self.promise = promised(model.about)
        self.random = self.modality.splits_at_random(training.items)

    def samples(self) -> Iterator[tuple[Tensors, Any]]:
        done = 0
        for batch, _ in self.model.stream(self.count, seed=self.seed):
            yield batch, self.modality.decode(batch, done)
            done += len(batch[VALUES])

    def scores(self, *pools: Pool) -> tuple[Tensor, ...] | None:
        D = self.model.game.discriminator()
        if D is None or (self.model.game.conditional and CONDITION not in self._batch(self.trained[:1])):
            return None
        return tuple(self._logits(D, pool) for pool in pools)

    @torch.no_grad()
    def _logits(self, D: Discriminator, pool: Pool) -> Tensor:
        torch.manual_seed(0)  # conditions of tables are drawn
        found = []
        for first in range(0, len(pool), BATCH_SIZE):
            batch = move(self._batch(pool[first : first + BATCH_SIZE]), self.device)
            condition = batch[CONDITION] if self.model.game.conditional else None
            found.append(score(logits(D, batch[VALUES], condition)).cpu())
        return torch.cat(found)

    @staticmethod
    def _batch(pool: Pool) -> Tensors:
        """Items as D sees them, with their conditions."""
        return pool.real.modality.batch(pool.real.data.items(pool.rows))


class MadeFile(Target):
    """Samples that any tool made, the items that it was trained on, and others.

    Raises:
        InputError: if they are of different kinds, too few, or cannot be read.
    """

    def __init__(
        self, modality: Modality, made: Items, trained: Items, unseen: Items, samples: int | None, screen: Screen
    ) -> None:
        self.modality, words = modality, modality.words.items
        pools = []
        for items, least in ((made, MIN_CANDIDATES), (trained, 2 * MIN_CANDIDATES), (unseen, 2 * MIN_CANDIDATES)):
            if changed := modality.conversion(items):
                screen.say(f"{items.name}: {changed}")
            if len(items) < least:
                raise InputError(f"{items.name} has {len(items)} {words}, and an audit needs {least} of them")
            with screen.progress(f"reading {items.name}") as progress:
                real, notes = read(modality, items, progress, least)
            for note in notes:
                screen.say(f"{items.name}: {note}")
            pools.append(Pool(real, torch.cat([real.data.train, real.data.held]).sort().values).shuffled())
        self.made, self.trained, self.unseen = pools
        if self.trained.real.data.fingerprint == self.unseen.real.data.fingerprint:
            raise InputError(
                f"{unseen.name} holds the same {words} as {trained.name}; give {words} that the tool has not seen"
            )
        most = min(MAX_SAMPLES, len(self.made))
        self.count = most if samples is None else samples
        if not MIN_CANDIDATES <= self.count <= most:
            raise InputError(f"{self.count:,} samples were asked for; give {MIN_CANDIDATES} to {most:,}")

    def samples(self) -> Iterator[tuple[Tensors, Any]]:
        for batch in self.made[: self.count].batches():
            yield batch, self.modality.decode(batch)

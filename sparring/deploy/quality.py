"""The cost of compression: the run's own metric, before and after."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from sparring.console import Screen
from sparring.data.addresses import shown
from sparring.data.dataset import Dataset
from sparring.data.tensors import CONDITION, VALUES, Tensors
from sparring.deploy.measure import Run
from sparring.errors import InputError
from sparring.evaluation.distance import FeatureDistance, real_batches
from sparring.games.graph import CPU, Graph
from sparring.model import Model
from sparring.seeds import Seeds, reseed
from sparring.training.prepare import prepare, room

MAX_SAMPLES = 2000
MAX_GIVEN = 128  # given items that samples are generated from
MAX_REFERENCE = 5000  # real items that samples are compared with
MIN_HELD = 0.1  # of `MAX_SAMPLES`: held-out items without which real items get no number
BATCH_SIZE = 50


class Data:
    """The data that a model was trained on, if they can still be found.

    Args:
        model: that was trained on them.
        screen: reports if they are missing.
        needed: True if a model that generates samples from given items cannot be compressed without them.

    Raises:
        InputError: if they are needed and missing.
    """

    def __init__(self, model: Model, screen: Screen, needed: bool = True) -> None:
        self.model, self.modality = model, model.modality
        self.generates_from_noise = model.modality.source is None
        self.dataset = self._load(screen, needed)

    @property
    def can_judge(self) -> bool:
        """True if there is something that samples can be compared with."""
        return self.dataset is not None or self.generates_from_noise

    def _load(self, screen: Screen, needed: bool) -> Dataset | None:
        source = str(self.model.about.get("data", ""))
        try:
            if not source:
                raise InputError("the model does not name them")
            items = self.model.find_items()
            if not self.modality.accepts(items):
                raise InputError(f"{shown(source)!r} now holds {items.kind}")
            with torch.random.fork_rng([]):
                _, dataset, _ = prepare(self.model.recipe, self.modality, items, room(None, CPU), screen)
        except InputError as error:
            if self.generates_from_noise:
                screen.say(f"the training data are missing ({error}): samples are compared with the model's own")
                return None
            if needed:
                raise InputError(
                    f"{error}; pruning or quantizing a model that transforms given items needs its training data"
                ) from error
            screen.say(f"the training data are missing ({error}): quality is not measured")
            return None
        return dataset

    def pairs(self, rows: Tensor, reverse: bool = False) -> tuple[Tensor, Tensor]:
        """Given items of some rows and what is to be generated from them, as the networks see them."""
        assert self.dataset is not None
        batch = self.modality.batch(self.dataset.items(rows))
        return (batch[VALUES], batch[CONDITION]) if reverse else (batch[CONDITION], batch[VALUES])

    def rows(self, n: int, held: bool) -> Tensor:
        """Random rows: held-out ones if they are asked for and there are at least two, otherwise training rows."""
        assert self.dataset is not None
        rows = self.dataset.held if held and len(self.dataset.held) > 1 else self.dataset.train
        return rows[torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))[:n]]

    def inputs(self, graph: Graph, n: int, key: str, reverse: bool = False, held: bool = True) -> list[Tensor]:
        """A graph's inputs for n samples as `Model.sample` draws them, or for n given items."""
        with torch.random.fork_rng([]):
            reseed(Seeds().key(key), CPU)
            if self.generates_from_noise:
                return list(graph.draw(n, 0))
            given = self.pairs(self.rows(n, held), reverse)[0]
            for i, side in enumerate(given.shape[2:], 2):
                given = given.narrow(i, 0, graph.stride * max(1, side // graph.stride))
            return [self.modality.unscale(given).movedim(1, -1).contiguous() if graph.in_bytes else given]


class Quality:
    """Fréchet distance of samples in the features that score a run of this kind during training: from real items or, if
    these are missing, from samples of the uncompressed model. It is larger for fewer samples, so the number of samples
    is that of the held-out items, which give the floor. If there are far too few held-out items, there is no floor.

    Args:
        data: of the model.
        graph: of the uncompressed model.
        reverse: True for the opposite direction of a model that learned both.

    Attributes:
        name: of the metric.
        protocol: in a sentence.
        floor: distance of held-out items, None if there are too few.
        inputs: of the graph, for the samples that are compared.
    """

    def __init__(self, data: Data, graph: Graph, reverse: bool = False) -> None:
        self.data, self.graph = data, graph
        with torch.random.fork_rng([]):
            if not data.generates_from_noise:
                self._compare_with_given(reverse)
            elif data.dataset is not None:
                self._compare_with_real(data.dataset)
            else:
                self._compare_with_model()
        self.name, self.floor = self._distance.name, self._distance.floor
        self.protocol = f"{self.name}: {len(self.inputs[0]):,} samples against {self._against}"

    def _compare_with_given(self, reverse: bool) -> None:
        self.inputs = self.data.inputs(self.graph, MAX_GIVEN, "quality", reverse)
        real = self.data.pairs(self.data.rows(MAX_GIVEN, held=True), reverse)[1]
        self._distance = FeatureDistance(self.data.modality, [{VALUES: real}])
        self._against = f"the {self.data.modality.words.items} that are to be generated"

    def _compare_with_real(self, dataset: Dataset) -> None:
        modality, held = self.data.modality, dataset.held
        has_floor = len(held) >= max(2, MIN_HELD * MAX_SAMPLES)
        n = min(MAX_SAMPLES, len(held)) if has_floor else MAX_SAMPLES
        self.inputs = self.data.inputs(self.graph, n, "quality")
        rows = self.data.rows(MAX_REFERENCE, held=False)
        unseen = self.data.rows(MAX_SAMPLES, held=True) if has_floor else rows[:0]
        self._distance = FeatureDistance(
            modality,
            real_batches(modality, dataset, rows, size=BATCH_SIZE),
            real_batches(modality, dataset, unseen, size=BATCH_SIZE) if has_floor else (),
        )
        self._against = f"{len(rows):,} real {modality.words.trained}"
        if has_floor:
            self._against += f"; real: {len(unseen):,} held-out ones against the same"

    def _compare_with_model(self) -> None:
        net = self.graph.net
        self.inputs = self.data.inputs(self.graph, MAX_SAMPLES, "quality")
        other = self.data.inputs(self.graph, MAX_SAMPLES, "reference")
        self._distance = FeatureDistance(self.data.modality, self._samples(lambda inputs: net(*inputs), other))
        self._against = f"{len(other[0]):,} samples of the uncompressed model"

    def of(self, run: Run) -> float:
        """Distance of samples that a runner generates, always from the same inputs."""
        return self._distance.of(self._samples(run, self.inputs))

    def _samples(self, run: Run, inputs: Sequence[Tensor]) -> Iterator[Tensors]:
        """Samples as the networks generate them, in batches."""
        for part in zip(*(torch.split(x, BATCH_SIZE) for x in inputs), strict=True):
            with torch.no_grad():
                values = run(part)
            yield {VALUES: self.data.modality.scale(values.movedim(-1, 1)) if self.graph.in_bytes else values}

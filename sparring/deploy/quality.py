"""What compressing costs: the run's own metric, before and after."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from sparring.console import Screen
from sparring.data.dataset import Dataset
from sparring.data.tensors import VALUES
from sparring.deploy.graph import CPU, Graph, bytes_of
from sparring.errors import InputError
from sparring.metrics.frechet import frechet, moments
from sparring.modalities import Translation, find
from sparring.model import Model
from sparring.seeds import Seeds, reseed
from sparring.training.prepare import prepare, room

JUDGED = 2000  # samples, at most
GIVEN = 128  # given pictures, at most
REFERENCE = 5000  # real items that they are held against, at most
LEAST = 0.1  # of as many, real items that are held out where they are judged too
AT_ONCE = 50
Run = Callable[[Sequence[Tensor]], Tensor]


class Data:
    """The data that a model was trained on, where they are still at hand, and what to draw instead where they are not.

    Args:
        model: of which they are.
        screen: says so where they are not.
        needed: whether there is no way without given pictures, where pictures are made of pictures.

    Raises:
        InputError: where they are needed and not at hand.
    """

    def __init__(self, model: Model, screen: Screen, needed: bool = True) -> None:
        self.model, self.modality = model, model.modality
        self.prepared = self._found(screen, needed)

    @property
    def judges(self) -> bool:
        """Whether there is something to hold samples against."""
        return self.prepared is not None or self.modality.source is None

    def _found(self, screen: Screen, needed: bool) -> Dataset | None:
        source = str(self.model.about.get("data", ""))
        try:
            if not source:
                raise InputError("the model does not say what they were")
            items = find(source)
            if items.kind != self.modality.kind and items.kind not in self.modality.reads:
                raise InputError(f"{source!r} holds {items.kind} now")
            with torch.random.fork_rng([]):
                _, prepared, _ = prepare(self.model.recipe, self.modality, items, room(None, CPU), screen)
        except InputError as error:
            if self.modality.source is not None and needed:
                raise InputError(
                    f"{error}; pruning pictures of pictures, or quantising them, needs what the model was trained on"
                ) from error
            instead = (
                "quality is not judged"
                if self.modality.source is not None
                else "samples are held against the model's own"
            )
            screen.say(f"the training data are not at hand ({error}): {instead}")
            return None
        return prepared

    def pictures(self, rows: Tensor, reverse: bool = False) -> tuple[Tensor, Tensor]:
        """Given pictures and wanted ones of some rows, in [-1, 1]."""
        assert self.prepared is not None
        batch = self.modality.batch(self.prepared.items(rows))
        return (batch["values"], batch["condition"]) if reverse else (batch["condition"], batch["values"])

    def some(self, n: int, held: bool) -> Tensor:
        """Rows: held-out ones where there are enough, or those that were trained on."""
        assert self.prepared is not None
        of = self.prepared.held if held and len(self.prepared.held) > 1 else self.prepared.train
        return of[torch.randperm(len(of), generator=torch.Generator().manual_seed(0))[:n]]

    def inputs(self, graph: Graph, n: int, seed: str, reverse: bool = False, held: bool = True) -> list[Tensor]:
        """A graph's inputs for n samples as `Model.sample` draws them, or n given pictures."""
        with torch.random.fork_rng([]):
            reseed(Seeds().key(seed), CPU)
            if not isinstance(self.modality, Translation):
                return list(graph.draw(n, 0))
            given = self.pictures(self.some(n, held), reverse)[0]
            height, width = (graph.stride * max(1, side // graph.stride) for side in given.shape[-2:])
            given = given[..., :height, :width]
            return [bytes_of(given) if graph.in_bytes else given]


class Quality:
    """The Fréchet distance of the features by which a run of this kind is judged while it is trained: of samples from
    real items, or from the samples of the model as it was. It grows as there are fewer of them, so that as many samples
    are judged as real items are held out; where these are much too few to judge by, there is no number for real ones.

    Args:
        data: of the model.
        graph: of the model as it was.
        reverse: whether it is the other way of pictures of pictures.

    Attributes:
        name: of the number.
        protocol: in a sentence.
        floor: what as many held-out items get in the samples' place, None where too few are at hand.
    """

    def __init__(self, data: Data, graph: Graph, reverse: bool = False) -> None:
        self.data, self.graph, self.reverse, modality = data, graph, reverse, data.modality
        self.name = f"fid[{modality.features_name}]"
        self.floor: float | None = None
        if modality.source is not None:
            self.inputs = data.inputs(graph, GIVEN, "quality", reverse)
            real = data.pictures(data.some(GIVEN, held=True), reverse)[1]
            self.reference, against = (
                moments(modality.features({VALUES: real})),
                "the pictures that are to be made of them",
            )
        elif data.prepared is not None:
            held, rows = data.prepared.held, data.some(REFERENCE, held=False)
            fair = len(held) >= max(2, LEAST * JUDGED)
            self.inputs = data.inputs(graph, min(JUDGED, len(held)) if fair else JUDGED, "quality")
            self.reference, against = moments(self._real(rows)), f"{len(rows):,} real {modality.kind}"
            if fair:
                held = data.some(JUDGED, held=True)
                self.floor = frechet(moments(self._real(held)), self.reference)
                against += f"; real: {len(held):,} held-out ones against the same"
        else:
            self.inputs = data.inputs(graph, JUDGED, "quality")
            other = data.inputs(graph, JUDGED, "reference")
            self.reference, against = moments(self._features(graph.net, other)), "as many of the model as it was"
        self.protocol = f"{self.name}: {len(self.inputs[0]):,} samples against {against}"

    def of(self, run: Run) -> float:
        """Of samples that are made of always the same latents, or given pictures."""
        return frechet(moments(self._features(run, self.inputs)), self.reference)

    @torch.no_grad()
    def _features(self, run: Run, inputs: Sequence[Tensor]) -> Tensor:
        found = []
        for part in zip(*(torch.split(x, AT_ONCE) for x in inputs), strict=True):
            made = run(part) if not isinstance(run, torch.nn.Module) else run(*part)
            if self.graph.in_bytes:
                made = self.data.modality.scale(made.permute(0, 3, 1, 2))
            found.append(self.data.modality.features({VALUES: made.float()}))
        return torch.cat(found)

    def _real(self, rows: Tensor) -> Tensor:
        assert self.data.prepared is not None
        found = []
        for part in torch.split(rows, AT_ONCE):
            with torch.random.fork_rng([]):
                reseed(Seeds().key("real", int(part[0])), CPU)
                batch = self.data.modality.batch({"values": self.data.prepared.part("values", part)})
            found.append(self.data.modality.features(batch))
        return torch.cat(found)

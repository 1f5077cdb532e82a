"""What the judges of both kinds of music share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from sparring.data.items import Items
from sparring.errors import InputError
from sparring.metrics.results import Evaluation, Finding, Number
from sparring.metrics.two_sample import c2st_auc
from sparring.modalities.judge import Console, Judge, Sampler, TrainingData
from sparring.modalities.music.score import Score
from sparring.modalities.music.scores import Scores
from sparring.modalities.samples import Samples

if TYPE_CHECKING:
    from sparring.modalities.base import Modality

Say = Callable[[str], None]
M = TypeVar("M", bound=Scores)
Array = NDArray[Any]
N = 200  # pieces that are evaluated unless given
MIN_PIECES = 4
EASY = 0.9  # c2st_auc above which pieces are easy to distinguish
COPIED = 2.0  # as many copies as in held-out pieces are a finding, and
MIN_COPIED = 0.05  # at least this share


class ScoresJudge(Judge):
    """Compares pieces, as arrays, with held-out ones.

    Args:
        modality: fitted to the data.
        train, held: the pieces that the model was trained on, and others.
        say: receives progress messages.
        name: of the data.
    """

    def __init__(
        self,
        modality: Scores,
        train: Sequence[Array],
        held: Sequence[Array],
        say: Say = lambda _: None,
        name: str = "data",
    ) -> None:
        self.modality, self.train, self.held, self.say, self.name = modality, train, held, say, name

    def check(self, modality: Modality) -> None:
        assert isinstance(modality, Scores)
        mine, other = self.modality.shape, modality.shape
        if mine != other or self.modality.grid != modality.grid:
            raise InputError(
                f"these runs generate pieces of different grids, lengths or voices ({mine}, {other}); compare "
                "runs with the same"
            )

    @property
    @abstractmethod
    def baselines(self) -> dict[str, list[Number]]:
        """Metrics of trivial generators."""

    @property
    @abstractmethod
    def baseline_words(self) -> str:
        """What the baselines are, for the protocol."""

    @abstractmethod
    def piece(self, score: Score) -> Array:
        """A generated score as an array of the window's length."""

    @abstractmethod
    def whole(self, score: Score) -> Array:
        """A score as an array of its own length."""

    @abstractmethod
    def cut(self, pieces: Sequence[Array]) -> list[Array]:
        """Pieces cut into parts of the window's length; the rest of each is left out."""

    @abstractmethod
    def own(self, pieces: Sequence[Array]) -> list[Number]:
        """Metrics that compare with nothing but the training data."""

    @abstractmethod
    def histograms(self, pieces: Sequence[Array]) -> dict[str, NDArray[np.float64]]:
        """Mean histograms of pieces, by the name of the metric that compares them."""

    @abstractmethod
    def seen(self, pieces: Sequence[Array]) -> Tensor:
        """Parts of pieces as the classifier of the two-sample test sees them, (n, channels, steps)."""

    @abstractmethod
    def findings(self, numbers: Sequence[Number]) -> list[Finding]:
        """Problems of pieces; [] if nothing stands out."""

    @cached_property
    def floor(self) -> list[Number]:
        """Metrics of held-out pieces; those that compare with them, of training pieces."""
        self.say("evaluating held-out pieces")
        held = {number.name: number for number in self.own(self.cut(self.held))}
        return [held.get(number.name, number) for number in self.numbers(self.cut(self.train))]

    def numbers(self, pieces: Sequence[Array]) -> list[Number]:
        """All metrics of pieces of the window's length."""
        held = self.histograms(self.cut(self.held))
        apart = {name: float(np.abs(h - held[name]).sum() / 2) for name, h in self.histograms(pieces).items()}
        return [
            *self.own(pieces),
            *(Number(name, distance, "low") for name, distance in apart.items()),
            Number("c2st_auc", self._two_sample(pieces), "low"),
        ]

    def _two_sample(self, pieces: Sequence[Array]) -> float:
        """Alternate pieces train and test the classifier."""
        real = [self.seen(self.held[i::2]) for i in range(2)]
        generated = [self.seen(pieces[i::2]) for i in range(2)]
        return c2st_auc((real[0], real[1]), (generated[0], generated[1]))

    def evaluate(self, model: Sampler, n: int | None, seed: int, console: Console) -> Evaluation:
        """Evaluate n pieces of the window's length."""
        n = n or N
        if n < MIN_PIECES:
            raise InputError(f"{n} pieces are too few to evaluate; give at least {MIN_PIECES}")
        console.say(f"evaluating {n:,} pieces")
        made = model.sample(n, seed=seed)
        return self._evaluation([self.piece(score) for score in made.items], made.modality.preview(made))

    def evaluate_items(self, items: Items, console: Console) -> Evaluation:
        """Pieces cut into parts of the window's length; shorter ones are followed by silence."""
        scores = [items.items[i] for i in self.modality.encode(items).readable]
        pieces = [part for score in scores for part in self.cut([self.whole(score)]) or [self.piece(score)]]
        if len(pieces) < MIN_PIECES:
            raise InputError(f"{items.name!r} has {len(pieces)} pieces; evaluating needs at least {MIN_PIECES}")
        console.say(f"evaluating {len(pieces):,} pieces")
        shown = np.empty(len(scores), object)
        shown[:] = scores
        return self._evaluation(pieces, self.modality.preview(Samples(shown, None, self.modality)))

    def _evaluation(self, pieces: Sequence[Array], picture: Image.Image) -> Evaluation:
        floor, others, n = self.floor, self.baselines, len(pieces)
        numbers = self.numbers(pieces)
        return Evaluation(
            data=self.name,
            protocol=(
                f"{n:,} pieces of {self.modality.bars} bars compared with {len(self.held):,} held-out pieces, in steps "
                f"of 1/{4 * self.modality.grid}; real: the held-out pieces cut into {len(self.cut(self.held)):,} of "
                f"that length (c2st_auc and the histograms: training pieces); {self.baseline_words}"
            ),
            samples=n, real=len(self.held), numbers=tuple(numbers), floor=tuple(floor), baselines=others,
            findings=tuple(self.findings(numbers)), picture=picture,
        )  # fmt: skip

    def usual_findings(self, numbers: Sequence[Number], copies: str) -> list[Finding]:
        """Pieces that are easy to distinguish, and copies.

        Args:
            copies: name of the metric of copies.
        """
        value, real = ({n.name: n.value for n in side} for side in (numbers, self.floor))
        findings = []
        if value["c2st_auc"] > max(EASY, real["c2st_auc"]):
            evidence = f"AUC of a classifier {value['c2st_auc']:.2f}; of the training data {real['c2st_auc']:.2f}"
            findings.append(Finding("easy to distinguish from real pieces", evidence, "train longer"))
        if value[copies] > max(MIN_COPIED, COPIED * real[copies]):
            evidence = f"{copies} {value[copies]:.0%}; of held-out pieces {real[copies]:.0%}"
            findings.append(Finding("copies", evidence, "train on more pieces, or for fewer steps"))
        return findings


def split_pieces(
    modality: M,
    training: TrainingData,
    against: Items | None,
    options: Mapping[str, Any],
    array: Callable[[Score], Any],
) -> tuple[list[Any], list[Any]]:
    """The pieces that a model was trained on, and those that it is compared with, as arrays.

    Raises:
        InputError: as `Modality.judge` does.
    """
    if features := options.get("features"):
        raise InputError(f"features={features[0]} is not for music, which has its own metrics; remove --features")
    training.check_unchanged(modality.words.items)
    items = training.items
    split = modality.split(items, modality.encode(items).readable)
    others, chosen = (items, split.held) if against is None else (against, modality.encode(against).readable)
    if len(chosen) < MIN_PIECES:
        source = training.source if against is None else others.name
        raise InputError(
            f"{source} has {len(chosen)} held-out pieces, which is too few to evaluate; give --against DATA with at "
            f"least {MIN_PIECES}"
        )
    return [array(items.items[i]) for i in split.train], [array(others.items[i]) for i in chosen]

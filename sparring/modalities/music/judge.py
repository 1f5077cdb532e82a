"""The judge of music for several voices."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from sparring.data.items import Items
from sparring.errors import InputError
from sparring.metrics import voices
from sparring.metrics.results import Evaluation, Finding, Number
from sparring.metrics.two_sample import c2st_auc
from sparring.metrics.voices import Floats, Pitches
from sparring.modalities.judge import Console, Judge, Sampler, TrainingData
from sparring.modalities.music import baselines
from sparring.modalities.music.voices import Music

if TYPE_CHECKING:
    from sparring.modalities.base import Modality

Say = Callable[[str], None]
N = 200  # pieces that are evaluated unless given
MIN_PIECES = 4
MAX_WINDOWS = 2000  # of each side of the two-sample test
SHORT, LONG = 4, 8  # beats of the windows that are searched in the training data
TAILS = 0.001  # share of a voice's notes in the training data on each side of its usual range
EASY = 0.9  # c2st_auc above which pieces are easy to distinguish
MANY = 3.0  # parallels per 100 changes more than in real pieces that are a finding
COPIED = 2.0  # as many copied windows of 8 beats as in held-out pieces that are a finding, and
MIN_COPIED = 0.05  # at least this share
OF_HELD = (
    "parallels", "crossings", "range", "chordal", "in_scale", "voices", "cadences", "self_similarity",
    f"copied[{SHORT} beats]", f"copied[{LONG} beats]",
)  # fmt: skip


class MusicJudge(Judge):
    """Compares pieces with held-out ones.

    Args:
        modality: fitted to the data.
        train, held: pitches (steps, voices) of the pieces that the model was trained on, and of others.
        say: receives progress messages.
        name: of the data.
    """

    def __init__(
        self,
        modality: Music,
        train: Sequence[Pitches],
        held: Sequence[Pitches],
        say: Say = lambda _: None,
        name: str = "the data",
    ) -> None:
        self.modality, self.train, self.held, self.say, self.name = modality, train, held, say, name
        self.steps = modality.window

    @property
    def axes(self) -> tuple[str, str]:
        return "intervals", "c2st_auc"

    def check(self, modality: Modality) -> None:
        assert isinstance(modality, Music)
        mine, other = ((m.grid, m.window, len(m.lows)) for m in (self.modality, modality))
        if mine != other:
            raise InputError(
                f"these runs generate pieces of different grids or voices ({mine}, {other}); compare runs with the same"
            )

    def evaluate(self, model: Sampler, n: int | None, seed: int, console: Console) -> Evaluation:
        """Evaluate n pieces of the window's length."""
        n = n or N
        if n < MIN_PIECES:
            raise InputError(f"{n} pieces are too few to evaluate; give at least {MIN_PIECES}")
        floor, others = self.floor, self.baselines
        console.say(f"evaluating {n:,} pieces")
        made = model.sample(n, seed=seed)
        pieces = [self.modality.matrix(score) for score in made.items]
        numbers = self.numbers(pieces)
        return Evaluation(
            data=self.name,
            protocol=(
                f"{n:,} pieces of {self.modality.bars} bars compared with {len(self.held):,} held-out pieces, in steps "
                f"of 1/{4 * self.modality.grid}; real: the held-out pieces cut into {len(self.cut(self.held)):,} of "
                "that length (c2st_auc and the histograms: training pieces); markov: a first-order chain of the "
                "training data's chords; mixed: voices of different pieces; shuffled: chords in random order"
            ),
            samples=n, real=len(self.held), numbers=tuple(numbers), floor=tuple(floor), baselines=others,
            findings=tuple(self.findings(numbers)), picture=made.modality.preview(made),
        )  # fmt: skip

    def cut(self, pieces: Sequence[Pitches]) -> list[Pitches]:
        """Pieces cut into parts of the window's length; the rest of each is left out."""
        return [
            piece[i : i + self.steps] for piece in pieces for i in range(0, len(piece) - self.steps + 1, self.steps)
        ]

    @cached_property
    def floor(self) -> list[Number]:
        """Metrics of held-out pieces; those that compare with them, of training pieces."""
        self.say("evaluating held-out pieces")
        held = {number.name: number for number in self._own(self.cut(self.held))}
        return [held.get(number.name, number) for number in self.numbers(self.cut(self.train))]

    @cached_property
    def baselines(self) -> dict[str, list[Number]]:
        """Metrics of trivial generators."""
        self.say("evaluating the baselines")
        makers = {"markov": baselines.markov, "mixed": baselines.mixed, "shuffled": baselines.shuffled}
        return {name: self.numbers(make(self.train, N, self.steps)) for name, make in makers.items()}

    def numbers(self, pieces: Sequence[Pitches]) -> list[Number]:
        """All metrics of pieces (steps, voices) of the window's length."""
        held = self._histograms(self.cut(self.held))
        apart = {name: float(np.abs(h - held[name]).sum() / 2) for name, h in self._histograms(pieces).items()}
        return [
            *self._own(pieces),
            *(Number(name, distance, "low") for name, distance in apart.items()),
            Number("c2st_auc", self._two_sample(pieces), "low"),
        ]

    def _own(self, pieces: Sequence[Pitches]) -> list[Number]:
        """Metrics that compare with nothing but the training data."""
        modality, beat = self.modality, self.modality.grid

        def mean(measure: Callable[[Pitches], Any]) -> float:
            return float(np.mean([measure(piece) for piece in pieces]))

        per_change = 100 * sum(int(voices.parallels(p).sum()) for p in pieces) / self._changes(pieces)
        low, high = self._usual
        copied = [voices.copied(pieces, self.train, beats * beat, beat) for beats in (SHORT, LONG)]
        return [
            Number("parallels", per_change, "real"),
            Number("crossings", mean(lambda p: voices.crossings(p).any(1).mean()), "real", share=True),
            Number("range", mean(lambda p: ((p > 0) & ((p < low) | (p > high))).mean()), "real", share=True),
            Number("chordal", mean(lambda p: voices.chordal(p).mean()), "real", share=True),
            Number("in_scale", mean(voices.in_scale), "real", share=True),
            Number("voices", mean(lambda p: (p > 0).sum(1).mean()), "real"),
            Number("cadences", mean(lambda p: voices.cadences(p, 2 * beat)), "real"),
            Number("self_similarity", mean(lambda p: voices.self_similarity(p, modality.bar)), "real"),
            *(Number(f"copied[{beats} beats]", share, "real", share=True)
              for beats, share in zip((SHORT, LONG), copied, strict=True)),
        ]  # fmt: skip

    def _changes(self, pieces: Sequence[Pitches]) -> int:
        return max(1, sum(int(voices.changes(piece).sum()) for piece in pieces))

    @cached_property
    def _usual(self) -> tuple[Floats, Floats]:
        """The usual range of each voice in the training data."""
        columns = np.concatenate(self.train).T
        ranges = [np.quantile(c[c > 0], (TAILS, 1 - TAILS)) if (c > 0).any() else (0, 127) for c in columns]
        low, high = np.array(ranges, np.float64).T
        return low, high

    def _histograms(self, pieces: Sequence[Pitches]) -> dict[str, Floats]:
        """Mean histograms of pieces, by the name of the metric that compares them."""
        return {
            "pitch_classes": np.mean([_from_root(voices.pitch_classes(p)) for p in pieces], 0),
            "intervals": np.mean([voices.intervals(p) for p in pieces], 0),
            "leaps": np.mean([voices.leaps(p) for p in pieces], 0),
        }

    def _two_sample(self, pieces: Sequence[Pitches]) -> float:
        """Alternate pieces train and test the classifier."""
        real = [self._seen(self.held[i::2]) for i in range(2)]
        generated = [self._seen(pieces[i::2]) for i in range(2)]
        return c2st_auc((real[0], real[1]), (generated[0], generated[1]))

    def _seen(self, pieces: Sequence[Pitches]) -> Tensor:
        """What a listener hears in all windows of half the length that begin on a beat, randomly transposed,
        (n, planes, steps).
        """
        steps, beat = self.steps // 2, self.modality.grid
        windows = [p[i : i + steps] for p in pieces for i in range(0, len(p) - steps + 1, beat)]
        random = np.random.default_rng(0)
        if len(windows) > MAX_WINDOWS:
            windows = [windows[i] for i in random.choice(len(windows), MAX_WINDOWS, replace=False)]
        codes = torch.stack([self.modality.codes_of(window) for window in windows])
        with torch.random.fork_rng([]):
            torch.manual_seed(0)
            codes = self.modality.transposed(codes)
        layout = self.modality.layout
        return layout.seen(layout.onehot(codes)).to(torch.float16)

    def findings(self, numbers: Sequence[Number]) -> list[Finding]:
        """Problems of pieces; [] if nothing stands out."""
        value = {n.name: n.value for n in numbers}
        real = {n.name: n.value for n in self.floor}
        findings = []
        if value["c2st_auc"] > max(EASY, real["c2st_auc"]):
            evidence = f"AUC of a classifier {value['c2st_auc']:.2f}; of the training data {real['c2st_auc']:.2f}"
            findings.append(Finding("easy to distinguish from real pieces", evidence, "train longer"))
        if value["parallels"] > MANY + real["parallels"]:
            evidence = f"{value['parallels']:.1f} per 100 changes; in real pieces {real['parallels']:.1f}"
            findings.append(Finding("parallel fifths and octaves", evidence, "train longer, or lower the temperature"))
        name = f"copied[{LONG} beats]"
        if value[name] > max(MIN_COPIED, COPIED * real[name]):
            evidence = (
                f"{value[name]:.0%} of all {LONG} beats occur in the training data; of real pieces {real[name]:.0%}"
            )
            findings.append(Finding("copies", evidence, "train on more pieces, or for fewer steps"))
        return findings


def _from_root(shares: Floats) -> Floats:
    """A histogram of pitch classes, rotated so that the major scale that fits best begins at 0."""
    scale = list(voices.SCALE)
    return max((np.roll(shares, -root) for root in range(len(shares))), key=lambda h: float(h[scale].sum()))


def music_judge(
    modality: Music, training: TrainingData, against: Items | None, options: Mapping[str, Any], say: Say
) -> MusicJudge:
    """See `Modality.judge`."""
    if features := options.get("features"):
        raise InputError(f"features={features[0]} is not for music, which has its own metrics; remove --features")
    training.check_unchanged(modality.words.items)
    items = training.items
    encoded = modality.encode(items)
    split = modality.split(items, encoded.readable)
    train = [modality.matrix(items.items[i]) for i in split.train]
    if against is None:
        held = [modality.matrix(items.items[i]) for i in split.held]
    else:
        held = [modality.matrix(against.items[i]) for i in modality.encode(against).readable]
    if len(held) < MIN_PIECES:
        source = training.source if against is None else against.name
        raise InputError(
            f"{source} has {len(held)} held-out pieces, which is too few to evaluate; give --against DATA with at "
            f"least {MIN_PIECES}"
        )
    return MusicJudge(modality, train, held, say, training.name)

"""The judge of music for several voices."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sparring.data.items import Items
from sparring.metrics import voices
from sparring.metrics.results import Finding, Number
from sparring.metrics.voices import Floats, Pitches
from sparring.modalities.judge import TrainingData
from sparring.modalities.music import baselines
from sparring.modalities.music.grid import voices_matrix
from sparring.modalities.music.judging import N, Say, ScoresJudge, split_pieces
from sparring.modalities.music.score import Score
from sparring.modalities.music.voices import Music

MAX_WINDOWS = 2000  # of each side of the two-sample test
SHORT, LONG = 4, 8  # beats of the windows that are searched in the training data
TAILS = 0.001  # share of a voice's notes in the training data on each side of its usual range
MANY = 3.0  # parallels per 100 changes more than in real pieces that are a finding


class MusicJudge(ScoresJudge):
    """Compares pitches (steps, voices) with those of held-out pieces."""

    modality: Music

    @property
    def axes(self) -> tuple[str, str]:
        return "intervals", "c2st_auc"

    @property
    def baseline_words(self) -> str:
        return (
            "markov: a first-order chain of the training data's chords; mixed: voices of different pieces; shuffled: "
            "chords in random order"
        )

    @property
    def steps(self) -> int:
        """Steps of the pieces that are compared."""
        return self.modality.window

    def piece(self, score: Score) -> Pitches:
        return voices_matrix(score, self.modality.grid, self.steps)

    def whole(self, score: Score) -> Pitches:
        pitches: Pitches = self.modality.matrix(score)
        return pitches

    def cut(self, pieces: Sequence[Pitches]) -> list[Pitches]:
        return [
            piece[i : i + self.steps] for piece in pieces for i in range(0, len(piece) - self.steps + 1, self.steps)
        ]

    @cached_property
    def baselines(self) -> dict[str, list[Number]]:
        self.say("evaluating the baselines")
        makers = {"markov": baselines.markov, "mixed": baselines.mixed, "shuffled": baselines.shuffled}
        return {name: self.numbers(make(self.train, N, self.steps)) for name, make in makers.items()}

    def own(self, pieces: Sequence[Pitches]) -> list[Number]:
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

    def histograms(self, pieces: Sequence[Pitches]) -> dict[str, Floats]:
        return {
            "pitch_classes": np.mean([_from_root(voices.pitch_classes(p)) for p in pieces], 0),
            "intervals": np.mean([voices.intervals(p) for p in pieces], 0),
            "leaps": np.mean([voices.leaps(p) for p in pieces], 0),
        }

    def seen(self, pieces: Sequence[Pitches]) -> Tensor:
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
        findings = self.usual_findings(numbers, f"copied[{LONG} beats]")
        value, real = ({n.name: n.value for n in side} for side in (numbers, self.floor))
        if value["parallels"] > MANY + real["parallels"]:
            evidence = f"{value['parallels']:.1f} per 100 changes; in real pieces {real['parallels']:.1f}"
            findings.append(Finding("parallel fifths and octaves", evidence, "train longer, or lower the temperature"))
        return findings


def _from_root(shares: Floats) -> Floats:
    """A histogram of pitch classes, rotated so that the major scale that fits best begins at 0."""
    scale = list(voices.SCALE)
    return max((np.roll(shares, -root) for root in range(len(shares))), key=lambda h: float(h[scale].sum()))


def music_judge(
    modality: Music, training: TrainingData, against: Items | None, options: Mapping[str, Any], say: Say
) -> MusicJudge:
    """See `Modality.judge`."""
    train, held = split_pieces(modality, training, against, options, modality.matrix)
    return MusicJudge(modality, train, held, say, training.name)

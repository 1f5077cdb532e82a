"""The judge of piano rolls."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sparring.data.items import Items
from sparring.metrics import rolls
from sparring.metrics.results import Finding, Number
from sparring.modalities.judge import TrainingData
from sparring.modalities.music.judging import N, Say, ScoresJudge, split_pieces
from sparring.modalities.music.rolls import Rolls, in_metre
from sparring.modalities.music.score import Score

Planes = NDArray[np.uint8]
MAX_WINDOWS = 1000  # of each side of the two-sample test
RUN = 2  # bars of the runs that are searched in the training data
OCTAVE = 12


class RollsJudge(ScoresJudge):
    """Compares rolls (2 x tracks, pitches, steps) with held-out ones, from their first bar line on."""

    modality: Rolls

    @property
    def axes(self) -> tuple[str, str]:
        return "note_lengths", "c2st_auc"

    @property
    def baseline_words(self) -> str:
        return "mixed: tracks of different pieces; shuffled: bars in random order"

    def piece(self, score: Score) -> Planes:
        planes, window = self.modality.planes(score), self.modality.window
        short = max(0, window - planes.shape[2])
        return np.pad(planes, ((0, 0), (0, 0), (0, short)))[:, :, :window]

    def whole(self, score: Score) -> Planes:
        return whole(self.modality, score)

    def cut(self, pieces: Sequence[Planes]) -> list[Planes]:
        window = self.modality.window
        return [p[:, :, i : i + window] for p in pieces for i in range(0, p.shape[2] - window + 1, window)]

    @cached_property
    def baselines(self) -> dict[str, list[Number]]:
        self.say("evaluating the baselines")
        random, parts = np.random.default_rng(0), self.cut(self.train)
        mixed, shuffled = [], []
        for _ in range(N):
            tracks = [parts[random.integers(len(parts))][2 * i : 2 * i + 2] for i in range(len(self.modality.slots))]
            mixed.append(np.concatenate(tracks))
            chosen = [parts[random.integers(len(parts))] for _ in range(self.modality.bars)]
            bar = self.modality.bar
            bars = [(part, int(random.integers(self.modality.bars)) * bar) for part in chosen]
            shuffled.append(np.concatenate([part[:, :, begin : begin + bar] for part, begin in bars], 2))
        return {"mixed": self.numbers(mixed), "shuffled": self.numbers(shuffled)}

    def own(self, pieces: Sequence[Planes]) -> list[Number]:
        bar, low = self.modality.bar, self.modality.low
        sounds = [piece[::2] > 0 for piece in pieces]

        def mean(measure: Callable[[rolls.Roll], float]) -> float:
            values = np.array([measure(sound) for sound in sounds])
            return float(values[~np.isnan(values)].mean()) if not np.isnan(values).all() else float("nan")

        copied = rolls.copied_bars(sounds, [piece[::2] > 0 for piece in self.train], bar, RUN)
        begins = np.mean([piece[1::2].sum() / max(1, piece.shape[2] // bar) for piece in pieces])
        return [
            Number("empty_bars", mean(lambda s: rolls.empty_bars(s, bar)), "real", share=True),
            Number("pitch_classes_per_bar", mean(lambda s: rolls.used_pitch_classes(s, bar, low)), "real"),
            Number("notes_per_bar", float(begins), "real"),
            Number("polyphony", mean(rolls.polyphony), "real"),
            Number("in_scale", mean(lambda s: rolls.in_scale(s, low)), "real", share=True),
            Number("self_similarity", mean(lambda s: rolls.self_similarity(s, bar)), "real"),
            Number(f"copied[{RUN} bars]", copied, "real", share=True),
        ]

    def histograms(self, pieces: Sequence[Planes]) -> dict[str, NDArray[np.float64]]:
        bar = self.modality.bar
        lengths = [rolls.note_lengths(p[::2] > 0, p[1::2] > 0, bar) for p in pieces]
        places = [p[1::2].sum((0, 1)).reshape(-1, bar).sum(0) for p in pieces]
        return {
            "note_lengths": np.mean(lengths, 0),
            "places_in_bar": np.mean([place / max(1, place.sum()) for place in places], 0),
        }

    def seen(self, pieces: Sequence[Planes]) -> Tensor:
        """Rolls with their pitch classes, randomly transposed, as sequences (n, channels, steps)."""
        planes = torch.from_numpy(np.stack(self.cut(pieces)[:MAX_WINDOWS]))
        with torch.random.fork_rng([]):
            torch.manual_seed(0)
            x = self.modality.transposed(planes).float()
        classes = torch.nn.functional.one_hot((self.modality.low + torch.arange(x.shape[2])) % OCTAVE, OCTAVE).float()
        chroma = torch.einsum("ntrs,rc->ntcs", x, classes)
        return torch.cat([x.flatten(1, 2), chroma.flatten(1, 2)], 1).to(torch.float16)

    def findings(self, numbers: Sequence[Number]) -> list[Finding]:
        return self.usual_findings(numbers, f"copied[{RUN} bars]")


def whole(modality: Rolls, score: Score) -> Planes:
    """The longest part of a score that is in the metre of the data."""
    begin, end = max(in_metre(score, modality.metre, modality.grid), key=lambda span: span[1] - span[0])
    return modality.planes(score)[:, :, begin:end]


def rolls_judge(
    modality: Rolls, training: TrainingData, against: Items | None, options: Mapping[str, Any], say: Say
) -> RollsJudge:
    """See `Modality.judge`."""
    train, held = split_pieces(modality, training, against, options, partial(whole, modality))
    return RollsJudge(modality, train, held, say, training.name)

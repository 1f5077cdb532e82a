"""The judge of sounds that are generated from given ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from math import isfinite, nan
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from sparring.data.items import Items
from sparring.errors import InputError
from sparring.losses.spectral import mel_distance, mel_scales
from sparring.metrics import recordings
from sparring.metrics.results import Evaluation, Number
from sparring.modalities.audio import drawing
from sparring.modalities.judge import Console, Judge, Sampler, TrainingData
from sparring.modalities.translation.judge import FIRST_PHASE
from sparring.modalities.translation.scores import findings
from sparring.nets.chunks import chunked
from sparring.nets.tiles import Mapper

if TYPE_CHECKING:
    from sparring.modalities.audio_translation.translation import AudioTranslation, Restorer
    from sparring.modalities.base import Modality

MIN_SOUNDS = 2
MAX_SOUNDS = 200  # that are judged unless another number is asked for
MAX_SHOWN = 4  # sounds on the sheet
SHOWN_SECONDS = 2.0
HIGH = ("pesq", "stoi", "si_sdr")  # metrics of which high values are best
PACKAGES = {"pesq": "pesq", "stoi": "pystoi"}  # that compute metrics


def judge_for(
    modality: AudioTranslation,
    training: TrainingData,
    against: Items | None,
    options: Mapping[str, Any],
    say: Callable[[str], None],
) -> AudioTranslationJudge:
    """The judge for a fitted modality; see `Modality.judge`.

    Raises:
        InputError: if the data are not sounds.
    """
    if options.get("features"):
        raise InputError(f"features={','.join(options['features'])} was given, but restored sounds have no features")
    items = training.items if against is None else against
    for note in items.notes:
        say(note)
    if items.kind not in modality.reads:
        raise InputError(f"{items.name!r} holds {items.kind}, but the model takes sounds; give a set of sounds")
    metrics = tuple(name for name in modality.speech_metrics if find_spec(PACKAGES.get(name, "torch")) is not None)
    missing = [PACKAGES[name] for name in modality.speech_metrics if name not in metrics]
    if missing:
        say(f"metrics of speech are left out: {' and '.join(missing)} not installed; pip install 'sparring[speech]'")
    return AudioTranslationJudge(modality, items, against is None, metrics)


@dataclass
class Scores:
    """Scores of one method.

    Attributes:
        values: of each sound, by the name of the metric.
        shown: the first sounds, (samples,) each.
    """

    values: dict[str, list[float]] = field(default_factory=dict)
    shown: list[Tensor] = field(default_factory=list)

    def numbers(self) -> list[Number]:
        """Means over the sounds, with their standard errors."""
        found = []
        for name, values in self.values.items():
            error = stdev(values) / len(values) ** 0.5 if len(values) > 1 else nan
            best = "high" if name.partition("[")[0] in HIGH else "low"
            found.append(Number(name, mean(values) if values else nan, best, error))  # type: ignore[arg-type]
        return found


@dataclass(frozen=True)
class AudioTranslationJudge(Judge):
    """Compares generated sounds with the targets of given ones.

    Attributes:
        modality: that reads the examples.
        items: the sounds, from which the examples are taken.
        trained_on: True if the model was trained on these items, so that only held-out ones are used.
        metrics: names of further metrics.
    """

    modality: AudioTranslation
    items: Items
    trained_on: bool
    metrics: tuple[str, ...] = ()

    @property
    def axes(self) -> tuple[str, str]:
        return "log_spectral_distance", "mel_distance"

    def check(self, modality: Modality) -> None:
        """Check that a model takes and generates sounds like those of this judge's examples.

        Raises:
            InputError: if it does not.
        """
        mine, other = (
            f"from {m.source.words.items} of {m.source.shape}" for m in (self.modality, modality) if m.source
        )
        if mine != other:
            raise InputError(f"these models have different tasks ({mine} and {other}); compare models of the same task")

    def evaluate(self, model: Sampler, n: int | None, seed: int, console: Console) -> Evaluation:  # noqa: ARG002
        """Evaluate at most n sounds, or all up to 200. Nothing is drawn at random.

        Raises:
            InputError: if there are fewer than two.
        """
        methods: dict[str, Restorer] = {"samples": method_of(model.mapper())}
        with suppress(InputError):  # raised if the recipe has no phase without D
            methods[FIRST_PHASE] = method_of(model.mapper(sharpness=0.0))
        methods |= self.modality.baselines()
        with console.progress("evaluating sounds") as progress:
            scores, count = self.score(methods, n or MAX_SOUNDS, lambda done: progress(done, n or MAX_SOUNDS))
        if count < MIN_SOUNDS:
            raise InputError(
                f"{self.items.name!r} has {count} sounds that the model was not trained on (none is held out of fewer "
                "than 20), and an evaluation needs two: give --against DATA"
            )
        tables = {name: part.numbers() for name, part in scores.items() if name != "target"}
        baselines = {name: tables[name] for name in sorted(tables, key=FIRST_PHASE.__eq__) if name != "samples"}
        trivial = {name: values for name, values in baselines.items() if name != FIRST_PHASE}
        return Evaluation(
            data=self.items.name,
            protocol=self.protocol(count),
            samples=count,
            real=count,
            numbers=tuple(tables["samples"]),
            floor=(),
            baselines=baselines,
            findings=tuple(findings(tables["samples"], trivial)),
            picture=self.sheet(scores),
        )

    @torch.no_grad()
    def score(
        self, methods: Mapping[str, Restorer], n: int, progress: Callable[[int], None]
    ) -> tuple[dict[str, Scores], int]:
        """Scores of methods and the first of the targets ("target"), and the number of sounds."""
        scores = {name: Scores() for name in (*methods, "target")}
        count = 0
        for given, target in _first(self.modality.examples(self.items, self.trained_on), n):
            for name, method in methods.items():
                generated = method(given)
                for metric, value in self.measured(generated, target):
                    scores[name].values.setdefault(metric, []).append(value)
                self.show(scores[name], generated)
            self.show(scores["target"], target)
            count += 1
            progress(count)
        leave_out_undefined([scores[name].values for name in methods])
        return scores, count

    def measured(self, generated: Tensor, target: Tensor) -> Iterator[tuple[str, float]]:
        """Metrics of one sound, (1, 1, samples) each."""
        rate = self.modality.rate
        for name in self.metrics:
            if name == "si_sdr":
                yield name, float(recordings.si_sdr(generated, target))
            elif name == "pesq":
                yield f"pesq[{recordings.pesq_mode(rate)}]", recordings.pesq(generated[0, 0], target[0, 0], rate)
            else:
                yield name, recordings.stoi(generated[0, 0], target[0, 0], rate)
        yield "log_spectral_distance", float(recordings.log_spectral_distance(generated, target, rate))
        yield "mel_distance", float(mel_distance(generated, target, mel_scales(rate, self.modality.length)))

    def protocol(self, count: int) -> str:
        """How the metrics are computed, in a sentence."""
        which = "that were held out of training" if self.trained_on else f"of {self.items.name}"
        return (
            f"means over {count:,} whole sounds {which} at {self.modality.rate:,} Hz, stereo mixed to mono, with "
            "standard errors; log_spectral_distance: of log power in decades; mel_distance: of log-mel levels in "
            "nepers, over several sizes of frames; pesq and stoi: over the sounds in which they find speech in all rows"
        )

    def show(self, scores: Scores, sound: Tensor) -> None:
        """Keep the beginning of one of the first sounds for the sheet."""
        if len(scores.shown) < MAX_SHOWN:
            scores.shown.append(sound[0, 0, : round(SHOWN_SECONDS * self.modality.rate)].cpu())

    def sheet(self, scores: Mapping[str, Scores]) -> Image.Image:
        """Some sounds, a row each: the results of each method, and the target."""
        names = [name for name in scores if name not in ("samples", "target")] + ["samples", "target"]
        rows = [list(row) for row in zip(*(scores[name].shown for name in names), strict=True)]
        longest = max(len(sound) for row in rows for sound in row)
        waves = [np.pad(sound.numpy(), (0, longest - len(sound))) for row in rows for sound in row]
        pictures = drawing.pictures(np.stack(waves)[..., None].clip(-1, 1), self.modality.rate)
        titles = [{"samples": "generated"}.get(name, name) for name in names] * len(rows)
        return drawing.grid(pictures, len(names), self.modality.rate, longest / self.modality.rate, titles)


def leave_out_undefined(methods: Sequence[dict[str, list[float]]]) -> None:
    """Leave out of each metric the sounds for which it is undefined for one of the methods, so that all methods are
    compared on the same sounds.
    """
    for name in methods[0]:
        columns = list(zip(*(values[name] for values in methods), strict=True))
        kept = [i for i, column in enumerate(columns) if all(map(isfinite, column))]
        for values in methods:
            values[name] = [values[name][i] for i in kept]


def method_of(mapper: Mapper) -> Restorer:
    """A model as a method, chunk by chunk as `apply` uses it."""
    return lambda given: torch.cat(list(chunked(mapper, [given])), -1)


def _first(examples: Iterator[tuple[Tensor, Tensor]], n: int) -> Iterator[tuple[Tensor, Tensor]]:
    for _, example in zip(range(n), examples, strict=False):
        yield example

"""A real data set as the reference of an evaluation, with the metrics of real items (the floor) and of a trivial
generator (the baseline).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from functools import cached_property
from math import nan, prod
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from sparring.data.tensors import VALUES, move
from sparring.errors import InputError
from sparring.evaluation import cache
from sparring.evaluation.baseline import NormalBaseline
from sparring.evaluation.classifier import Classifier, accuracy, train_classifier
from sparring.evaluation.features import CLASSIFIER, Features
from sparring.evaluation.real import Real
from sparring.evaluation.statistics import MAX_KEPT, SampleStatistics
from sparring.json_files import build, parse_json
from sparring.metrics import classes, copies
from sparring.metrics.frechet import Moments, frechet
from sparring.metrics.kernel import kernel_distance
from sparring.metrics.neighbours import neighbours, radii
from sparring.metrics.results import Number

MAX_REFERENCE = 50_000  # real items that samples are compared with
MAX_COPY_CHECKS = 1000  # samples that are compared with every training item, to find copies
MAX_NUMBERS = 2**25  # in these samples
IDENTIFYING_ITEMS = 16  # items whose features identify these in the cache
VERSION = 3  # of the protocol and the names of its metrics
Say = Callable[[str], None]


class Reference:
    """Compares samples with a real data set.

    Args:
        real: the data set.
        features: that metrics are computed with.
        classifier: of its classes, if it has any.
        n: number of samples that will be evaluated. If the data set is large enough, n of its items are evaluated in
            the same way, for the floor.
        device: where features are computed.
        say: receives progress messages.

    Attributes:
        rows: real items that samples are compared with.
        unseen: other real items, which are evaluated in place of samples.
    """

    def __init__(
        self,
        real: Real,
        features: Sequence[Features],
        classifier: Classifier | None,
        n: int,
        device: torch.device | str = "cpu",
        say: Say = lambda _: None,
    ) -> None:
        self.real, self.features, self.say, self.device = real, list(features), say, device
        self.classifier = None if classifier is None else classifier.to(device)
        self.rows, self.unseen = real.parts(n, MAX_REFERENCE)
        size = prod(real.modality.shape)
        self.max_copy_checks = max(8, min(MAX_COPY_CHECKS, MAX_NUMBERS // size))
        # Samples that a classifier is trained on, for the classification accuracy score.
        self.max_trained_on = min(MAX_KEPT, 8 * MAX_NUMBERS // size)

    def statistics(self, first: int = 0) -> SampleStatistics:
        """Empty statistics for samples of this kind, of which `first` are evaluated elsewhere."""
        items = self.max_copy_checks if self.classifier is None else self.max_trained_on
        return SampleStatistics(self.features, self.classifier, self.real.modality, items, self.device, first)

    @cached_property
    def real_statistics(self) -> SampleStatistics:
        """Statistics of the real items that samples are compared with."""
        place = self._place("reference", "safetensors")
        if stored := cache.recall(place):
            with suppress(SafetensorError, KeyError, RuntimeError):  # damaged
                return self.statistics().restore(safetensors.torch.load(stored))
        self.say(f"computing features of {len(self.rows):,} real {self._samples}")
        statistics = self.statistics().add_all(self.real.batches(self.rows))
        cache.keep(place, safetensors.torch.save({name: t.contiguous() for name, t in statistics.tensors().items()}))
        return statistics

    @cached_property
    def floor(self) -> list[Number]:
        """Metrics of unseen real items in place of samples."""
        return self._cached("real", self._floor)

    @cached_property
    def baseline(self) -> list[Number]:
        """Metrics of samples from a normal distribution."""
        return self._cached("baseline", self._baseline)

    @cached_property
    def _unseen_statistics(self) -> SampleStatistics:
        self.say(f"evaluating {len(self.unseen):,} real {self._samples}")
        return self.statistics().add_all(self.real.batches(self.unseen))

    @cached_property
    def _unseen_distances(self) -> dict[str, Tensor]:
        """Distances of unseen real items to the nearest reference item in each of the features, (n,) each."""
        place = self._place("distances", "safetensors")
        if stored := cache.recall(place):
            with suppress(SafetensorError):  # damaged
                return safetensors.torch.load(stored)
        distances = {f.name: self._feature_distances(f.name, self._unseen_statistics) for f in self.features}
        cache.keep(place, safetensors.torch.save(distances))
        return distances

    def _feature_distances(self, name: str, samples: SampleStatistics) -> Tensor:
        return copies.nearest(samples.kept(name), self.real_statistics.kept(name))[0]

    @property
    def _samples(self) -> str:
        return self.real.modality.words.trained

    def _place(self, what: str, suffix: str) -> Path:
        """A path in the user's cache, for these rows of these data and these features."""
        digest = hashlib.blake2b(
            f"{VERSION} {self.real.data.fingerprint} {self.real.modality}".encode(), digest_size=12
        )
        for rows in (self.rows, self.unseen, self.real.data.train):
            digest.update(rows.numpy().tobytes())
        digest.update(self._features_identity)
        return cache.place(f"{what}-{digest.hexdigest()}.{suffix}")

    @cached_property
    def _features_identity(self) -> bytes:
        """Names and values of the features of a few items: another network of the same name has other values."""
        x, _ = next(iter(self.real.batches(self.rows[:IDENTIFYING_ITEMS])))
        x = move(x, torch.device(self.device))
        values = [(f.name, f.compute(x).float().cpu().numpy().round(3)) for f in self.features]
        return b"".join(name.encode() + array.tobytes() for name, array in values)

    def _cached(self, what: str, compute: Callable[[], list[Number]]) -> list[Number]:
        """Metrics from the cache, computed if they are not there."""
        place = self._place(what, "json")
        if stored := cache.recall(place):
            with suppress(InputError):  # damaged
                numbers = parse_json(stored, list[dict[str, Any]], str(place))
                return [build(Number, number, str(place)) for number in numbers]
        computed = compute()
        cache.keep(place, json.dumps([asdict(number) for number in computed]).encode())
        return computed

    def _floor(self) -> list[Number]:
        unseen = self._unseen_statistics
        rows = self.rows[: len(self.unseen)][: self.max_trained_on]
        cas = self._classification_accuracy(self.real.data.part(VALUES, rows), self.real.labels(rows))
        return self._distribution_metrics(unseen) + cas + self._copy_metrics(self._held_distances)

    def _baseline(self) -> list[Number]:
        self.say(f"evaluating {len(self.unseen):,} samples of a normal distribution")
        baseline = NormalBaseline(self.real, self.rows)
        return self.numbers(self.statistics().add_all(baseline.batches(len(self.unseen))))

    def numbers(self, samples: SampleStatistics) -> list[Number]:
        """All metrics of generated samples."""
        cas = self._classification_accuracy(samples.items[: len(self.unseen)], samples.labels)
        copied = self._copy_metrics(self._training_distances(samples.items[: self.max_copy_checks]))
        return self._distribution_metrics(samples) + cas + copied

    def _distribution_metrics(self, samples: SampleStatistics) -> list[Number]:
        numbers = [number for f in self.features for number in self._feature_metrics(f.name, samples)]
        if self.classifier is not None:
            numbers += self._class_metrics(samples)
        if self.real_statistics.sharpness:
            numbers.append(Number("sharpness", samples.sharpness / self.real_statistics.sharpness, "real"))
        return numbers

    def _feature_metrics(self, name: str, samples: SampleStatistics) -> list[Number]:
        real, fake = self.real_statistics.kept(name), samples.kept(name)
        distance = kernel_distance(real, fake)
        near = neighbours(real[: len(fake)], fake, reach=self._radii(name, len(fake)))
        copied = copies.memorization(self._feature_distances(name, samples), self._unseen_distances[name])
        spread = copies.diversity(fake, fake.roll(1, 0)) / max(1e-12, copies.diversity(real, real.roll(1, 0)))
        return [
            Number(f"fid[{name}]", frechet(samples.summed[name].moments(), self._moments(name)), "low"),
            Number(f"kid[{name}]", distance.value, "low", distance.error),
            Number(f"precision[{name}]", near.precision, "high"),
            Number(f"recall[{name}]", near.recall, "high"),
            Number(f"density[{name}]", near.density, "high"),
            Number(f"coverage[{name}]", near.coverage, "high"),
            Number(f"diversity[{name}]", spread, "real"),
            Number(f"memorization[{name}]", copied, "real"),
        ]

    @cached_property
    def _computed_radii(self) -> dict[tuple[str, int], Tensor]:
        return {}

    def _radii(self, name: str, n: int) -> Tensor:
        """Radii of the balls around the first n real items; they depend on n."""
        if (name, n) not in self._computed_radii:
            self._computed_radii[name, n] = radii(self.real_statistics.kept(name)[:n])
        return self._computed_radii[name, n]

    def _moments(self, name: str) -> Moments:
        return self.real_statistics.summed[name].moments()

    def _class_metrics(self, samples: SampleStatistics) -> list[Number]:
        real = self.real_statistics
        score = classes.inception_score(samples.probabilities)
        name = next((f.name for f in self.features if f.name != CLASSIFIER), CLASSIFIER)
        spread, real_spread = (
            classes.class_diversity(s.kept(name), s.probabilities.argmax(1)) for s in (samples, real)
        )
        m = min(len(spread), len(real_spread))
        numbers = [
            Number("is[classifier]", score.value, "high", score.deviation),
            Number("classes_covered[classifier]", classes.mode_coverage(samples.counts).modes, "high"),
            Number("class_imbalance[classifier]", classes.imbalance(samples.counts, real.counts), "low", share=True),
            Number(f"class_diversity[{name}]", float((spread[:m] / real_spread[:m]).nanmean()), "real"),
        ]
        if samples.labels is not None:
            correct = samples.correct / samples.n
            numbers.append(Number("conditional_accuracy[classifier]", correct, "high", share=True))
        return numbers

    def _classification_accuracy(self, items: Tensor, labels: Tensor | None) -> list[Number]:
        """Accuracy on real items of a classifier that was trained on samples. Ravuri and Vinyals 2019,
        arXiv:1905.10887 (CAS).
        """
        if self.classifier is None or labels is None:
            return []
        scale = self.real.modality.scale
        self.say(f"training a classifier on {len(items):,} samples")
        net = train_classifier(
            self.real.modality.shape, self.classifier.classes, len(items), lambda i: (scale(items[i]), labels[i])
        )
        return [Number("cas[classifier]", accuracy(net, self.real.batches(self.unseen)), "high", share=True)]

    def _copy_metrics(self, distances: Tensor) -> list[Number]:
        """Metrics of the distances to the nearest training item. No held-out item is a copy."""
        numbers = []
        if self.real.modality.classifier_input is not None:  # the threshold is one for values of images
            near = float((distances < copies.NEAR).float().mean()) if len(distances) else nan
            numbers.append(Number("near_copy_share", near, "real", share=True))
        held = self._held_distances
        value = copies.memorization(distances, held) if len(distances) and len(held) else nan
        return [*numbers, Number("memorization", value, "real")]

    @cached_property
    def _held_distances(self) -> Tensor:
        """Distances of held-out items to the nearest training item."""
        n = min(self.max_copy_checks, len(self.real.data.held), len(self.unseen))
        return self._training_distances(self.real.data.part(VALUES, self.unseen[:n])) if n else torch.zeros(0)

    def _training_distances(self, items: Tensor) -> Tensor:
        """Distances of encoded items to the nearest training item, (n,)."""
        scale, best = self.real.modality.scale, torch.full((len(items),), torch.inf)
        scaled = scale(items)
        for part in torch.split(self.real.data.train, max(1, MAX_NUMBERS // scaled[0].numel())):
            best = best.minimum(copies.nearest(scaled, scale(self.real.data.part(VALUES, part)))[0])
        return best

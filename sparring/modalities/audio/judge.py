"""The judge of sounds: samples next to held-out recordings and three trivial generators."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import nan
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from sparring.data.items import Items
from sparring.data.store import Stored
from sparring.errors import InputError
from sparring.metrics import copies, sounds
from sparring.metrics.frechet import frechet, moments
from sparring.metrics.kernel import kernel_distance
from sparring.metrics.neighbours import K, neighbours
from sparring.metrics.results import Evaluation, Finding, Number
from sparring.modalities.audio import baselines, dnsmos, drawing, spectra
from sparring.modalities.audio.classifier import Classifier, train_classifier
from sparring.modalities.audio.decoding import FULL_SCALE
from sparring.modalities.judge import Console, Judge, Sampler, TrainingData

if TYPE_CHECKING:
    from sparring.modalities.audio.audio import Audio
    from sparring.modalities.base import Modality

Say = Callable[[str], None]
MAX_TRAINING = 4000  # training sounds that samples are compared with
MAX_UNSEEN = 1000
MIN_SOUNDS = 24  # of a data set; with fewer nothing is held out
MIN_UNSEEN = 12
MIN_SAMPLES = 200  # that are evaluated unless given
CANDIDATES = 8  # training sounds with similar levels, with which a sample is aligned
MAX_RATED = 40  # sounds that DNSMOS rates
DIMENSIONS = 32  # principal components of the levels of unlabeled sounds
EXCESS = 0.1  # share of samples with an artifact, in addition to twice that of real sounds, that is a finding
MIN_DIVERSITY = 0.5  # relative to real sounds
MIN_AGREEMENT = 0.6  # relative to real sounds
PICTURE_ROWS = 3


@dataclass(frozen=True)
class Sounds:
    """Sounds that are compared.

    Attributes:
        waves: (n, channels, length), with the loudest real ones at full scale.
        labels: their classes, (n,), or None.
    """

    waves: Tensor
    labels: Tensor | None

    def __len__(self) -> int:
        return len(self.waves)

    def first(self, n: int) -> Sounds:
        return Sounds(self.waves[:n], None if self.labels is None else self.labels[:n])


class AudioJudge(Judge):
    """Compares samples with sounds that the model has not seen.

    Args:
        modality: fitted to the data, for waveforms.
        train, unseen: sounds that the model was trained on, and others.
        held: False if the unseen sounds were trained on after all, because there are too few.
        say: receives progress messages.
        name: of the data.
    """

    def __init__(
        self, modality: Audio, train: Sounds, unseen: Sounds, held: bool, say: Say = lambda _: None, name: str = ""
    ) -> None:
        self.modality, self.train, self.unseen, self.held = modality, train, unseen, held
        self.say, self.name = say, name

    @property
    def features_name(self) -> str:
        return "mels" if self.train.labels is None else "classifier"

    @property
    def axes(self) -> tuple[str, str]:
        return f"coverage[{self.features_name}]", f"precision[{self.features_name}]"

    def check(self, modality: Modality) -> None:
        if modality.sample_shape != self.modality.sample_shape:
            own, other = self.modality.sample_shape, modality.sample_shape
            raise InputError(f"these runs generate sounds of different sizes ({own} and {other}); compare equal ones")

    def evaluate(self, model: Sampler, n: int | None, seed: int, console: Console) -> Evaluation:
        count = n or max(MIN_SAMPLES, len(self.unseen))
        if count < MIN_UNSEEN:
            raise InputError(f"{count} sounds are too few to evaluate; give at least {MIN_UNSEEN}")
        console.say(f"evaluating {count:,} sounds")
        return self._evaluation(self.sounds_of(model.sample(count, seed=seed)))

    def evaluate_items(self, items: Items, console: Console) -> Evaluation:
        """As real sounds are read: at the rate of the data, and with the peak of each at full scale."""
        samples = _joined(*_split(self.modality, items))
        if len(samples) < MIN_UNSEEN:
            raise InputError(f"{items.name!r} has {len(samples)} sounds; evaluating needs at least {MIN_UNSEEN}")
        console.say(f"evaluating {len(samples):,} sounds")
        return self._evaluation(samples)

    def _evaluation(self, samples: Sounds) -> Evaluation:
        floor, trivial, count = self.floor, self.baselines, len(samples)
        numbers = self.numbers(samples)
        part = "held-out" if self.held else "training (too few to hold some out)"
        return Evaluation(
            data=self.name,
            protocol=(
                f"{count:,} sounds compared with {len(self.train):,} training sounds; real: {len(self.unseen):,} "
                f"{part} sounds; distances, precision and coverage: as many of each; other_gain: training sounds at "
                "another level; spliced: halves of two training sounds; shaped_noise: noise with their mean spectrum "
                "and envelopes; artifacts: stronger than in 99% of the training sounds"
            ),
            samples=count,
            real=len(self.unseen),
            numbers=tuple(numbers),
            floor=tuple(floor),
            baselines=trivial,
            findings=tuple(self.findings(numbers)),
            picture=self.picture(samples),
        )

    def sounds_of(self, samples: Any) -> Sounds:
        """Samples in the user's units as they are compared."""
        waves = torch.from_numpy(np.ascontiguousarray(samples.items.transpose(0, 2, 1))) / self.modality.gain
        labels = None if samples.labels is None else torch.from_numpy(np.asarray(samples.labels))
        return Sounds(waves, labels)

    @cached_property
    def classifier(self) -> Classifier | None:
        if self.train.labels is None:
            return None
        self.say("training a classifier of the sounds")
        classes = len(self.modality.classes)
        return train_classifier(self.train.waves, self.train.labels, classes, self.modality.rate)

    def features(self, of: Sounds) -> tuple[Tensor, Tensor | None]:
        """Features (n, d), and the classes that the classifier predicts if there is one."""
        if self.classifier is not None:
            return self.classifier.of(of.waves, self.modality.rate)
        parts = of.waves.split(64)  # type: ignore[no-untyped-call]
        levels = [spectra.features(self.levels(part)) for part in parts]
        return self._project(torch.cat(levels)), None

    def levels(self, waves: Tensor) -> Tensor:
        return spectra.levels(waves, self.modality.rate, spectra.FINE_BANDS)

    def _project(self, features: Tensor) -> Tensor:
        mean, axes = self._axes
        return (features - mean) @ axes

    @cached_property
    def _axes(self) -> tuple[Tensor, Tensor]:
        """Mean of the features of training sounds, and their principal axes, scaled to a variance of one in sum."""
        parts = self.train.waves.split(64)  # type: ignore[no-untyped-call]
        features = torch.cat([spectra.features(self.levels(part)) for part in parts])
        mean = features.mean(0)
        _, _, axes = torch.linalg.svd(features - mean, full_matrices=False)
        scale = (features - mean).square().sum(1).mean().sqrt()
        return mean, axes[:DIMENSIONS].T / scale

    @cached_property
    def _train_features(self) -> Tensor:
        return self.features(self.train)[0]

    @cached_property
    def floor(self) -> list[Number]:
        """Metrics of the unseen sounds."""
        self.say(f"evaluating {len(self.unseen):,} real sounds")
        return self.numbers(self.unseen)

    @cached_property
    def baselines(self) -> dict[str, list[Number]]:
        """Metrics of three trivial generators."""
        self.say("evaluating the baselines")
        n, waves, labels = len(self.unseen), self.train.waves, self.train.labels
        made = {
            "other_gain": baselines.other_gain(waves, n),
            "spliced": baselines.spliced(waves, labels, n),
            "shaped_noise": baselines.shaped_noise(waves, n),
        }
        return {
            name: self.numbers(Sounds(x, None if labels is None else labels[rows])) for name, (x, rows) in made.items()
        }

    def numbers(self, samples: Sounds) -> list[Number]:
        """All metrics of sounds."""
        features, predicted = self.features(samples)
        name, m = self.features_name, min(len(self.unseen), len(samples))
        ours, reference = features[:m], self._train_features[: 4 * m]
        distance = kernel_distance(ours, reference)
        numbers = [
            Number(f"fid[{name}]", frechet(moments(ours), moments(reference)), "low"),
            Number(f"kid[{name}]", distance.value, "low", distance.error),
        ]
        if m > K + 1:
            found = neighbours(self._train_features[:m], ours)
            numbers += [
                Number(f"{metric}[{name}]", getattr(found, metric), "high", share=True)
                for metric in ("precision", "recall", "density", "coverage")
            ]
        spread = copies.diversity(ours, ours.roll(1, 0)) / max(1e-9, self._real_diversity)
        numbers.append(Number(f"diversity[{name}]", spread, "real"))
        if predicted is not None and samples.labels is not None:
            correct = float((predicted == samples.labels).float().mean())
            numbers.append(Number("conditional_accuracy[classifier]", correct, "high", share=True))
        spectral = sounds.spectral_distance(samples.waves[:m], self.train.waves[: 4 * m], self.modality.rate)
        numbers.append(Number("spectral_distance", spectral, "low"))
        near = self.nearest_correlation(samples.first(m))
        numbers += [
            Number("nearest_correlation", float(near.median()), "real"),
            Number("near_copy_share", float((near >= sounds.COPY).float().mean()), "real", share=True),
        ]
        shares = sounds.artifact_shares(sounds.artifacts(samples.waves), self._limits)
        numbers += [Number(f"artifacts[{kind}]", share, "real", share=True) for kind, share in shares.items()]
        if dnsmos.installed():
            rated = dnsmos.overall(samples.waves[:MAX_RATED], self.modality.rate)
            numbers.append(Number("dnsmos", float(rated.mean()), "high", float(rated.std() / len(rated) ** 0.5)))
        return numbers

    @cached_property
    def _real_diversity(self) -> float:
        features = self.features(self.unseen)[0]
        return copies.diversity(features, features.roll(1, 0))

    @cached_property
    def _limits(self) -> dict[str, float]:
        return sounds.artifact_limits(sounds.artifacts(self.train.waves))

    @cached_property
    def _train_levels(self) -> Tensor:
        return self._fine(self.train.waves)

    def _fine(self, waves: Tensor) -> Tensor:
        parts = [self.levels(part) for part in waves.split(64)]  # type: ignore[no-untyped-call]
        return spectra.pooled(torch.cat(parts), spectra.FINE_BANDS, spectra.FINE_SEGMENTS).flatten(1)

    def nearest_correlation(self, samples: Sounds) -> Tensor:
        """Correlation of each sound with the most similar training sound at the best alignment, (n,). Those with the
        most similar levels are tried.
        """
        distances = copies.pairwise_distances(self._fine(samples.waves), self._train_levels)
        candidates = distances.topk(min(CANDIDATES, len(self.train)), dim=1, largest=False).indices
        mono, train = samples.waves.mean(1), self.train.waves.mean(1)
        best = [
            sounds.aligned_correlation(sound[None], train[rows]).max()
            for sound, rows in zip(mono, candidates, strict=True)
        ]
        return torch.stack(best)

    def findings(self, numbers: Sequence[Number]) -> list[Finding]:
        """Problems of samples; [] if nothing stands out."""
        value, floor = ({n.name: n.value for n in of} for of in (numbers, self.floor))
        noise = {n.name: n.value for n in self.baselines["shaped_noise"]}
        findings = []
        fid, diversity = f"fid[{self.features_name}]", f"diversity[{self.features_name}]"
        if value[fid] > noise[fid]:
            evidence = f"{fid} {value[fid]:.3g}, shaped noise {noise[fid]:.3g}"
            findings.append(Finding("worse than the baseline", evidence, "train longer"))
        if value[diversity] < MIN_DIVERSITY:
            evidence = f"{diversity} {value[diversity]:.2f}, real sounds 1"
            findings.append(Finding("mode collapse", evidence, "train with a larger gamma, or more sounds"))
        accuracy = "conditional_accuracy[classifier]"
        if value.get(accuracy, 1.0) < MIN_AGREEMENT * floor.get(accuracy, nan):
            evidence = (
                f"a classifier recognizes the class of {value[accuracy]:.0%}, of real sounds {floor[accuracy]:.0%}"
            )
            findings.append(Finding("wrong classes", evidence, "train longer"))
        if value["near_copy_share"] > EXCESS + 2 * floor["near_copy_share"]:
            evidence = f"{value['near_copy_share']:.0%} are nearly the waveform of a training sound"
            findings.append(Finding("copies", evidence, "train on more sounds, or for fewer steps"))
        for name in (name for name in value if name.startswith("artifacts[")):
            if value[name] > EXCESS + 2 * floor[name]:
                kind = name.removeprefix("artifacts[").removesuffix("]")
                evidence = f"{value[name]:.0%} of the samples, real sounds {floor[name]:.0%}"
                findings.append(Finding(ARTIFACTS[kind], evidence, "train longer, or with another recipe"))
        return findings

    def picture(self, samples: Sounds) -> Any:
        """Samples, and real sounds of the same classes below each row."""
        columns = min(8, len(self.modality.classes) or 8, len(samples), len(self.unseen))
        rows = []
        for i in range(PICTURE_ROWS):
            part = range(i * columns, (i + 1) * columns)
            rows += [(samples, index % len(samples), "sample") for index in part]
            rows += [(self.unseen, self._like(samples, index % len(samples), index), "real") for index in part]
        waves = torch.stack([of.waves[index] for of, index, _ in rows])
        items = (waves * self.modality.gain).permute(0, 2, 1).numpy()
        names = [f"{what} {self._class_of(of, index)}".strip() for of, index, what in rows]
        images = drawing.pictures(items, self.modality.rate)
        return drawing.grid(images, columns, self.modality.rate, self.modality.duration, names)

    def _like(self, samples: Sounds, index: int, number: int) -> int:
        """The index of an unseen sound of the class of a sample."""
        if samples.labels is None or self.unseen.labels is None:
            return number % len(self.unseen)
        same = torch.nonzero(self.unseen.labels == samples.labels[index])[:, 0]
        return int(same[number % len(same)]) if len(same) else number % len(self.unseen)

    def _class_of(self, of: Sounds, index: int) -> str:
        return "" if of.labels is None else self.modality.classes[int(of.labels[index])]


ARTIFACTS = {
    "lines": "stationary lines in the spectrum",
    "mirrors": "mirror images in the spectrum",
    "clicks": "clicks",
    "offset": "an offset (DC)",
    "clipped": "clipping",
    "silence": "silence",
}


def audio_judge(
    modality: Audio, training: TrainingData, against: Items | None, options: Mapping[str, Any], say: Say
) -> AudioJudge:
    """See `Modality.judge`."""
    if features := options.get("features"):
        raise InputError(f"features={features[0]} is not for sounds, which have their own metrics; remove --features")
    items = training.items
    training.check_unchanged(modality.words.items)
    wave = replace(modality, form="wave")
    train, unseen = _split(wave, items)
    if against is not None:
        unseen = _joined(*_split(wave, against))
    held = len(unseen) >= MIN_UNSEEN
    if not held:
        if len(train) < MIN_SOUNDS:
            raise InputError(f"{training.source} has {len(train)} sounds; evaluating needs at least {MIN_SOUNDS}")
        unseen = Sounds(train.waves[::3], None if train.labels is None else train.labels[::3])
    return AudioJudge(wave, train, unseen.first(MAX_UNSEEN), held, say, training.name)


def _split(modality: Audio, items: Items) -> tuple[Sounds, Sounds]:
    """Sounds that the model was trained on, and held-out ones, each in random order."""
    encoded = modality.encode(items)
    split = modality.split(items, encoded.readable)
    known = items.labels is not None and items.classes == modality.classes
    labels = torch.from_numpy(items.labels) if known else None
    parts = []
    for rows in split.samples(encoded.items):
        order = torch.from_numpy(rows)[torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))]
        own = None if labels is None else labels[torch.from_numpy(encoded.items)[order]]
        parts.append(Sounds(_loaded(encoded.values, order[:MAX_TRAINING]), own).first(MAX_TRAINING))
    return parts[0], parts[1]


def _joined(a: Sounds, b: Sounds) -> Sounds:
    labels = None if a.labels is None or b.labels is None else torch.cat([a.labels, b.labels])
    return Sounds(torch.cat([a.waves, b.waves]), labels)


def _loaded(values: Tensor | Stored, rows: Tensor) -> Tensor:
    tensor = values.map()[1] if isinstance(values, Stored) else values
    return tensor[rows].float() / FULL_SCALE

"""The judge of every kind of data that declares none: it compares samples with real data in features."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import torch
from torch import Tensor

from sparring.data.items import Items
from sparring.data.tensors import CONDITION, VALUES, Tensors
from sparring.errors import InputError
from sparring.evaluation.condition_check import ConditionCheck, condition_check
from sparring.evaluation.distance import BATCH_SIZE
from sparring.evaluation.features import choose_features, default_features, missing_features
from sparring.evaluation.findings import findings
from sparring.evaluation.ranks import Ranks
from sparring.evaluation.real import Real, read
from sparring.evaluation.reference import MAX_REFERENCE, Reference
from sparring.evaluation.statistics import MAX_KEPT, SampleStatistics
from sparring.metrics.results import Evaluation, Number
from sparring.modalities import Modality
from sparring.modalities.judge import Console, Judge, Sampler, TrainingData

DEFAULT_SAMPLES = 10_000
MAX_SAMPLES = 10_000_000  # more take days and change no digit
MIN_SAMPLES = 6
Draw = Callable[[int, int], Iterable[tuple[Tensors, Tensor | None]]]  # a number of samples from the first one on
RECONSTRUCTED = "; reconstruction: the same other real ones, encoded and decoded by the model"


class FeatureJudge(Judge):
    """Evaluates samples by features, and by a classifier of the data's classes if they are labeled images.

    Args:
        modality: of the model.
        training: the data that the model was trained on.
        against: other real data; None to use the training data.
        features: names, as `choose_features` takes them.
        device: where features are computed.
        console: shows messages and progress.
        ranks: the processes that evaluate the samples together.

    Raises:
        InputError: if the data cannot be found or read, are of another kind, or too few.
    """

    def __init__(
        self,
        modality: Modality,
        training: TrainingData,
        against: Items | None,
        features: Sequence[str],
        device: torch.device,
        console: Console,
        ranks: Ranks | None = None,
    ) -> None:
        self.ranks = ranks or Ranks()
        items = training.items if against is None else against
        with console.progress(f"reading {items.name}") as progress:
            self.real, notes = self.ranks.after_first(lambda: read(modality, items, progress))
        if against is None and items.total != training.count:
            notes.append(
                f"{training.source} had {modality.words.count(training.count)} when the model was trained and has "
                f"{items.total:,} now, so that items that count as held out may have been trained on"
            )
        notes += [missing] if not features and (missing := missing_features(self.real)) else []
        for note in notes:
            console.say(note)
        self.names, self.device, self.console = tuple(features), device, console
        self._references: dict[int, Reference] = {}

    @property
    def axes(self) -> tuple[str, str]:
        first = next(iter(self._references.values())).features[0].name if self._references else self._default
        return f"coverage[{first}]", f"precision[{first}]"

    @property
    def _default(self) -> str:
        return default_features(self.real)[0]

    def check(self, modality: Modality) -> None:
        own, other = self.real.modality.shape, modality.shape
        if own != other:
            raise InputError(f"samples have shape {other}, but the data {self.real.name!r} are read with shape {own}")

    def evaluate(self, model: Sampler, n: int | None, seed: int, console: Console) -> Evaluation:
        count = sample_count(self.real, n)
        check = self.ranks.after_first(lambda: self._check_of(model.modality, count))
        return self._evaluation(
            lambda first, n: model.stream(n, seed=seed, first=first), bool(model.modality.classes), count,
            lambda: self._reconstructed(model, self._reference(count)), check, console, model.fields,
        )  # fmt: skip

    def evaluate_items(self, items: Items, console: Console) -> Evaluation:
        """As networks would see them. Their labels are used if the real data have the same classes."""
        if self.real.modality.source is not None:
            return super().evaluate_items(items, console)
        with console.progress(f"reading {items.name}") as progress:
            given, notes = read(self.real.modality, items, progress, MIN_SAMPLES)
        for note in notes:
            console.say(note)
        count, classes = len(given.data.train) + len(given.data.held), self.real.modality.classes
        labeled = bool(classes) and given.modality.classes == classes
        return self._evaluation(
            lambda first, n: given.batches(torch.arange(first, first + n)), labeled, sample_count(self.real, count),
            list, None, console, {},
        )  # fmt: skip

    def _evaluation(
        self,
        draw: Draw,
        labeled: bool,
        count: int,
        reconstructed: Callable[[], list[Number]],
        check: ConditionCheck | None,
        console: Console,
        fields: Mapping[str, object],
    ) -> Evaluation:
        """The evaluation of samples and their conditions, on all ranks.

        Args:
            labeled: True if the conditions are classes.
            count: number of samples.
            reconstructed: returns metrics of reconstructions, if there are any.
            check: of the conditions, if they are values of columns.
            fields: names and values of the fields of the recipe; {} if there is none.
        """
        self.ranks.after_first(lambda: self._reference(count))
        samples = self._statistics(draw, labeled, count, check, console)
        found = None if self.ranks.rank else self._result(samples, count, reconstructed(), check, fields)
        shared = self.ranks.share(found)
        assert shared is not None
        return shared

    def _statistics(
        self, draw: Draw, labeled: bool, count: int, check: ConditionCheck | None, console: Console
    ) -> SampleStatistics:
        """The statistics of all samples; on the other ranks than the first, of none."""
        reference, parts = self._reference(count), self.ranks.parts(count, self.real.modality.chunk_size)
        samples, own, total = reference.statistics(), list[dict[str, Tensor]](), sum(n for _, n in parts)
        with console.progress(f"evaluating {count:,} samples") as progress:
            done = 0
            for first, n in parts:
                part = reference.statistics(first)
                for batch, condition in draw(first, n):
                    part.add(batch, condition if labeled else None)
                    if check is not None and condition is not None:
                        check.add(batch[VALUES], condition)
                    progress(done + part.n, total)
                done += n
                if self.ranks.rank:
                    own.append(part.whole())
                else:  # its parts are the first ones
                    samples.append(part)
        seen = [] if check is None else check.seen
        for tensors, others in self.ranks.gather((own, seen))[1:]:
            for each in tensors:
                samples.append(reference.statistics().restore(each))
            seen += others
        return samples

    def _result(
        self,
        samples: SampleStatistics,
        count: int,
        again: list[Number],
        check: ConditionCheck | None,
        fields: Mapping[str, object],
    ) -> Evaluation:
        reference = self._reference(count)
        floor, baseline = reference.floor, reference.baseline
        numbers, found = reference.numbers(samples), []
        if check is not None:
            numbers, floor, baseline = [*numbers, *check.numbers()], [*floor, *check.floor], [*baseline, *check.chance]
            found = check.findings(check.numbers())
        return Evaluation(
            data=self.real.name,
            protocol=protocol(reference, count) + (RECONSTRUCTED if again else ""),
            samples=count,
            real=len(reference.unseen),
            numbers=tuple(numbers),
            floor=tuple(floor),
            baselines={"baseline": baseline} | ({"reconstruction": again} if again else {}),
            findings=(*findings(reference, samples, numbers, fields), *found),
        )

    def _reconstructed(self, model: Sampler, reference: Reference) -> list[Number]:
        """Metrics of unseen real items that the model has encoded and decoded; none if it has no autoencoder."""
        reconstruct, modality = model.autoencoder(), self.real.modality
        if reconstruct is None:
            return []
        if model.modality.condition and model.modality.condition != modality.condition:
            self.console.say("reconstructions are not evaluated: they need the labels that the model was trained with")
            return []
        samples = reference.statistics()
        with self.console.progress("evaluating reconstructions") as progress:
            for rows in torch.split(reference.unseen, BATCH_SIZE):
                batch = modality.batch(self.real.data.items(rows))
                again = reconstruct(batch[VALUES], batch.get(CONDITION) if model.modality.condition else None)
                samples.add({VALUES: again}, self.real.labels(rows))
                progress(samples.n, len(reference.unseen))
        return reference.numbers(samples)

    def _check_of(self, modality: Modality, n: int) -> ConditionCheck | None:
        """The check of conditions, if samples are generated for the columns of the real images."""
        if not modality.condition_columns or modality.condition != self.real.modality.condition:
            return None
        with self.console.progress("training a classifier of the attributes") as progress:
            return condition_check(self.real, n, self.device, progress)

    def _reference(self, n: int) -> Reference:
        if n not in self._references:
            self._references[n] = reference_of(self.real, n, self.names, self.device, self.console)
        return self._references[n]


def with_classes(
    modality: Modality, batches: Iterable[tuple[Tensors, Tensor | None]]
) -> Iterator[tuple[Tensors, Tensor | None]]:
    """Batches of samples with their conditions only if these are classes."""
    for samples, condition in batches:
        yield samples, condition if modality.classes else None


def sample_count(real: Real, n: int | None) -> int:
    """Number of samples to evaluate: the requested one, or 10,000, or a third of the data if that is less.

    Raises:
        InputError: if too few are requested.
    """
    if n is None:
        return min(DEFAULT_SAMPLES, (len(real.data.train) + len(real.data.held)) // 3)
    if not MIN_SAMPLES <= n <= MAX_SAMPLES:
        raise InputError(f"{n:,} samples cannot be evaluated; ask for {MIN_SAMPLES} to {MAX_SAMPLES:,}")
    return n


def reference_of(real: Real, n: int, features: Sequence[str], device: torch.device, console: Console) -> Reference:
    """The reference for n samples of a real data set, with these features or with the default ones."""
    with console.progress("training a classifier of the data") as progress:
        chosen, classifier = choose_features(features, real, n, progress)
    return Reference(real, chosen, classifier, n, device, console.say)


def protocol(reference: Reference, n: int) -> str:
    """The protocol of an evaluation of n samples, in a sentence."""
    real, unseen = reference.real, len(reference.unseen)
    total = f" of {len(real.data.train):,}" if len(reference.rows) == MAX_REFERENCE < len(real.data.train) else ""
    held = min(len(real.data.held), unseen)
    from_held = "from its held-out part" if held == unseen else f"{held:,} of them from its held-out part"
    per_class = " for each class" if real.modality.classes else ""
    attributes = ""
    if real.modality.condition_columns:
        attributes = "; attributes: as seen by a classifier of real ones, baseline: attributes of other real ones"
    return (
        f"{n:,} samples compared with {len(reference.rows):,}{total} {real.modality.words.trained} of the training "
        f"part of {real.name}; real: {unseen:,} other real ones, {from_held}; baseline: {unseen:,} draws of a normal "
        f"distribution along 64 principal directions{per_class}; metrics of pairs use the first {MAX_KEPT:,}"
        + attributes
    )

"""Statistics of samples, real or generated: all metrics are computed from one pass over the samples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor

from sparring.data.tensors import VALUES, Tensors, move
from sparring.errors import InputError
from sparring.evaluation.classifier import Classifier
from sparring.evaluation.features import Features
from sparring.metrics.frechet import Summed
from sparring.metrics.sharpness import sharpness
from sparring.modalities import Modality

MAX_KEPT = 10_000  # samples whose features are kept, for metrics that compare samples in pairs


class SampleStatistics:
    """Collects statistics of samples batch by batch. Memory does not grow beyond that of the first 10,000 samples.

    Args:
        features: that are computed for all samples.
        classifier: of the data's classes, if there are any.
        modality: the kind of the samples.
        max_items: number of samples that are kept themselves, with their labels.
        device: where features are computed.
        first: number of samples before these ones, if these statistics are appended to theirs.

    Attributes:
        n: number of samples so far.
        counts: predicted number of samples of each class.
        correct: number of samples whose predicted class is their label.
    """

    def __init__(
        self,
        features: Sequence[Features],
        classifier: Classifier | None,
        modality: Modality,
        max_items: int,
        device: torch.device | str = "cpu",
        first: int = 0,
    ) -> None:
        self.features, self.modality, self._max_items, self.device = features, modality, max_items, device
        self.classifier, self._first = classifier, first
        self.summed = {f.name: Summed() for f in features}
        self._kept: dict[str, list[Tensor]] = {f.name: [] for f in features}
        self._probabilities: list[Tensor] = []
        self._items: list[Tensor] = []
        self._labels: list[Tensor] = []
        self.n = self.correct = 0
        self._sharpness = 0.0
        self.counts = torch.zeros(classifier.classes if classifier else 0, dtype=torch.int64)

    @torch.no_grad()
    def add(self, samples: Tensors, labels: Tensor | None = None) -> None:
        """Add a batch of samples as networks see or generate them. Values are rounded as a file would hold them.

        Args:
            labels: their classes, (n,), if they are known.

        Raises:
            InputError: if their features are not finite.
        """
        encoded = self.modality.unscale(samples[VALUES].to(self.device))
        samples = {**move(samples, torch.device(self.device)), VALUES: self.modality.scale(encoded)}
        x = samples[VALUES]
        for f in self.features:
            computed = f.compute(samples).float().cpu()
            if not computed.isfinite().all():
                raise InputError(f"features {f.name!r} of some samples are not finite; they cannot be evaluated")
            self.summed[f.name].add(computed)
            self._keep(self._kept[f.name], computed, MAX_KEPT)
        if self.classifier is not None:
            p = self.classifier.probabilities(x).cpu()
            self._keep(self._probabilities, p, MAX_KEPT)
            self.counts += torch.bincount(p.argmax(1), minlength=len(self.counts))
            self.correct += 0 if labels is None else int((p.argmax(1) == labels.cpu()).sum())
        if self.modality.classifier_input is not None and min(x.shape[2:]) > 2:
            self._sharpness += float(sharpness(x).sum())
        self._keep(self._items, encoded.cpu(), self._max_items)
        if labels is not None:
            self._keep(self._labels, labels.cpu(), self._max_items)
        self.n += len(x)

    def _keep(self, kept: list[Tensor], part: Tensor, limit: int) -> None:
        if (room := limit - self._first - self.n) > 0:
            kept.append(part[:room])

    def add_all(self, batches: Iterable[tuple[Tensors, Tensor | None]]) -> SampleStatistics:
        """Add batches of samples with their labels; returns these statistics."""
        for x, labels in batches:
            self.add(x, labels)
        return self

    def append(self, other: SampleStatistics) -> None:
        """Append statistics of the samples that follow these ones."""
        for name, summed in other.summed.items():
            self.summed[name].append(summed)
            self._kept[name] += other._kept[name]
        self._probabilities += other._probabilities
        self._items += other._items
        self._labels += other._labels
        self.n += other.n
        self.correct += other.correct
        self._sharpness += other._sharpness
        self.counts = self.counts + other.counts

    def whole(self) -> dict[str, Tensor]:
        """The statistics and the samples, as they are sent to other processes."""
        items = {"items": self.items} if self._items else {}
        labels = {"labels": torch.cat(self._labels)} if self._labels else {}
        return {**self.tensors(), **items, **labels}

    def tensors(self) -> dict[str, Tensor]:
        """The statistics without the samples themselves, as they are cached."""
        kept = {f"kept.{name}": self.kept(name) for name, parts in self._kept.items() if parts}
        sums = {f"summed.{name}.{k}": t for name, summed in self.summed.items() for k, t in summed.tensors().items()}
        numbers = torch.tensor([self.n, self.correct, self._sharpness], dtype=torch.float64)
        probabilities = {"probabilities": self.probabilities} if self._probabilities else {}
        return {**kept, **sums, **probabilities, "counts": self.counts, "numbers": numbers}

    def restore(self, tensors: Mapping[str, Tensor]) -> SampleStatistics:
        """Restore statistics from `tensors` or `whole`."""
        for name in self._kept:
            self._kept[name] = _listed(tensors, f"kept.{name}")
            self.summed[name].restore({k: tensors[f"summed.{name}.{k}"] for k in ("n", "about", "sum", "products")})
        self._probabilities = _listed(tensors, "probabilities")
        self._items, self._labels = _listed(tensors, "items"), _listed(tensors, "labels")
        self.counts = tensors["counts"]
        n, correct, self._sharpness = tensors["numbers"].tolist()
        self.n, self.correct = int(n), int(correct)
        return self

    def kept(self, name: str) -> Tensor:
        """Features of the first samples, (at most 10,000, d)."""
        return torch.cat(self._kept[name])

    @property
    def items(self) -> Tensor:
        """The first samples, encoded."""
        return torch.cat(self._items)

    @property
    def labels(self) -> Tensor | None:
        """Labels of `items`; None if there are none."""
        return torch.cat(self._labels) if self._labels else None

    @property
    def probabilities(self) -> Tensor:
        """Predicted probabilities of the classes for the samples whose features are kept, (at most 10,000, classes)."""
        return torch.cat(self._probabilities)

    @property
    def sharpness(self) -> float:
        """Mean over all samples; 0 if they are not images."""
        return self._sharpness / max(1, self.n)


def _listed(tensors: Mapping[str, Tensor], name: str) -> list[Tensor]:
    return [tensors[name]] if name in tensors else []

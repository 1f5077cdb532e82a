"""What is kept of samples, real or made: one pass over them serves all numbers."""

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

KEPT = 10_000  # samples whose features are kept, for numbers that compare each with each


class SampleStatistics:
    """Takes samples part by part; its memory does not grow with them beyond the first 10,000.

    Args:
        features: that are computed of all samples.
        classifier: of the data's classes, where there are any.
        modality: what kind the samples are.
        items: how many samples are kept themselves, with their labels.
        device: where features are computed.

    Attributes:
        n: samples so far.
        counts: of each class, as the classifier sees it.
        agreed: samples that it takes for what their label says.
    """

    def __init__(
        self,
        features: Sequence[Features],
        classifier: Classifier | None,
        modality: Modality,
        items: int,
        device: torch.device | str = "cpu",
    ) -> None:
        self.features, self.modality, self._most, self.device = features, modality, items, device
        self.classifier = classifier
        self.summed = {f.name: Summed() for f in features}
        self._kept: dict[str, list[Tensor]] = {f.name: [] for f in features}
        self._probabilities: list[Tensor] = []
        self._items: list[Tensor] = []
        self._labels: list[Tensor] = []
        self.n = self.agreed = 0
        self._sharpness = 0.0
        self.counts = torch.zeros(classifier.classes if classifier else 0, dtype=torch.int64)

    @torch.no_grad()
    def add(self, samples: Tensors, labels: Tensor | None = None) -> None:
        """Another part, (n, *shape) as nets see or make it, as a file would hold it."""
        coded = self.modality.unscale(samples[VALUES].to(self.device))
        samples = {**move(samples, torch.device(self.device)), VALUES: self.modality.scale(coded)}
        x = samples[VALUES]
        for f in self.features:
            found = f.compute(samples).float().cpu()
            if not found.isfinite().all():
                raise InputError(f"features {f.name!r} of some samples are not finite; these cannot be judged")
            self.summed[f.name].add(found)
            self._keep(self._kept[f.name], found, KEPT)
        if self.classifier is not None:
            p = self.classifier.probabilities(x).cpu()
            self._keep(self._probabilities, p, KEPT)
            self.counts += torch.bincount(p.argmax(1), minlength=len(self.counts))
            self.agreed += 0 if labels is None else int((p.argmax(1) == labels.cpu()).sum())
        if x.ndim == 4 and min(x.shape[2:]) > 2:
            self._sharpness += float(sharpness(x).sum())
        self._keep(self._items, coded.cpu(), self._most)
        if labels is not None:
            self._keep(self._labels, labels.cpu(), self._most)
        self.n += len(x)

    def _keep(self, kept: list[Tensor], part: Tensor, most: int) -> None:
        if self.n < most:
            kept.append(part[: most - self.n])

    def all(self, parts: Iterable[tuple[Tensors, Tensor | None]]) -> SampleStatistics:
        """Take all parts, and be done."""
        for x, labels in parts:
            self.add(x, labels)
        return self

    def tensors(self) -> dict[str, Tensor]:
        """All that is known of samples but themselves, to be kept."""
        kept = {f"kept.{name}": self.kept(name) for name in self._kept}
        sums = {f"summed.{name}.{k}": t for name, summed in self.summed.items() for k, t in summed.tensors().items()}
        numbers = torch.tensor([self.n, self.agreed, self._sharpness], dtype=torch.float64)
        known = {"probabilities": self.probabilities} if self._probabilities else {}
        return {**kept, **sums, **known, "counts": self.counts, "numbers": numbers}

    def restore(self, tensors: Mapping[str, Tensor]) -> SampleStatistics:
        """Take what `tensors` gave."""
        for name in self._kept:
            self._kept[name] = [tensors[f"kept.{name}"]]
            self.summed[name].restore({k: tensors[f"summed.{name}.{k}"] for k in ("n", "about", "sum", "products")})
        self._probabilities = [tensors["probabilities"]] if "probabilities" in tensors else []
        self.counts = tensors["counts"]
        n, agreed, self._sharpness = tensors["numbers"].tolist()
        self.n, self.agreed = int(n), int(agreed)
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
        """Those of `items`, where there are any."""
        return torch.cat(self._labels) if self._labels else None

    @property
    def probabilities(self) -> Tensor:
        """Of the classes, for those whose features are kept: (at most 10,000, classes)."""
        return torch.cat(self._probabilities)

    @property
    def sharpness(self) -> float:
        """The mean of all samples'; 0 for what is no picture."""
        return self._sharpness / max(1, self.n)

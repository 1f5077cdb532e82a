"""A real set as samples are held against it, with what its own held-out items and a trivial generator get."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from functools import cached_property
from math import nan, prod
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from sparring.data.tensors import move
from sparring.evaluation import cache
from sparring.evaluation.baseline import Normal
from sparring.evaluation.classifier import Classifier, accuracy, fitted
from sparring.evaluation.features import Features
from sparring.evaluation.real import Real
from sparring.evaluation.statistics import KEPT, SampleStatistics
from sparring.metrics import classes, copies
from sparring.metrics.frechet import Moments, frechet
from sparring.metrics.kernel import kernel_distance
from sparring.metrics.neighbours import neighbours, radii
from sparring.metrics.results import Number

MOST = 50_000  # real items that samples are held against
COMPARED = 1000  # samples that are held against every training item, to look for copies
NUMBERS = 2**25  # in these, at most
FEW = 16  # items whose features tell these from others
VERSION = 1  # of the protocol
Say = Callable[[str], None]


class Reference:
    """Holds samples against a real set.

    Args:
        real: the set.
        features: that numbers are made with.
        classifier: of its classes, where it has any.
        n: samples that will be judged; where the set is large enough, so many real items are judged
            in the same way, for the floor.
        device: where features are computed.
        say: is told what is being done.
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
        self.rows, self.apart = real.parts(n, MOST)
        size = prod(real.modality.shape)
        self.compared = max(8, min(COMPARED, NUMBERS // size))
        # Samples that a classifier is trained on, to see what it learns.
        self.trainable = min(KEPT, 8 * NUMBERS // size)

    def seen(self) -> SampleStatistics:
        """What takes samples of this kind."""
        items = self.compared if self.classifier is None else self.trainable
        return SampleStatistics(self.features, self.classifier, self.real.modality, items, self.device)

    @cached_property
    def reference(self) -> SampleStatistics:
        """What is known of the real items that samples are held against."""
        place = self._place("reference", "safetensors")
        if known := cache.recall(place):
            with suppress(SafetensorError, KeyError):  # damaged
                return self.seen().restore(safetensors.torch.load(known))
        self.say(f"looking at {len(self.rows):,} real {self.real.modality.kind}")
        seen = self.seen().all(self.real.batches(self.rows))
        cache.keep(place, safetensors.torch.save({name: t.contiguous() for name, t in seen.tensors().items()}))
        return seen

    @cached_property
    def floor(self) -> list[Number]:
        """What real items get that stand apart from those that samples are held against."""
        return self._known("real", self._floor)

    @cached_property
    def baseline(self) -> list[Number]:
        """What samples of a normal distribution get."""
        return self._known("baseline", self._baseline)

    def _place(self, what: str, suffix: str) -> Path:
        """In the user's cache, for these rows of these data, and for what these features say of some of them."""
        digest = hashlib.blake2b(
            f"{VERSION} {self.real.data.fingerprint} {self.real.modality}".encode(), digest_size=12
        )
        for rows in (self.rows, self.apart, self.real.data.train):
            digest.update(rows.numpy().tobytes())
        digest.update(self._said)
        return cache.place(f"{what}-{digest.hexdigest()}.{suffix}")

    @cached_property
    def _said(self) -> bytes:
        """Names and values of the features of a few items: another net of the same name says something else."""
        x, _ = next(iter(self.real.batches(self.rows[:FEW])))
        found = [
            (f.name, f.compute(move(x, torch.device(self.device))).float().cpu().numpy().round(3))
            for f in self.features
        ]
        return b"".join(name.encode() + values.tobytes() for name, values in found)

    def _known(self, what: str, compute: Callable[[], list[Number]]) -> list[Number]:
        """From the cache, where it has been computed before."""
        place = self._place(what, "json")
        if known := cache.recall(place):
            with suppress(ValueError, TypeError):  # damaged
                return [Number(**number) for number in json.loads(known)]
        numbers = compute()
        cache.keep(place, json.dumps([asdict(number) for number in numbers]).encode())
        return numbers

    def _floor(self) -> list[Number]:
        self.say(f"judging {len(self.apart):,} of the real ones")
        apart = self.seen().all(self.real.batches(self.apart))
        few = self.rows[: len(self.apart)][: self.trainable]
        learnt = self._learnt(self.real.data.part("values", few), self.real.labels(few))
        return self._common(apart) + learnt + self._copied(self._held)

    def _baseline(self) -> list[Number]:
        self.say(f"judging {len(self.apart):,} of a normal distribution")
        return self.numbers(self.seen().all(Normal(self.real, self.rows).batches(len(self.apart))))

    def numbers(self, seen: SampleStatistics) -> list[Number]:
        """All numbers about generated samples."""
        learnt = self._learnt(seen.items[: len(self.apart)], seen.labels)
        return self._common(seen) + learnt + self._copied(self._nearest(seen.items[: self.compared]))

    def _common(self, seen: SampleStatistics) -> list[Number]:
        found = [number for f in self.features for number in self._compared(f.name, seen)]
        if self.classifier is not None:
            found += self._of_classes(seen)
        if self.reference.sharpness:
            found.append(Number("sharpness", seen.sharpness / self.reference.sharpness, "real"))
        return found

    def _compared(self, name: str, seen: SampleStatistics) -> list[Number]:
        real, fake = self.reference.kept(name), seen.kept(name)
        distance = kernel_distance(real, fake)
        near = neighbours(real[: len(fake)], fake, reach=self._radii(name, len(fake)))
        spread = copies.diversity(fake, fake.roll(1, 0)) / max(1e-12, copies.diversity(real, real.roll(1, 0)))
        return [
            Number(f"fid[{name}]", frechet(seen.summed[name].moments(), self._moments(name)), "low"),
            Number(f"kid[{name}]", distance.value, "low", distance.error),
            Number(f"precision[{name}]", near.precision, "high"),
            Number(f"recall[{name}]", near.recall, "high"),
            Number(f"density[{name}]", near.density, "high"),
            Number(f"coverage[{name}]", near.coverage, "high"),
            Number(f"diversity[{name}]", spread, "real"),
        ]

    @cached_property
    def _reach(self) -> dict[tuple[str, int], Tensor]:
        return {}

    def _radii(self, name: str, n: int) -> Tensor:
        """Of the first n real items; how far a ball reaches depends on how many there are."""
        if (name, n) not in self._reach:
            self._reach[name, n] = radii(self.reference.kept(name)[:n])
        return self._reach[name, n]

    def _moments(self, name: str) -> Moments:
        return self.reference.summed[name].moments()

    def _of_classes(self, seen: SampleStatistics) -> list[Number]:
        score = classes.inception_score(seen.probabilities)
        name = next((f.name for f in self.features if f.name != "classifier"), "classifier")
        own, real = (classes.within(s.kept(name), s.probabilities.argmax(1)) for s in (seen, self.reference))
        m = min(len(own), len(real))
        found = [
            Number("is[classifier]", score.value, "high", score.deviation),
            Number("classes[classifier]", classes.hit(seen.counts).modes, "high"),
            Number("imbalance[classifier]", classes.imbalance(seen.counts, self.reference.counts), "low", share=True),
            Number(f"class diversity[{name}]", float((own[:m] / real[:m]).nanmean()), "real"),
        ]
        if seen.labels is not None:
            found.append(Number("as asked[classifier]", seen.agreed / seen.n, "high", share=True))
        return found

    def _learnt(self, items: Tensor, labels: Tensor | None) -> list[Number]:
        """How well a classifier that has learnt from samples knows real items. Ravuri and Vinyals 2019,
        arXiv:1905.10887 (CAS).
        """
        if self.classifier is None or labels is None:
            return []
        scale = self.real.modality.scale
        self.say(f"training a classifier on {len(items):,} samples")
        net = fitted(
            self.real.modality.shape, self.classifier.classes, len(items), lambda i: (scale(items[i]), labels[i])
        )
        known = accuracy(net, self.real.batches(self.apart))
        return [Number("cas[classifier]", known, "high", share=True)]

    def _copied(self, distances: Tensor) -> list[Number]:
        """How near samples lie to what was trained on; each held-out item is no copy."""
        found = []
        if self.real.modality.kind == "images":
            near = float((distances < copies.NEAR).float().mean()) if len(distances) else nan
            found.append(Number("near copies", near, "real", share=True))
        known = len(distances) > 0 and len(self._held) > 0
        return [*found, Number("memorised", copies.memorised(distances, self._held) if known else nan, "real")]

    @cached_property
    def _held(self) -> Tensor:
        """Distances of held-out items to the nearest training item."""
        few = min(self.compared, len(self.real.data.held), len(self.apart))
        return self._nearest(self.real.data.part("values", self.apart[:few])) if few else torch.zeros(0)

    def _nearest(self, items: Tensor) -> Tensor:
        """Distances of encoded items to the nearest training item, (n,)."""
        scale, best = self.real.modality.scale, torch.full((len(items),), torch.inf)
        scaled = scale(items)
        for part in torch.split(self.real.data.train, max(1, NUMBERS // scaled[0].numel())):
            best = best.minimum(copies.nearest(scaled, scale(self.real.data.part("values", part)))[0])
        return best

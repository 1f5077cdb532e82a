"""The judge of images that are generated from given images."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from sparring.data.items import Items
from sparring.data.store import Progress
from sparring.errors import InputError, nearest
from sparring.metrics.results import Evaluation
from sparring.modalities.judge import Console, Judge, Sampler, TrainingData
from sparring.modalities.translation.plots import comparison
from sparring.modalities.translation.scores import (
    Method,
    findings,
    floor,
    numbers,
    psnr_name,
    score,
    uses_luma,
)
from sparring.nets import pretrained
from sparring.nets.tiles import Mapper, as_bytes, mapped

if TYPE_CHECKING:
    from sparring.modalities.base import Modality
    from sparring.modalities.translation.translation import Translation

FIRST_PHASE = "without D"  # the net of the training phase without D
MIN_IMAGES = 2


def judge_for(
    modality: Translation,
    training: TrainingData,
    against: Items | None,
    options: Mapping[str, Any],
    say: Callable[[str], None],
) -> TranslationJudge:
    """The judge for a fitted modality; see `Modality.judge`.

    Args:
        options: "features": names of further metrics, lpips or dists.

    Raises:
        InputError: if the data are not images, or the weights of a metric are not available.
    """
    distances = tuple(options.get("features", ()))
    for name in distances:
        if name not in pretrained.DISTANCES:
            choice = nearest(name, pretrained.DISTANCES)
            raise InputError(f"features {name!r} are not available for image translation; {choice}")
        pretrained.distance(name)  # refused at once if its weights are missing
    items = training.items if against is None else against
    for note in items.notes:
        say(note)
    if items.kind not in modality.reads:
        raise InputError(f"{items.name!r} holds {items.kind}, but the model takes images; give a set of images")
    return TranslationJudge(modality, items, against is None, distances)


def _task(modality: Modality) -> str:
    """What a model takes and generates, in words."""
    source, channels = modality.source, modality.shape[0]
    assert source is not None  # samples of this kind are generated from given images
    holes = "fill holes of" if source.masked else "map"
    times = f" {source.scale} times as large" if source.scale > 1 else ""
    pairs = "" if source.paired else ", unpaired"
    return f"{holes} images of {source.shape[0] - source.masked} channels to {channels}{times}{pairs}"


@dataclass(frozen=True)
class TranslationJudge(Judge):
    """Compares generated images with the targets of given images.

    Attributes:
        modality: that draws the examples.
        items: the images, from which the examples are taken.
        trained_on: True if the model was trained on these items, so that only held-out ones are used.
        distances: names of further metrics, from `pretrained.DISTANCES`.
    """

    modality: Translation
    items: Items
    trained_on: bool
    distances: tuple[str, ...] = ()

    @property
    def axes(self) -> tuple[str, str]:
        return psnr_name(self.modality) if self.modality.paired else "kid[patches]", "kid[patches]"

    def check(self, modality: Modality) -> None:
        """Check that a model takes and generates images like those of this judge's examples.

        Raises:
            InputError: if it does not: one enlarges images, say, and another fills their holes.
        """
        mine, other = _task(self.modality), _task(modality)
        if mine != other:
            raise InputError(f"these models have different tasks ({mine} and {other}); compare models of the same task")

    def evaluate(self, model: Sampler, n: int | None, seed: int, console: Console) -> Evaluation:  # noqa: ARG002
        """Evaluate at most n images, or all. Nothing is drawn at random.

        Raises:
            InputError: if there are fewer than two.
        """
        distances = {name: pretrained.distance(name) for name in self.distances}
        with console.progress("evaluating images") as progress:
            examples = _first(self.modality.examples(self.items, self.trained_on), n, progress)
            scores, count = score(self.modality, examples, _methods(model), distances)
        if count < MIN_IMAGES:
            raise InputError(
                f"{self.items.name!r} has {count} images that the model was not trained on (none is held out of fewer "
                "than 20), and an evaluation needs two: give --against DATA"
            )
        tables = {
            name: numbers(values, scores["real"], self.modality)
            for name, values in scores.items()
            if name not in ("real", "given")
        }
        baselines = {name: tables[name] for name in _last(FIRST_PHASE, tables) if name != "samples"}
        trivial = {name: values for name, values in baselines.items() if name != FIRST_PHASE}
        return Evaluation(
            data=self.items.name,
            protocol=self.protocol(count),
            samples=count,
            real=count,
            numbers=tuple(tables["samples"]),
            floor=tuple(floor(scores["real"])),
            baselines=baselines,
            findings=tuple(findings(tables["samples"], trivial)),
            picture=comparison(scores, _last(FIRST_PHASE, scores), self.modality),
        )

    def protocol(self, count: int) -> str:
        """How the metrics are computed, in a sentence."""
        modality = self.modality
        which = "that were held out of training" if self.trained_on else f"of {self.items.name}"
        parts = [f"means over {count:,} whole images {which}, with standard errors"]
        if modality.times > 1:
            channel = "of the Y channel " if uses_luma(modality) else ""
            parts.append(f"psnr and ssim {channel}without {modality.times} pixels at the borders")
        if modality.paired:
            parts.append("spectral_distance: difference of the logarithms of radially averaged power, in decades")
        if modality.masked:
            parts.append("mae[holes]: in gray levels of 255")
        parts.append("kid: of random crops, with fixed filters")
        return "; ".join(parts)


def _methods(model: Sampler) -> dict[str, Method]:
    methods = {"samples": method_of(model.mapper())}
    with suppress(InputError):  # raised if the recipe has no phase without D
        methods[FIRST_PHASE] = method_of(model.mapper(sharpness=0.0))
    return methods


def method_of(mapper: Mapper) -> Method:
    """A model as a method, tile by tile as `apply` uses it."""

    def generate(given: Tensor) -> Tensor:
        return torch.cat(list(mapped(mapper, as_bytes(given[0]))), 1)[None]

    return generate


def _last(name: str, names: Mapping[str, Any]) -> list[str]:
    """Names, with one of them at the end."""
    return sorted(names, key=name.__eq__)


def _first(
    examples: Iterator[tuple[Tensor, Tensor]], n: int | None, progress: Progress
) -> Iterator[tuple[Tensor, Tensor]]:
    for i, example in enumerate(examples):
        if n is not None and i >= n:
            return
        yield example
        progress(i + 1, n or i + 2)  # the number of examples is known only at the end

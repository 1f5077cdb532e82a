"""Sliders that move a sample along directions of the latent space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import torch
from torch import Tensor
from torch.nn import functional as F

from sparring.errors import InputError
from sparring.evaluation.classifier import classifier_of
from sparring.evaluation.real import read
from sparring.explore.directions import Direction, Method, directions, probe
from sparring.explore.latents import REACH
from sparring.games.prior import OneHot, Uniform
from sparring.model import Model

MAX_SLIDERS = 8
STEP = 0.05
SHARE_OF = {  # what the share of a direction is, by method
    "sefa": "of the first layer's effect", "pca": "of the variance", "probe": "area under the ROC curve",
}  # fmt: skip


@dataclass(frozen=True)
class Slider:
    """A slider.

    Attributes:
        name: of what it changes.
        low, high, step: its values.
        vector: direction in which it moves points, (full width,), or None.
        place: the one-hot part whose value it selects, counted from 1; 0 leaves it as drawn. None if it has a vector.
        info: shown next to the name.
    """

    name: str
    low: float
    high: float
    step: float = STEP
    vector: Tensor | None = None
    place: slice | None = None
    info: str = ""


def methods(model: Model) -> list[str]:
    """How sliders of a model can be found; its codes come first if it has any."""
    space = model.game.space()
    codes = space is not None and any(isinstance(part, OneHot | Uniform) for part in space.parts)
    # A classifier is trained for images only, and a model that generates by class needs no direction towards one.
    labels = model.modality.classifier_input is not None and not model.game.classes
    return [*(["codes"] if codes else []), "sefa", "pca", *(["labels"] if labels else [])]


def sliders(model: Model, method: str) -> list[Slider]:
    """The sliders of a method.

    Raises:
        InputError: if the model does not support it, or labels are used and the data have none.
    """
    if method == "codes":
        return _code_sliders(model)[:MAX_SLIDERS]
    if method == "labels":
        found = _label_directions(model)
    elif method in get_args(Method):
        found = directions(model, method, MAX_SLIDERS)  # type: ignore[arg-type]
    else:
        raise InputError(f"there is no method {method!r} to find directions; choose from {', '.join(methods(model))}")
    return [_slider(direction) for direction in found[:MAX_SLIDERS]]


def _slider(direction: Direction) -> Slider:
    share = direction.share
    info = "" if share is None else f"{share:.0%} {SHARE_OF[direction.method]}"
    return Slider(direction.name, -direction.reach, direction.reach, STEP, direction.vector.cpu(), info=info)


def _code_sliders(model: Model) -> list[Slider]:
    """A slider for each number of a uniform code, and one for each one-hot code."""
    found: list[Slider] = []
    space = model.game.space()
    start = 0
    for part in () if space is None else space.parts:
        place = slice(start, start + part.width)
        start = place.stop
        if isinstance(part, OneHot):
            found.append(Slider(part.name, 0, part.width, 1, place=place, info="0: as drawn"))
        elif isinstance(part, Uniform):
            for number in range(part.width):
                vector = F.one_hot(torch.tensor(place.start + number), model.game.prior.width).float()
                found.append(Slider(f"{part.name} {number + 1}", -REACH, REACH, STEP, vector))
    return found


def _label_directions(model: Model) -> list[Direction]:
    """Directions towards the labels of the training data, which a classifier assigns to samples."""
    real, _ = read(model.modality, model.find_items())
    if not real.modality.classes:
        raise InputError(f"{real.name!r} has no labels to find directions by; choose sefa or pca")
    return probe(model, classifier_of(real, real.data.train).probabilities, real.modality.classes)


def moved(point: Tensor, sliders: Sequence[Slider], values: Sequence[float]) -> Tensor:
    """A point (full width,) moved by sliders with these values."""
    result = point.clone()
    for slider, value in zip(sliders, values, strict=False):
        if slider.vector is not None:
            result += value * slider.vector
        elif slider.place is not None and value >= 1:
            width = slider.place.stop - slider.place.start
            result[slider.place] = F.one_hot(torch.tensor(int(value) - 1), width).float()
    return result


def described(sliders: Sequence[Slider], values: Sequence[float]) -> str:
    """The sliders that are not at rest, with their values."""
    moved = [(slider.name, value) for slider, value in zip(sliders, values, strict=False) if value]
    return ", ".join(f"{name} {value:+.2f}" for name, value in moved)

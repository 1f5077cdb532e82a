"""Sliders: what of a sample can be turned, and what becomes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from sparring.errors import InputError
from sparring.evaluation.classifier import of
from sparring.evaluation.real import read
from sparring.explore.directions import Direction, directions, probe
from sparring.explore.latents import REACH
from sparring.games.prior import OneHot, Uniform
from sparring.modalities import find
from sparring.model import Model
from sparring.studio.sampling import made

MOST = 8  # sliders
STEP = 0.05


@dataclass(frozen=True)
class Knob:
    """A slider.

    Attributes:
        name: of what it turns.
        low, high, step: its values.
        vector: that a point moves along, (full width,); or
        place: of a one-hot part, of whose values it chooses one, from 1.
        share: what the finding of the direction says of it, in words.
    """

    name: str
    low: float
    high: float
    step: float = STEP
    vector: Tensor | None = None
    place: slice | None = None
    share: str = ""


def methods(model: Model) -> list[str]:
    """How directions of a model can be found: its codes first, where it has any."""
    codes = any(isinstance(part, OneHot | Uniform) for part in model.game.prior.parts)
    # A model that is asked for its classes has no direction towards them: they are chosen.
    return [*(["codes"] if codes else []), "sefa", "pca", *([] if model.game.classes else ["labels"])]


def knobs(model: Model, method: str) -> list[Knob]:
    """The sliders of a way to find directions.

    Raises:
        InputError: where this model has none, or labels are asked for and the data have none.
    """
    if method == "codes":
        return _codes(model)[:MOST]
    if method == "labels":
        found = _labelled(model)
    elif method in ("sefa", "pca"):
        found = directions(model, method, MOST)  # type: ignore[arg-type]
    else:
        raise InputError(f"there is no way {method!r} to find directions; choose from {', '.join(methods(model))}")
    return [Knob(d.name, -d.reach, d.reach, STEP, d.vector.cpu(), share=_said(d)) for d in found[:MOST]]


def _said(direction: Direction) -> str:
    if direction.share is None:
        return ""
    of = {"sefa": "of what the first layer does", "pca": "of the variance", "probe": "told right"}
    return f"{direction.share:.0%} {of[direction.method]}"


def _codes(model: Model) -> list[Knob]:
    """A slider for each code that is a number, and for each that is a choice."""
    found: list[Knob] = []
    prior = model.game.prior
    for part in prior.parts:
        place = prior.place(part.name)
        if isinstance(part, OneHot):
            found.append(Knob(part.name, 0, part.width, 1, place=place, share="0: as drawn"))
        elif isinstance(part, Uniform):
            for number in range(part.width):
                vector = F.one_hot(torch.tensor(place.start + number), prior.width).float()
                found.append(Knob(f"{part.name} {number + 1}", -REACH, REACH, STEP, vector))
    return found


def _labelled(model: Model) -> list[Direction]:
    """Directions towards the data's labels, which a classifier learns from real items and tells of samples."""
    real, _ = read(model.modality, find(model.about["data"]))
    if not real.modality.classes:
        raise InputError(f"{real.name!r} has no labels to find directions by; choose sefa or pca")
    return probe(model, of(real, real.data.train).probabilities, real.modality.classes)


def moved(point: Tensor, knobs: Sequence[Knob], values: Sequence[float]) -> Tensor:
    """A point (full width,) with its sliders at these values."""
    turned = point.clone()
    for knob, value in zip(knobs, values, strict=False):
        if knob.vector is not None:
            turned += value * knob.vector
        elif knob.place is not None and value >= 1:
            width = knob.place.stop - knob.place.start
            turned[knob.place] = F.one_hot(torch.tensor(int(value) - 1), width).float()
    return turned


def edited(
    model: Model, point: Tensor, label: int | None, knobs: Sequence[Knob], values: Sequence[float]
) -> NDArray[np.uint8]:
    """The picture (h, w, c) with these values."""
    pixels: NDArray[np.uint8] = made(model, moved(point, knobs, values)[None], label)[0]
    return pixels

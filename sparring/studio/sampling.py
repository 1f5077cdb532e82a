"""Samples that users look at, keep, and go between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from sparring.data.tensors import VALUES
from sparring.errors import InputError
from sparring.explore.space import Space
from sparring.modalities import Samples
from sparring.model import Model
from sparring.sheets import sheet

LARGE = 256  # pixels that single pictures are enlarged towards, by whole pixels
YOURS = "your picture"  # what is kept of a user's own
FRAME = 60  # milliseconds of a film's frame


@dataclass(frozen=True)
class Kept:
    """A sample that a user keeps.

    Attributes:
        run: the name of its run.
        point: of the model's `Space`, (full width,).
        label: that it is made for, None where the model takes none.
        said: in words, which it is.
    """

    run: str
    point: Tensor
    label: int | None
    said: str


def kept(model: Model, run: str, samples: Samples, seed: int, place: int) -> Kept:
    """One of `model.sample(n, seed=seed)`."""
    labels = None if samples.labels is None else torch.from_numpy(samples.labels[: place + 1]).to(model.device)
    taken = labels if model.game.classes else None
    point = Space(model).draw(place + 1, seed, taken)[place].cpu()
    label = None if taken is None else int(taken[place])
    named = "" if label is None else f" ({model.modality.classes[label]})"
    return Kept(run, point, label, f"sample {place + 1} of seed {seed}{named}")


def made(model: Model, points: Tensor, label: int | None) -> NDArray[np.uint8]:
    """Pictures of points (n, full width): uint8 (n, h, w, c)."""
    given = None if label is None else torch.full((len(points),), label, device=model.device)
    generated = Space(model).pictures(points.to(model.device), given)
    pixels: NDArray[np.uint8] = model.modality.decode({VALUES: generated}).astype(np.uint8)
    return pixels


def way(model: Model, a: Kept, b: Kept, steps: int) -> NDArray[np.uint8]:
    """Pictures on the way from one sample to another, both included: uint8 (steps, h, w, c). Where their labels differ,
    the first half has the one's and the second half the other's.

    Raises:
        InputError: where they are of different runs.
    """
    if a.run != b.run:
        raise InputError(f"A is of {a.run} and B of {b.run}; keep two samples of one run")
    points = Space(model).between(a.point.to(model.device), b.point.to(model.device), steps)
    half = steps // 2
    return np.concatenate([made(model, points[:half], a.label), made(model, points[half:], b.label)])


def enlarged(pixels: NDArray[np.uint8]) -> Image.Image:
    """One picture (h, w, c), with small ones enlarged by whole pixels."""
    picture = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    times = max(1, LARGE // max(picture.size))
    return picture.resize((picture.width * times, picture.height * times), Image.Resampling.NEAREST)


def film(pictures: Sequence[NDArray[np.uint8]], path: Path) -> None:
    """A GIF there and back again."""
    frames = [enlarged(pixels).convert("RGB") for pixels in pictures]
    frames += frames[-2:0:-1]
    frames[0].save(path, "GIF", save_all=True, append_images=frames[1:], duration=FRAME, loop=0)


def strip(pictures: NDArray[np.uint8]) -> Image.Image:
    """Pictures (n, h, w, c) on a sheet, in reading order."""
    return sheet(pictures, min(len(pictures), 8))

"""Samples that users select, with their points in the latent space, and walks between two of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from sparring.errors import InputError
from sparring.explore import Space
from sparring.modalities import Request
from sparring.modalities.exploring import single_images, tiled
from sparring.model import Model
from sparring.studio.parts import Parts

ENLARGED_SIDE = 256  # pixels that single images are enlarged to, at most, by a whole factor
FRAME_DURATION = 60  # milliseconds
MAX_COLUMNS = 8  # of a sheet


@dataclass(frozen=True)
class Drawn:
    """Samples that are shown, of which two can be kept.

    Attributes:
        run: name of their run.
        request, seed, truncation: that they were drawn with.
        images: of the first samples; () if samples are not single images.
        parts: of the samples.
    """

    run: str
    request: Request
    seed: int
    truncation: float
    images: tuple[Image.Image, ...]
    parts: Parts


@dataclass(frozen=True)
class Selected:
    """A sample, or an inverted item, with the point that it is generated from.

    Attributes:
        run: name of its run.
        point: in the model's `Space`, (full width,).
        condition: that it is generated for, (...); None if the model has none.
        description: in words.
        given: True if it is a user's own item, inverted.
    """

    run: str
    point: Tensor
    condition: Tensor | None
    description: str
    given: bool = False


def selected(model: Model, run: str, request: Request, seed: int, index: int) -> Selected:
    """One of the samples `model.sample_request(n, request, seed)`.

    Raises:
        InputError: if the model has no latent space, or samples of this request are not those of its latents.
    """
    if request.rules or request.length is not None:
        raise InputError("samples that satisfy rules, or of another length, have no walks; sample without")
    space = Space(model)
    z, conditions = model.latents(index + 1, request, seed)
    condition = None if conditions is None else conditions[index : index + 1]
    with torch.no_grad():
        point = space.latent.points(z[index : index + 1], condition)[0].cpu()
    label = f" ({model.modality.classes[int(condition)]})" if condition is not None and model.game.classes else ""
    return Selected(
        run, point, None if condition is None else condition[0].cpu(), f"sample {index + 1} of seed {seed}{label}"
    )


def images(model: Model, points: Tensor, condition: Tensor | None) -> list[Image.Image]:
    """An image of each sample of points (n, full width).

    Args:
        condition: of all samples, (...).
    """
    n, device = len(points), model.device
    conditions = None if condition is None else condition.to(device).expand(n, *condition.shape)
    generated = Space(model).generate(points.to(device), conditions)
    return single_images(model.modality, generated)


def walk(model: Model, a: Selected, b: Selected, steps: int) -> list[Image.Image]:
    """Images on a walk from one sample to another, both included. If their conditions differ, the first half has that
    of the first sample and the second half that of the second.

    Raises:
        InputError: if they are from different runs.
    """
    if a.run != b.run:
        raise InputError(f"A is from {a.run} and B from {b.run}; keep two samples of one run")
    points = Space(model).between(a.point.to(model.device), b.point.to(model.device), steps)
    half = steps // 2
    return [*images(model, points[:half], a.condition), *images(model, points[half:], b.condition)]


def enlarged(image: Image.Image) -> Image.Image:
    """An image, enlarged by a whole factor if it is small."""
    times = max(1, ENLARGED_SIDE // max(image.size))
    return image.resize((image.width * times, image.height * times), Image.Resampling.NEAREST)


def write_film(frames: Sequence[Image.Image], path: Path) -> None:
    """A GIF that plays forward and backward."""
    forward = [enlarged(image).convert("RGB") for image in frames]
    first, *others = [*forward, *forward[-2:0:-1]]
    first.save(path, "GIF", save_all=True, append_images=others, duration=FRAME_DURATION, loop=0)


def sheet(frames: Sequence[Image.Image]) -> Image.Image:
    """Images in rows, in reading order."""
    return tiled(frames, min(len(frames), MAX_COLUMNS))

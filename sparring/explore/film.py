"""Films of a way through several samples."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from sparring.data.store import Progress, no_progress
from sparring.data.tensors import VALUES
from sparring.errors import InputError, needs
from sparring.explore.scene import Scene
from sparring.explore.space import kind_of
from sparring.files import beside, vacant
from sparring.modalities.base import Samples
from sparring.sheets import sheet

SUFFIXES = (".gif", ".mp4")
STOPS = 6  # samples that it passes
ACROSS = 4  # pictures side by side, each on a way of its own, as many above one another
STEPS = 20  # frames from one to the next
RATE = 20  # frames a second
POINTS = 600  # where it is points that move


def check_film(path: Path, scene: Scene, force: bool) -> None:
    """See that a film may be written to a path.

    Raises:
        InputError: where something is there already, no such file can be written, or there is no way to film.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"{path}: cannot write a film as {path.suffix!r}; choose from {', '.join(SUFFIXES)}")
    if scene.model.modality.kind not in ("images", "points"):
        raise InputError(
            f"{path}: recipe {scene.model.recipe.name!r} makes {kind_of(scene.model)}; films are of pictures or points"
        )
    if path.suffix.lower() == ".mp4":
        needs("av", "video", "writes videos")
    vacant(path, force, file=True)


@torch.no_grad()
def write_film(scene: Scene, path: Path, progress: Progress = no_progress) -> None:
    """Write a way through several samples and back to the first, which so may be played without end: sixteen pictures,
    each on its own way, or many points in the plane.

    Args:
        path: .gif or .mp4.

    Raises:
        InputError: where it cannot be written.
    """
    frames = _frames(scene, progress)
    with beside(path) as part:
        if path.suffix.lower() == ".gif":
            first, *others = [frame if frame.mode == "L" else frame.quantize(256) for frame in frames]
            first.save(part, "GIF", save_all=True, append_images=others, duration=1000 // RATE, loop=0)
        else:
            _write_mp4(part, frames)


def _frames(scene: Scene, progress: Progress) -> Iterator[Image.Image]:
    """All of one size."""
    space, modality = scene.space, scene.model.modality
    many = ACROSS**2 if modality.kind == "images" else POINTS
    label = scene.labels(many)
    points = space.draw(STOPS * many, scene.seed, None if label is None else label.repeat(STOPS))
    points = points.view(STOPS, many, -1)
    points[:, :, ~space.movable] = points[:1, :, ~space.movable]  # half of one kind is none
    for stop in range(STOPS):
        ways = space.between(points[stop], points[(stop + 1) % STOPS], STEPS + 1)[:-1]  # (steps, many, full width)
        for step, here in enumerate(ways):
            progress(stop * STEPS + step + 1, STOPS * STEPS)
            yield _frame(scene, space.pictures(here, label))


def _frame(scene: Scene, made: Tensor) -> Image.Image:
    modality = scene.model.modality
    if modality.kind == "images":
        return sheet(scene.decoded(made), ACROSS)
    return Samples(modality.decode({VALUES: made}), None, modality).preview()


def _write_mp4(path: Path, frames: Iterator[Image.Image]) -> None:
    av = needs("av", "video", "writes videos")
    with av.open(str(path), "w", format="mp4") as file:
        stream = file.add_stream("libx264", rate=RATE, options={"crf": "18"})
        for i, frame in enumerate(frames):
            pixels = np.asarray(frame.convert("RGB"))
            pixels = np.pad(pixels, ((0, pixels.shape[0] % 2), (0, pixels.shape[1] % 2), (0, 0)), "edge")  # for H.264
            if not i:
                stream.height, stream.width, stream.pix_fmt = *pixels.shape[:2], "yuv420p"
            file.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        file.mux(stream.encode())

"""Films of a walk through several samples."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from sparring.data.store import Progress, no_progress
from sparring.errors import InputError, needs
from sparring.explore.scene import Scene
from sparring.files import atomic_path, check_output
from sparring.modalities import Samples

SUFFIXES = (".gif", ".mp4")
STOPS = 6  # samples that a walk passes
STEPS = 20  # frames from one to the next
RATE = 20  # frames per second


def check_film(path: Path, scene: Scene, force: bool) -> None:
    """Check that a film can be written to a path.

    Raises:
        InputError: if something exists there, no such file can be written, or the model cannot be filmed.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"{path}: cannot write a film as {path.suffix!r}; choose from {', '.join(SUFFIXES)}")
    modality = scene.model.modality
    if not modality.film_items or not scene.has_space:
        raise InputError(
            f"{path}: recipe {scene.model.recipe.name!r} generates {modality.words.items}, of which films cannot be "
            "made; leave out --film"
        )
    if path.suffix.lower() == ".mp4":
        needs("av", "video", "writes videos")
    check_output(path, force, file=True)


def write_film(scene: Scene, path: Path, progress: Progress = no_progress) -> None:
    """Write a walk through several samples and back to the first, so that it can be played in a loop. Every item of a
    frame is on a walk of its own.

    Args:
        path: .gif or .mp4.

    Raises:
        InputError: if it cannot be written.
    """
    made = frames(scene, progress=progress)
    with atomic_path(path) as part:
        if path.suffix.lower() == ".gif":
            first, *others = [frame if frame.mode == "L" else frame.convert("RGB").quantize(256) for frame in made]
            first.save(part, "GIF", save_all=True, append_images=others, duration=1000 // RATE, loop=0)
        else:
            _write_mp4(part, made)


@torch.no_grad()
def frames(scene: Scene, items: int = 0, steps: int = STEPS, progress: Progress = no_progress) -> Iterator[Image.Image]:
    """Previews of one size, on a walk through several samples and back to the first.

    Args:
        items: in each frame; as many as the kind of data shows unless given.
        steps: frames from one sample to the next.
    """
    space, modality = scene.space, scene.model.modality
    n = items or modality.film_items
    condition = scene.conditions(n)
    repeated = None if condition is None else condition.repeat(STOPS, *[1] * (condition.ndim - 1))
    points = space.draw(STOPS * n, scene.seed, repeated).view(STOPS, n, -1)
    fixed = ~space.movable  # one-hot parts, which have no values in between
    points[:, :, fixed] = points[:1, :, fixed]
    for stop in range(STOPS):
        walks = space.between(points[stop], points[(stop + 1) % STOPS], steps + 1)[:-1]  # (steps, n, full width)
        for step, here in enumerate(walks):
            progress(stop * steps + step + 1, STOPS * steps)
            yield Samples(modality.decode(space.generate(here, condition)), None, modality).preview()


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

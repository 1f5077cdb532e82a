"""Sheets of many small images, for people to look at."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

MAX_FRAME_SIDE = 480  # pixels of an animation
FRAME_DURATION = 250  # milliseconds; the last frame is shown 8 times as long
SHEET_SIDE = 640  # pixels: the longer side that a sheet of small images is enlarged to, at most


def sheet(images: NDArray[np.uint8] | Sequence[NDArray[np.uint8]], columns: int) -> Image.Image:
    """Images (n, h, w, c) in a grid: small ones are enlarged by a whole factor, alpha is blended with white."""
    stacked = np.asarray(images)
    n, height, width, channels = stacked.shape
    if channels == 4:
        alpha = stacked[..., 3:] / 255
        stacked = np.round(stacked[..., :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)
    rows = -(-n // columns)
    gap = 1
    page = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, stacked.shape[-1]), 255, np.uint8)
    for i, image in enumerate(stacked):
        top, left = i // columns * (height + gap), i % columns * (width + gap)
        page[top : top + height, left : left + width] = image
    grid = Image.fromarray(page.squeeze(-1) if page.shape[-1] == 1 else page)
    times = max(1, SHEET_SIDE // max(grid.size))
    return grid.resize((grid.width * times, grid.height * times), Image.Resampling.NEAREST)


def animation(paths: Sequence[Path]) -> bytes:
    """Sheets of one size as the frames of a GIF."""
    frames = []
    for path in paths:
        with Image.open(path) as opened:
            frame = opened.convert("RGB")
        frame.thumbnail((MAX_FRAME_SIDE, MAX_FRAME_SIDE))
        frames.append(frame.quantize(64))
    file = io.BytesIO()
    durations = [FRAME_DURATION] * (len(frames) - 1) + [8 * FRAME_DURATION]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], duration=durations, loop=0)
    return file.getvalue()

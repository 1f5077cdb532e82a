"""Sheets of many small pictures, for people to look at."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

FRAME = 480  # pixels of an animation's longer side, at most
PACE = 250  # milliseconds a frame; the last stays longer
SHEET = 640  # pixels that a sheet of small pictures is enlarged towards


def sheet(pictures: NDArray[np.uint8] | Sequence[NDArray[np.uint8]], columns: int) -> Image.Image:
    """Pictures (n, h, w, c) side by side, small ones enlarged by whole pixels, alpha on white."""
    stacked = np.asarray(pictures)
    n, height, width, channels = stacked.shape
    if channels == 4:
        alpha = stacked[..., 3:] / 255
        stacked = np.round(stacked[..., :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)
    rows = -(-n // columns)
    gap = 1
    page = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, stacked.shape[-1]), 255, np.uint8)
    for i, picture in enumerate(stacked):
        top, left = i // columns * (height + gap), i % columns * (width + gap)
        page[top : top + height, left : left + width] = picture
    image = Image.fromarray(page.squeeze(-1) if page.shape[-1] == 1 else page)
    times = max(1, SHEET // max(image.size))
    return image.resize((image.width * times, image.height * times), Image.Resampling.NEAREST)


def animation(paths: Sequence[Path]) -> bytes:
    """Sheets of one size as the frames of a GIF."""
    frames = []
    for path in paths:
        with Image.open(path) as opened:
            frame = opened.convert("RGB")
        frame.thumbnail((FRAME, FRAME))
        frames.append(frame.quantize(64))
    file = io.BytesIO()
    pace = [PACE] * (len(frames) - 1) + [8 * PACE]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], duration=pace, loop=0)
    return file.getvalue()

"""Clips on paper: contact sheets, strips and space-time slices."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sparring.sheets import sheet

Pixels = NDArray[np.uint8]
MAX_SHOWN = 16  # frames of a clip on a contact sheet, at most,
MAX_IN_STRIP = 8  # and on a strip


def on_white(frames: Pixels) -> Pixels:
    """Frames (..., c) in color, (..., 3)."""
    if frames.shape[-1] == 1:
        return np.concatenate([frames, frames, frames], -1)
    if frames.shape[-1] == 3:
        return frames
    alpha = frames[..., 3:].astype(np.float32) / 255
    placed: Pixels = np.empty((*frames.shape[:-1], 3), np.uint8)
    placed[...] = np.round(frames[..., :3] * alpha + 255 * (1 - alpha))
    return placed


def some(clip: Pixels, most: int) -> Pixels:
    """At most so many frames of a clip (t, h, w, c), evenly spaced."""
    chosen: Pixels = clip[np.linspace(0, len(clip) - 1, min(most, len(clip))).round().astype(int)]
    return chosen


def contact_sheet(clips: Pixels) -> Image.Image:
    """A row for each clip (n, t, h, w, c): its frames from left to right."""
    rows = [some(clip, MAX_SHOWN) for clip in clips]
    return sheet(np.concatenate(rows), len(rows[0]))


def strip(clip: Pixels) -> Image.Image:
    """Some frames of a clip (t, h, w, c) side by side."""
    frames = on_white(some(clip, MAX_IN_STRIP))
    return Image.fromarray(np.concatenate(list(frames), 1))


def slices(clips: Pixels) -> Image.Image:
    """Space-time slices of clips (n, t, h, w, c): the middle row of pixels of each frame, time from top to bottom."""
    middle = on_white(clips)[:, :, clips.shape[2] // 2]  # (n, t, w, 3)
    times = max(1, clips.shape[3] // clips.shape[1])
    return sheet(middle.repeat(times, 1), min(8, len(middle)))


def matrix(clips: Pixels, contents: int) -> Image.Image:
    """The middle frames of clips of each content with each motion, a content in each row.

    Args:
        clips: (contents * motions, t, h, w, c), content by content.
    """
    return sheet(np.stack([clip[len(clip) // 2] for clip in clips]), len(clips) // contents)


def stacked(parts: list[Image.Image], gap: int = 8) -> Image.Image:
    """Images below one another, of one width."""
    width = max(part.width for part in parts)
    sized = [
        part.convert("RGB").resize((width, round(part.height * width / part.width)), Image.Resampling.NEAREST)
        for part in parts
    ]
    page = Image.new("RGB", (width, sum(p.height + gap for p in sized) - gap), "white")
    top = 0
    for part in sized:
        page.paste(part, (0, top))
        top += part.height + gap
    return page

"""From films to clips of one size, one rate and one number of frames."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sparring.data import store
from sparring.data.sources import Unreadable
from sparring.data.store import Decoded, Progress, Row, no_progress
from sparring.errors import InputError
from sparring.modalities.images.decoding import squared
from sparring.modalities.video.films import Films, Readable
from sparring.modalities.video.shown import at_rate

VERSION = 1  # of the decoder; a new one decodes all films again

Frame = NDArray[np.uint8]


@dataclass(frozen=True)
class Cut:
    """How films are cut into clips.

    Attributes:
        size: height and width of frames in pixels.
        channels: 1 for gray, 3 for color, 4 for color and alpha.
        frames: of a clip.
        rate: frames per second.
        stride: frames from the beginning of one clip to that of the next.
    """

    size: int
    channels: int
    frames: int
    rate: float
    stride: int


def decode(films: Films, cut: Cut, progress: Progress = no_progress) -> Decoded:
    """All clips of all films that can be read, uint8 (n, channels, frames, size, size).

    Films are decoded frame by frame, one at a time. A film that is too short, or damaged anywhere, is left out whole.

    Raises:
        InputError: if there are fewer than two clips, or the cache cannot be written.
    """

    def rows() -> Iterator[Row]:
        done = 0
        for parts, film in films.read():
            yield from _clips(films, parts, film, cut)
            done += len(parts)
            progress(done, len(films))

    shape = (cut.channels, cut.frames, cut.size, cut.size)
    return store.decode_rows(films, rows, shape, "uint8", f"clips {VERSION} {cut}")


def _clips(films: Films, parts: list[int], film: Readable, cut: Cut) -> Iterator[Row]:
    """Index of the part and each of its clips."""
    count = 0
    recent: deque[Frame] = deque(maxlen=cut.frames)
    waiting = list(parts)
    done = 0  # clips of the current part
    try:
        for i, frame in enumerate(frames(film, cut)):
            count = i + 1
            while len(waiting) > 1 and i / cut.rate >= films.films[waiting[0]].end:
                waiting.pop(0)
                recent.clear()
                done = 0
            recent.append(frame)
            in_part = i - round(films.films[waiting[0]].begin * cut.rate) + 1
            if len(recent) == cut.frames and (in_part - cut.frames) >= done * cut.stride:
                done += 1
                yield waiting[0], np.stack(recent, 1)  # (channels, frames, size, size)
    except InputError as error:
        for part in reversed(parts):
            yield part, Unreadable(str(error))
        return
    if count < cut.frames:
        yield parts[0], Unreadable(too_short(count, cut))


def too_short(count: int, cut: Cut) -> str:
    """Why a film of so many frames is left out."""
    if count == 1:
        return "it has one frame only"
    return f"it has {count} frames at {cut.rate:g} a second, and a clip has {cut.frames}"


def frames(film: Readable, cut: Cut) -> Iterator[Frame]:
    """All frames of a film at the rate of clips, (channels, size, size) each. Frames that are shown for longer are
    converted once.

    Raises:
        InputError: if it cannot be read.
    """
    last: tuple[Image.Image, Frame] | None = None
    for image in at_rate(film.frames(cut.rate), cut.rate):
        if last is None or last[0] is not image:
            last = image, squared(image, cut.size, cut.channels)
        yield last[1]


def read_clips(films: Films, cut: Cut) -> NDArray[np.uint8]:
    """The first clip of each film, (n, frames, size, size, channels); for films of the user's own.

    Raises:
        InputError: if one cannot be read or is too short.
    """
    clips = []
    for parts, film in films.read():
        first: list[Frame] = []
        for frame in frames(film, cut):
            first.append(frame)
            if len(first) == cut.frames:
                break
        if len(first) < cut.frames:
            raise InputError(f"{films.names[parts[0]]} cannot be used: {too_short(len(first), cut)}")
        clips.append(np.stack(first).transpose(0, 2, 3, 1))
    return np.stack(clips)

"""Videos, frame by frame, with their sound."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from sparring.errors import InputError
from sparring.modalities.images.decoding import with_channels
from sparring.modalities.samples import as_image
from sparring.modalities.translation.files.film_reading import Frame, opened
from sparring.modalities.translation.files.film_writing import WITH_ALPHA, writing
from sparring.modalities.translation.files.photos import as_given, fill_holes, read_mask
from sparring.nets.tiles import Mapper, Pixels, as_bytes, as_input, mapped

MAX_BLEND = 0.8  # share of the previous frame where nothing moves
MOTION = 0.03  # difference that indicates motion, not noise; 1 is from black to white
RADIUS = 2  # of the square of pixels over which differences are averaged

# Frames as a net receives them, (h, w, c) -> each with its result (channels, times * h, times * w), in order.
Restore = Callable[[Iterator[Pixels]], Iterator[tuple[Pixels, Tensor]]]


def transform_video(
    mapper: Mapper,
    source: Path,
    out: Path,
    mask: Path | None = None,
    smooth: bool = True,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
    restore: Restore | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> int:
    """Write the results of a net for the frames of a video: with H.264 (VP9 in .webm), at the same times, with the same
    sound if the format of `out` supports it, and without any in an animation. Alpha is kept where the format has it,
    and transparent frames are placed on white otherwise.

    Args:
        mask: for nets that fill holes, an image of the frames' size, the same for all frames.
        smooth: reduce flicker, see `Steady`.
        progress: called with the number of frames done, and the approximate total.
        restore: transforms frames that need their neighbors; unless given, the net transforms each on its own.
        say: called with what the user should know.

    Returns:
        The number of frames.

    Raises:
        InputError: if the video cannot be read or written, or the mask does not fit.
    """
    with opened(source) as film:
        holes = _holes(source, mask, film.size) if mapper.masked else None
        steady = Steady(mapper.times) if smooth else None
        keeps = out.suffix.lower() in WITH_ALPHA
        width, height = (mapper.times * side for side in film.size)
        waiting: deque[Frame] = deque()  # frames whose results are not there yet
        done, lost = 0, False
        with writing(film, out, (width, height), keeps and (film.alpha or mapper.out_channels == 4)) as sink:

            def frames() -> Iterator[Pixels]:
                nonlocal lost
                for part in film.parts():
                    if not isinstance(part, Frame):
                        sink.sound(part)
                        continue
                    clear = part.image.mode == "RGBA" and not keeps
                    lost = lost or (clear and part.image.getextrema()[3][0] < 255)  # type: ignore[index]
                    waiting.append(replace(part, image=with_channels(part.image, 3)) if clear else part)
                    yield as_given(waiting[-1].image, mapper, holes)

            for given, y in (restore or partial(_one_by_one, mapper))(frames()):
                frame = waiting.popleft()
                sink.frame(_finished(mapper, given, y, steady, frame.image, keeps), frame)
                done += 1
                progress(done, max(done, film.total))
    if lost:
        kept = ", ".join(WITH_ALPHA)
        say(f"transparent frames of {source.name} are placed on white in {out.name}; {kept} keep transparency")
    return done


def _holes(source: Path, mask: Path | None, size: tuple[int, int]) -> Pixels:
    if mask is None:
        raise InputError(f"{source} has no transparent pixels to fill; give the holes by --mask FILE")
    return read_mask(mask, size, source)


def _one_by_one(mapper: Mapper, frames: Iterator[Pixels]) -> Iterator[tuple[Pixels, Tensor]]:
    for given in frames:
        yield given, torch.cat(list(mapped(mapper, given)), 1)


def _finished(
    mapper: Mapper, given: Pixels, y: Tensor, steady: Steady | None, image: Image.Image, keeps: bool
) -> Pixels:
    """(times * h, times * w, 3), or with alpha: that of a net that generates it, or else that of the given image.

    Args:
        image: the frame that was given.
        keeps: True if alpha can be written.
    """
    y = y if steady is None else steady(as_input(given), y)
    pixels = as_bytes(y)
    made = as_image(fill_holes(given, pixels) if mapper.masked else pixels)
    if keeps and made.mode == "RGBA":
        return np.asarray(made)
    made = with_channels(made, 3)
    if keeps and image.mode == "RGBA":
        made.putalpha(image.getchannel("A").resize(made.size, Image.Resampling.BICUBIC))
    return np.asarray(made)


class Steady:
    """Reduces flicker: where the input does not change, the output is blended with the previous output.

    The share of the previous output is 0.8 exp(-d / 0.03), with d the absolute difference of the inputs, averaged over
    channels and 5 x 5 pixels; 1 is from black to white.
    """

    def __init__(self, times: int) -> None:
        self.times = times
        self._last: tuple[Tensor, Tensor] | None = None

    def __call__(self, x: Tensor, y: Tensor) -> Tensor:
        """The blended next frame (channels, times * h, times * w).

        Args:
            x: the input (1, channels, h, w) in [-1, 1].
            y: the output of the net for it.
        """
        if self._last is not None:
            moved = F.pad((x - self._last[0]).abs().mean(1) / 2, [RADIUS] * 4, "replicate")
            share = MAX_BLEND * torch.exp(-F.avg_pool2d(moved, 2 * RADIUS + 1, 1) / MOTION)  # 1 h w
            share = share.repeat_interleave(self.times, 1).repeat_interleave(self.times, 2)
            y = torch.lerp(y, self._last[1], share)
        self._last = x, y
        return y

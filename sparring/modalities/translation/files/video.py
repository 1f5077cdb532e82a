"""Videos, frame by frame, with their sound."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from sparring.errors import InputError
from sparring.files import atomic_path, describe_error
from sparring.modalities.images.decoding import with_channels
from sparring.modalities.samples import as_image
from sparring.modalities.translation.files.photos import as_given, fill_holes, read_mask
from sparring.modalities.video import av_files
from sparring.nets.tiles import Mapper, Pixels, as_bytes, as_input, mapped

WRITTEN = {
    ".mp4": "mp4",
    ".mov": "mov",
    ".mkv": "matroska",
    ".webm": "webm",
    ".gif": "gif",
}  # formats of FFmpeg
READ = (*WRITTEN, ".m4v", ".avi")
# Codecs, with options for no visible loss. With B-frames, an .mp4 of uneven times would declare a wrong duration,
# that of the times at which frames are decoded.
H264 = ("libx264", {"crf": "18", "bf": "0"})
VP9 = ("libvpx-vp9", {"crf": "24", "b": "0", "cpu-used": "4", "row-mt": "1"})
BT709 = 1  # matrix, primaries and transfer function in ITU-T H.273
LIMITED = 1  # range of brightness, from 16 to 235
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
) -> int:
    """Write the results of a net for the frames of a video: with H.264 (VP9 in .webm), at the same times, with the same
    sound if the format of `out` supports it, and without any in a .gif.

    Args:
        mask: for nets that fill holes, an image of the frames' size, the same for all frames.
        smooth: reduce flicker, see `Steady`.
        progress: called with the number of frames done, and the approximate total.
        restore: transforms frames that need their neighbors; unless given, the net transforms each on its own.

    Returns:
        The number of frames.

    Raises:
        InputError: if the video cannot be read or written, or the mask does not fit.
    """
    av = av_files.library()
    name = str(source)
    with av_files.opened(source, name) as clip:
        first = next(part for part in av_files.packets(clip, name) if isinstance(part, av.VideoFrame))
    size = av_files.size_of(first)
    holes = _holes(source, mask, size) if mapper.masked else None
    steady = Steady(mapper.times) if smooth else None
    done = 0
    larger = mapper.times * size[0], mapper.times * size[1]
    with (
        av_files.opened(source, name) as clip,
        _writing(av, out),
        atomic_path(out) as part,
        _sink(av, clip, part, out, larger) as sink,
    ):
        total = av_files.frame_count(clip)
        waiting: deque[Any] = deque()  # frames whose results are not there yet

        def frames() -> Iterator[Pixels]:
            for packet in av_files.packets(clip, name):
                if isinstance(packet, av.VideoFrame):
                    waiting.append(packet)
                    yield as_given(av_files.upright(packet, first), mapper, holes)
                else:
                    sink.sound(packet)

        for given, y in (restore or partial(_one_by_one, mapper))(frames()):
            sink.frame(_finished(mapper, given, y, steady), waiting.popleft())
            done += 1
            progress(done, max(done, total))
    return done


def _holes(source: Path, mask: Path | None, size: tuple[int, int]) -> Pixels:
    if mask is None:
        raise InputError(f"{source} has no transparent pixels to fill; give the holes by --mask FILE")
    return read_mask(mask, size, source)


def _one_by_one(mapper: Mapper, frames: Iterator[Pixels]) -> Iterator[tuple[Pixels, Tensor]]:
    for given in frames:
        yield given, torch.cat(list(mapped(mapper, given)), 1)


def _finished(mapper: Mapper, given: Pixels, y: Tensor, steady: Steady | None) -> Pixels:
    """(times * h, times * w, 3)."""
    y = y if steady is None else steady(as_input(given), y)
    pixels = as_bytes(y)
    image = as_image(fill_holes(given, pixels) if mapper.masked else pixels)
    return np.asarray(with_channels(image, 3))


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


@contextmanager
def _writing(av: Any, out: Path) -> Iterator[None]:
    try:
        yield
    except av.FFmpegError as error:
        raise InputError(f"cannot write {out}: {describe_error(error)}") from error


@contextmanager
def _sink(av: Any, clip: Any, part: Path, out: Path, size: tuple[int, int]) -> Iterator[Encoded | Animation]:
    """The output for frames and sound, which is finished if no error occurs."""
    kind = WRITTEN[out.suffix.lower()]
    rate = av_files.rate_of(clip)
    if kind == "gif":
        animation = Animation(rate)
        yield animation
        animation.finish(part)
        return
    with av.open(str(part), "w", format=kind) as file:
        encoded = Encoded(av, file, clip, size, rate)
        yield encoded
        encoded.finish()


class Encoded:
    """A video file that is written frame by frame. Odd sides are extended by a pixel, because H.264 needs even ones."""

    def __init__(self, av: Any, file: Any, clip: Any, size: tuple[int, int], rate: Fraction) -> None:
        self._av, self._file = av, file
        source = clip.streams.best("video")
        codec, options = VP9 if file.format.name == "webm" else H264
        self._stream = file.add_stream(codec, rate=rate, options=options)
        context = self._stream.codec_context
        context.width, context.height = (side + side % 2 for side in size)
        context.pix_fmt, context.time_base = "yuv420p", source.time_base
        context.colorspace = context.color_primaries = context.color_trc = BT709
        context.color_range = LIMITED
        context.sample_aspect_ratio = source.sample_aspect_ratio or Fraction(
            1
        )  # pixels of old videos may not be square
        self._step = max(1, round(1 / (rate * source.time_base)))
        self._last = -self._step
        self._durations: dict[int, int] = {}
        self._sounds = {stream.index: _copied(file, stream) for stream in clip.streams.audio}

    def frame(self, pixels: Pixels, like: Any) -> None:
        """Encode pixels (h, w, 3) at the time of the original frame."""
        height, width = pixels.shape[:2]
        pixels = np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), "edge")
        frame = self._av.VideoFrame.from_ndarray(pixels, format="rgb24")
        frame = frame.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")
        self._last = max(self._last + 1, self._last + self._step if like.pts is None else like.pts)
        frame.pts, frame.time_base = self._last, self._stream.codec_context.time_base
        self._durations[self._last] = like.duration
        self._write(self._stream.encode(frame))

    def sound(self, packet: Any) -> None:
        """Copy a packet of sound if the file has its stream."""
        stream = self._sounds[packet.stream.index]
        if stream is not None:
            packet.stream = stream
            self._file.mux(packet)

    def finish(self) -> None:
        self._write(self._stream.encode())

    def _write(self, packets: list[Any]) -> None:
        for packet in packets:
            # The encoder gives all frames the same duration, so that the last one's would be lost.
            packet.duration = self._durations.pop(packet.pts, self._step) or self._step
            self._file.mux(packet)


def _copied(file: Any, stream: Any) -> Any:
    """A stream for the same sound; None if the format does not support it."""
    try:
        return file.add_stream_from_template(stream)
    except ValueError:
        return None


class Animation:
    """A GIF. All frames are kept in memory until the end, with a palette and one byte per pixel."""

    def __init__(self, rate: Fraction) -> None:
        self._rate = rate
        self._frames: list[Image.Image] = []
        self._times: list[Fraction] = []  # seconds
        self._end = Fraction(0)

    def frame(self, pixels: Pixels, like: Any) -> None:
        """Add pixels (h, w, 3) at the time of the original frame."""
        begin = self._end if like.pts is None else like.pts * like.time_base
        self._end = begin + (like.duration * like.time_base or 1 / self._rate)
        self._times.append(begin)
        self._frames.append(Image.fromarray(pixels).quantize(256))

    def sound(self, packet: Any) -> None:
        """A GIF has no sound."""

    def finish(self, path: Path) -> None:
        # Times are rounded, not durations, to avoid a drift at 30 frames per second: GIF counts in hundredths.
        hundredths = [round(100 * time) for time in (*self._times, self._end)]
        durations = [10 * max(1, end - begin) for begin, end in pairwise(hundredths)]
        first, *others = self._frames
        first.save(path, "GIF", save_all=True, append_images=others, duration=durations, loop=0)

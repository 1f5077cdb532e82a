"""Videos, frame by frame, with their sound."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from sparring.errors import InputError, needs
from sparring.files import beside, reason
from sparring.modalities.images.decoding import with_channels
from sparring.nets.tiles import Mapper, Pixels, as_bytes, as_input, mapped
from sparring.use.apply.photos import as_given, as_image, kept, read_mask

WRITTEN = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm", ".gif": "gif"}  # as FFmpeg names them
READ = (*WRITTEN, ".avi")
# Codecs, with options for pictures without visible loss.
H264 = ("libx264", {"crf": "18"})
VP9 = ("libvpx-vp9", {"crf": "24", "b": "0", "cpu-used": "4", "row-mt": "1"})
BT709 = 1  # a matrix, primaries and a transfer, in the numbers of ITU-T H.273
LIMITED = 1  # a range of brightness, from 16 to 235
KEPT = 0.8  # of the frame before, where nothing moves at all
MOTION = 0.03  # of black to white: a difference that is taken for motion, not for noise
AROUND = 2  # pixels about each over which differences are averaged
RATE = 25  # frames a second where a file does not say


def filmed(
    mapper: Mapper,
    source: Path,
    out: Path,
    mask: Path | None = None,
    smooth: bool = True,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> int:
    """Write what a net makes of a video's frames: with H.264 (VP9 in .webm), at the same times, with the same sound
    where the format of `out` takes it, and without any in a .gif.

    Args:
        mask: for nets that fill pixels, a picture of the frames' size, the same for all of them.
        smooth: hold what does not move still, see `Steady`.
        progress: told how many frames are done, of about how many.

    Returns:
        The number of frames.

    Raises:
        InputError: where the video cannot be read or written, or the mask does not fit.
    """
    av = needs("av", "video", "reads and writes videos")
    with _opened(av, source) as clip:
        first = next(found for found in _read(av, clip, source) if isinstance(found, av.VideoFrame))
    size = _size(first)
    holes = _holes(source, mask, size) if mapper.masked else None
    steady = Steady(mapper.times) if smooth else None
    done = 0
    larger = mapper.times * size[0], mapper.times * size[1]
    with (
        _opened(av, source) as clip,
        _writing(av, out),
        beside(out) as part,
        _sink(av, clip, part, out, larger) as sink,
    ):
        of = _number(av, clip)
        for found in _read(av, clip, source):
            if not isinstance(found, av.VideoFrame):
                sink.sound(found)
                continue
            given = as_given(_upright(found, first), mapper, holes)
            sink.frame(_made(mapper, given, steady), found)
            done += 1
            progress(done, max(done, of))
    return done


def _holes(source: Path, mask: Path | None, size: tuple[int, int]) -> Pixels:
    if mask is None:
        raise InputError(f"{source} has no transparent pixels to fill; say which to fill with --mask FILE")
    return read_mask(mask, size, source)


def _made(mapper: Mapper, given: Pixels, steady: Steady | None) -> Pixels:
    """(times * h, times * w, 3)."""
    y = torch.cat(list(mapped(mapper, given)), 1)
    y = y if steady is None else steady(as_input(given), y)
    pixels = as_bytes(y)
    picture = as_image(kept(given, pixels) if mapper.masked else pixels)
    return np.asarray(with_channels(picture, 3))


class Steady:
    """Less flicker: where the input does not move, the output is blended with the frame before.

    Of output pixels whose input has changed by d, a share 0.8 exp(-d / 0.03) is that of the frame before as it was
    shown, with d the mean over channels and 5 x 5 pixels, of black to white.
    """

    def __init__(self, times: int) -> None:
        self.times = times
        self._last: tuple[Tensor, Tensor] | None = None

    def __call__(self, x: Tensor, y: Tensor) -> Tensor:
        """The next frame as it is shown, (made, times * h, times * w), of an input (1, channels, h, w) in [-1, 1]."""
        if self._last is not None:
            moved = F.pad((x - self._last[0]).abs().mean(1) / 2, [AROUND] * 4, "replicate")
            share = KEPT * torch.exp(-F.avg_pool2d(moved, 2 * AROUND + 1, 1) / MOTION)  # 1 h w
            share = share.repeat_interleave(self.times, 1).repeat_interleave(self.times, 2)
            y = torch.lerp(y, self._last[1], share)
        self._last = x, y
        return y


@contextmanager
def _opened(av: Any, source: Path) -> Iterator[Any]:
    """A video to be read.

    Raises:
        InputError: where it is none.
    """
    try:
        clip = av.open(str(source))
    except (av.FFmpegError, OSError) as error:
        raise InputError(_unreadable(source, error)) from error
    with clip:
        if clip.streams.best("video") is None:
            raise InputError(f"{source} has no moving pictures, whatever its suffix says; give a video")
        yield clip


def _unreadable(source: Path, error: Exception) -> str:
    return f"{source} cannot be read as a video: {str(getattr(error, 'strerror', error)).lower()}; give another"


def _read(av: Any, clip: Any, source: Path) -> Iterator[Any]:
    """A video's frames, decoded, and its packets of sound, as they are, in the file's order.

    Raises:
        InputError: where it is damaged, or there are no frames.
    """
    picture = clip.streams.best("video")
    frames = 0
    try:
        for packet in clip.demux(picture, *clip.streams.audio):
            if packet.stream.index == picture.index:
                for frame in packet.decode():
                    frames += 1
                    yield frame
            elif packet.dts is not None:  # the last one of a stream is empty
                yield packet
    except av.FFmpegError as error:
        raise InputError(_unreadable(source, error)) from error
    if not frames:
        raise InputError(f"{source} holds no frames; give another video")


def _number(av: Any, clip: Any) -> int:
    """About how many frames there are; 0 where the file does not say."""
    stream = clip.streams.best("video")
    return int(stream.frames or (clip.duration or 0) / av.time_base * (stream.average_rate or RATE))


def _turns(frame: Any) -> int:
    """Quarter turns against the clock that put a frame upright."""
    return int(frame.rotation) // 90 % 4


def _size(frame: Any) -> tuple[int, int]:
    """Width and height of a frame that is put upright."""
    return (frame.height, frame.width) if _turns(frame) % 2 else (frame.width, frame.height)


def _upright(frame: Any, first: Any) -> Image.Image:
    """A frame in RGB, as large as the first, in which the file's frames may differ."""
    pixels = frame.to_ndarray(format="rgb24", width=first.width, height=first.height)
    return Image.fromarray(np.ascontiguousarray(np.rot90(pixels, _turns(first))))


@contextmanager
def _writing(av: Any, out: Path) -> Iterator[None]:
    try:
        yield
    except av.FFmpegError as error:
        raise InputError(f"cannot write {out}: {reason(error)}") from error


@contextmanager
def _sink(av: Any, clip: Any, part: Path, out: Path, size: tuple[int, int]) -> Iterator[Encoded | Animation]:
    """What takes frames and sound; finished where nothing goes wrong."""
    kind = WRITTEN[out.suffix.lower()]
    rate = clip.streams.best("video").average_rate or Fraction(RATE)
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
    """A video file that is written frame by frame. Sides become even, as H.264 has them."""

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
        context.sample_aspect_ratio = source.sample_aspect_ratio or Fraction(1)  # pixels of old videos are not square
        self._step = max(1, round(1 / (rate * source.time_base)))
        self._last = -self._step
        self._durations: dict[int, int] = {}
        self._sounds = {stream.index: _copied(file, stream) for stream in clip.streams.audio}

    def frame(self, pixels: Pixels, like: Any) -> None:
        """Encode pixels (h, w, 3), at the time of another frame."""
        height, width = pixels.shape[:2]
        pixels = np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), "edge")
        frame = self._av.VideoFrame.from_ndarray(pixels, format="rgb24")
        frame = frame.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")
        self._last = max(self._last + 1, self._last + self._step if like.pts is None else like.pts)
        frame.pts, frame.time_base = self._last, self._stream.codec_context.time_base
        self._durations[self._last] = like.duration
        self._write(self._stream.encode(frame))

    def sound(self, packet: Any) -> None:
        """Copy a packet of sound, where the file has its stream."""
        stream = self._sounds[packet.stream.index]
        if stream is not None:
            packet.stream = stream
            self._file.mux(packet)

    def finish(self) -> None:
        self._write(self._stream.encode())

    def _write(self, packets: list[Any]) -> None:
        for packet in packets:
            # The encoder gives all frames the same duration, and the last one's would be lost.
            packet.duration = self._durations.pop(packet.pts, self._step) or self._step
            self._file.mux(packet)


def _copied(file: Any, stream: Any) -> Any:
    """A stream for the same sound; None where the format does not take it."""
    try:
        return file.add_stream_from_template(stream)
    except ValueError:
        return None


class Animation:
    """A GIF. Its frames are held as palettes and numbers until the last has come, a byte for every pixel."""

    def __init__(self, rate: Fraction) -> None:
        self._rate = rate
        self._frames: list[Image.Image] = []
        self._times: list[Fraction] = []  # seconds
        self._end = Fraction(0)

    def frame(self, pixels: Pixels, like: Any) -> None:
        """Take pixels (h, w, 3), at the time of another frame."""
        begin = self._end if like.pts is None else like.pts * like.time_base
        self._end = begin + (like.duration * like.time_base or 1 / self._rate)
        self._times.append(begin)
        self._frames.append(Image.fromarray(pixels).quantize(256))

    def sound(self, packet: Any) -> None:
        """There is none in a GIF."""

    def finish(self, path: Path) -> None:
        # Rounding times, not durations, keeps 30 frames a second from drifting: GIF counts in hundredths.
        hundredths = [round(100 * time) for time in (*self._times, self._end)]
        durations = [10 * max(1, end - begin) for begin, end in pairwise(hundredths)]
        first, *others = self._frames
        first.save(path, "GIF", save_all=True, append_images=others, duration=durations, loop=0)

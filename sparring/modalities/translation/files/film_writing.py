"""Results of nets for the frames of a film, written as a film."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from sparring.errors import InputError
from sparring.files import atomic_path, describe_error
from sparring.modalities.translation.files.film_reading import Film, Frame
from sparring.modalities.video import av_files
from sparring.nets.tiles import Pixels

ENCODED = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}  # formats of FFmpeg
ANIMATED = (".gif", ".webp", ".apng")
WRITTEN = (*ENCODED, *ANIMATED)
WITH_ALPHA = (".webm", *ANIMATED)
# Codecs, with options for no visible loss. With B-frames, an .mp4 of uneven times would declare a wrong duration,
# that of the times at which frames are decoded.
H264 = ("libx264", {"crf": "18", "bf": "0"})
VP9 = ("libvpx-vp9", {"crf": "24", "b": "0", "cpu-used": "4", "row-mt": "1"})
WITHOUT_ALT_REF = {"auto-alt-ref": "0"}  # frames that libvpx cannot encode with alpha
BT709 = 1  # matrix, primaries and transfer function in ITU-T H.273
LIMITED = 1  # range of brightness, from 16 to 235
MIN_OPAQUE = 128  # alpha from which a pixel of a GIF is opaque
CLEAR = 255  # index of the transparent color in a GIF's palettes


@contextmanager
def writing(film: Film, out: Path, size: tuple[int, int], alpha: bool) -> Iterator[Encoded | Animated]:
    """The output for frames and sound, which is finished if no error occurs.

    Args:
        film: that they are made from.
        size: width and height of the frames.
        alpha: True if they may be transparent; only for the formats in `WITH_ALPHA`.

    Raises:
        InputError: if it cannot be written.
    """
    suffix = out.suffix.lower()
    with atomic_path(out) as part:
        if suffix in ANIMATED:
            animated = Animated(film, suffix)
            yield animated
            animated.finish(part)
            return
        av = av_files.library()
        try:
            with av.open(str(part), "w", format=ENCODED[suffix]) as file:
                encoded = Encoded(av, file, film, size, alpha)
                yield encoded
                encoded.finish()
        except av.FFmpegError as error:
            raise InputError(f"cannot write {out}: {describe_error(error)}") from error


class Encoded:
    """A video file that is written frame by frame. Odd sides are extended by a pixel, because H.264 needs even ones."""

    def __init__(self, av: Any, file: Any, film: Film, size: tuple[int, int], alpha: bool) -> None:
        self._av, self._file, self._alpha = av, file, alpha
        codec, options = VP9 if file.format.name == "webm" else H264
        chosen = options | (WITHOUT_ALT_REF if alpha else {})
        self._stream = file.add_stream(codec, rate=film.rate, options=chosen)
        context = self._stream.codec_context
        context.width, context.height = (side + side % 2 for side in size)
        context.pix_fmt, context.time_base = "yuva420p" if alpha else "yuv420p", film.time_base
        context.colorspace = context.color_primaries = context.color_trc = BT709
        context.color_range = LIMITED
        context.sample_aspect_ratio = film.aspect
        self._step = max(1, round(1 / (film.rate * film.time_base)))
        self._last = -self._step
        self._durations: dict[int, int] = {}
        self._sounds = {stream.index: _copied(file, stream) for stream in film.sounds}

    def frame(self, pixels: Pixels, like: Frame) -> None:
        """Encode pixels (h, w, 3 or 4) at the time of the original frame."""
        height, width, channels = pixels.shape
        if self._alpha and channels == 3:
            pixels = np.dstack([pixels, np.full((height, width), 255, np.uint8)])
        pixels = np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), "edge")
        frame = self._av.VideoFrame.from_ndarray(pixels, format="rgba" if self._alpha else "rgb24")
        format = self._stream.codec_context.pix_fmt
        frame = frame.reformat(format=format, dst_colorspace="ITU709", dst_color_range="MPEG")
        self._last = max(self._last + 1, self._last + self._step if like.begin is None else like.begin)
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


class Animated:
    """An animation. All frames are kept in memory until the end; those of a GIF with a palette and one byte per pixel.

    Args:
        film: that frames are made from.
        suffix: one of `ANIMATED`.
    """

    def __init__(self, film: Film, suffix: str) -> None:
        self._film, self._suffix = film, suffix
        self._frames: list[Image.Image] = []
        self._times: list[Fraction] = []  # seconds
        self._end = Fraction(0)

    def frame(self, pixels: Pixels, like: Frame) -> None:
        """Add pixels (h, w, 3 or 4) at the time of the original frame."""
        begin = self._end if like.begin is None else like.begin * self._film.time_base
        self._end = begin + (like.duration * self._film.time_base or 1 / self._film.rate)
        self._times.append(begin)
        self._frames.append(_with_palette(pixels) if self._suffix == ".gif" else Image.fromarray(pixels))

    def sound(self, packet: Any) -> None:
        """An animation has no sound."""

    def finish(self, path: Path) -> None:
        # Times are rounded, not durations, to avoid a drift at 30 frames per second: GIF counts in hundredths.
        unit = 10 if self._suffix == ".gif" else 1  # milliseconds
        borders = [round(1000 * time / unit) for time in (*self._times, self._end)]
        durations = [unit * max(1, end - begin) for begin, end in pairwise(borders)]
        first, *others = self._frames
        format, options = {
            ".gif": ("GIF", self._clear()), ".webp": ("WEBP", {"lossless": True}), ".apng": ("PNG", {"blend": 0}),
        }[self._suffix]  # fmt: skip
        first.save(path, format, save_all=True, append_images=others, duration=durations, loop=0, **options)

    def _clear(self) -> dict[str, Any]:
        """Options of a GIF some of whose frames are transparent: each replaces the one before."""
        clear = any("transparency" in frame.info for frame in self._frames)
        return {"transparency": CLEAR, "disposal": 2} if clear else {}


def _with_palette(pixels: Pixels) -> Image.Image:
    """Pixels (h, w, 3 or 4) with a palette. With alpha, each is either transparent or opaque."""
    if pixels.shape[2] == 3:
        return Image.fromarray(pixels).quantize(256)
    colors = Image.fromarray(np.ascontiguousarray(pixels[..., :3])).quantize(CLEAR)
    indices = np.where(pixels[..., 3] < MIN_OPAQUE, CLEAR, np.asarray(colors)).astype(np.uint8)
    image = Image.fromarray(indices, "P")
    image.putpalette(colors.getpalette() or [])
    image.info["transparency"] = CLEAR
    return image

"""Film files by FFmpeg: opened, and their frames with the times at which they are shown."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from sparring.errors import InputError, needs
from sparring.modalities.images.decoding import MAX_PIXELS
from sparring.modalities.video.shown import Shown, until_next

RATE = 25  # frames per second if a file does not specify it
ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}  # FFmpeg's own decoders of these codecs leave alpha out
MIN_DECODED = 0.9  # share of the declared duration that is decoded at least, or the file is cut off


def library() -> Any:
    """PyAV.

    Raises:
        InputError: if it is not installed.
    """
    return needs("av", "video", "reads and writes videos")


@contextmanager
def opened(source: Path | bytes, name: str) -> Iterator[Any]:
    """A video that is read.

    Args:
        source: a file, or its content.
        name: of the file, for messages.

    Raises:
        InputError: if it is not a video.
    """
    av = library()
    given = io.BytesIO(source) if isinstance(source, bytes) else str(source)
    try:
        clip = av.open(given, metadata_errors="replace")  # titles in any encoding
    except (av.FFmpegError, OSError) as error:
        raise InputError(unreadable(name, error)) from error
    with clip:
        stream = clip.streams.best("video")
        if stream is None or getattr(stream, "codec_context", None) is None:  # PyAV knows no decoder for it
            raise InputError(f"{name} has no video stream, despite its suffix; give a video")
        if stream.width * stream.height > MAX_PIXELS:
            shown = f"{stream.width:,} x {stream.height:,}"
            raise InputError(f"{name} has frames of {shown} pixels, like a decompression bomb; give a smaller video")
        yield clip


def unreadable(name: str, error: Exception) -> str:
    """Why a file is not read, for the user."""
    return f"{name} cannot be read as a video: {str(getattr(error, 'strerror', error)).lower()}; give another file"


def packets(clip: Any, name: str) -> Iterator[Any]:
    """The decoded frames of a video and its packets of sound, unchanged, in the order of the file.

    Raises:
        InputError: if it is damaged, or there are no frames.
    """
    av = library()
    video = clip.streams.best("video")
    decoder, frames = _alpha_decoder(video), 0
    try:
        for packet in clip.demux(video, *clip.streams.audio):
            if packet.stream.index == video.index:
                for frame in packet.decode() if decoder is None else decoder.decode(packet):
                    frames += 1
                    yield frame
            elif packet.dts is not None:  # the last packet of a stream is empty
                yield packet
    except av.FFmpegError as error:
        raise InputError(unreadable(name, error)) from error
    if not frames:
        raise InputError(f"{name} holds no frames; give another video")


def _alpha_decoder(stream: Any) -> Any | None:
    """The decoder of a .webm or .mkv with alpha, which these mark and store beside the frames; None for others."""
    av = library()
    marked = {key.lower(): value for key, value in stream.metadata.items()}.get("alpha_mode") == "1"
    name = ALPHA_DECODERS.get(stream.codec_context.name, "") if marked else ""
    return av.CodecContext.create(name, "r") if name in av.codecs_available else None


def frame_count(clip: Any) -> int:
    """Approximate number of frames; 0 if the file does not specify it."""
    stream = clip.streams.best("video")
    return int(stream.frames or seconds_of(clip) * rate_of(clip))


def rate_of(clip: Any) -> Fraction:
    """Average number of frames per second."""
    return clip.streams.best("video").average_rate or Fraction(RATE)


def seconds_of(clip: Any) -> float:
    """Duration as the file declares it; 0 if it does not."""
    return float(clip.duration or 0) / float(library().time_base)


def turns(frame: Any) -> int:
    """Number of counterclockwise quarter turns that make a frame upright."""
    return int(frame.rotation) // 90 % 4


def size_of(frame: Any) -> tuple[int, int]:
    """Width and height of an upright frame."""
    return (frame.height, frame.width) if turns(frame) % 2 else (frame.width, frame.height)


def upright(frame: Any, first: Any, format: str = "rgb24") -> Image.Image:
    """A frame at the size of the first; the frames of a file may differ in size."""
    pixels = frame.to_ndarray(format=format, width=first.width, height=first.height)
    return Image.fromarray(np.ascontiguousarray(np.rot90(pixels, turns(first))))


def shown(source: Path | bytes, name: str) -> Iterator[Shown]:
    """The frames of a video in the order of their times, one of them in memory at a time.

    Raises:
        InputError: if it is no video, or it is damaged or cut off.
    """
    with opened(source, name) as clip:
        video = clip.streams.best("video")
        declared, step = seconds_of(clip), 1 / float(rate_of(clip))
        if video.duration is not None:
            declared = float(video.duration * video.time_base)
        end = 0.0
        for frame in until_next(_timed(clip, video, step, name), step):
            end = frame.end
            yield frame
        if end < MIN_DECODED * declared - 2 * step:
            raise InputError(f"{name} is cut off after {end:.1f} of {declared:.1f} seconds; give the whole file")


def _timed(clip: Any, video: Any, step: float, name: str) -> Iterator[tuple[float, Image.Image]]:
    first, start, format = None, 0.0, "rgb24"
    frames = (part for part in packets(clip, name) if isinstance(part, library().VideoFrame))
    for i, frame in enumerate(frames):
        time = i * step if frame.pts is None else float(frame.pts * video.time_base)
        if first is None:
            first, start = frame, time
            format = "rgba" if any(part.is_alpha for part in frame.format.components) else "rgb24"
        yield time - start, upright(frame, first, format)

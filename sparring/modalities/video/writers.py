"""Clips as files: one clip, or several that play side by side."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from fractions import Fraction
from math import isqrt
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sparring.modalities.audio.decoding import resampled
from sparring.modalities.video import av_files
from sparring.modalities.video.drawing import on_white

Pixels = NDArray[np.uint8]
MIN_SIDE = 256  # pixels that a film of small frames is enlarged to
MAX_DENOMINATOR = 1001  # of the number of frames per second in a film file
VISUALLY_LOSSLESS = {"crf": "10"}
SOUND_RATE = 48_000  # samples per second of the sound of films
LAYOUTS = {1: "mono", 2: "stereo"}
BT709 = 1  # matrix, primaries and transfer function in ITU-T H.273
LIMITED = 1  # range of brightness, from 16 to 235
FILMS = (".mp4", ".webp", ".gif", ".apng")  # suffixes of single films


def side_by_side(clips: Pixels) -> Pixels:
    """Clips (n, t, h, w, c) in a grid as one clip (t, rows h, columns w, c). Places without a clip are white."""
    n, t, height, width, channels = clips.shape
    columns = isqrt(n - 1) + 1
    rows = -(-n // columns)
    page = np.full((rows * columns, *clips.shape[1:]), 255, np.uint8)
    page[:n] = clips
    grid = page.reshape(rows, columns, t, height, width, channels).transpose(2, 0, 3, 1, 4, 5)
    return grid.reshape(t, rows * height, columns * width, channels)


def enlarged(frames: Pixels) -> Pixels:
    """Frames (t, h, w, c) enlarged by an even factor if they are small, so that the coarser colors of a film file lose
    nothing.
    """
    times = MIN_SIDE // max(frames.shape[1:3]) // 2 * 2
    return frames.repeat(times, 1).repeat(times, 2) if times > 1 else frames


def write_mp4(clips: Pixels, rate: float, path: Path) -> None:
    """An MP4 file with H.264: visually lossless, with all frames at this rate. Odd sides are extended by a pixel,
    because H.264 needs even ones.

    Args:
        clips: (n, t, h, w, c); those with alpha are placed on white.
        rate: frames per second.
    """
    _encode(iter(side_by_side(clips)), rate, path)


def write_dubbed(frames: Iterator[Pixels], rate: float, sound: NDArray[np.float32], own: int, path: Path) -> None:
    """An MP4 file with sound, in AAC at 48 kHz.

    Args:
        frames: (h, w, c) each.
        rate: frames per second.
        sound: (samples, channels), full scale at 1.
        own: its samples per second.
    """
    _encode(frames, rate, path, resampled(sound, own, SOUND_RATE))


def _encode(frames: Iterator[Pixels], rate: float, path: Path, sound: NDArray[np.float32] | None = None) -> None:
    av = av_files.library()
    exact = Fraction(rate).limit_denominator(MAX_DENOMINATOR)
    with av.open(str(path), "w", format="mp4", options={"movflags": "faststart"}) as file:
        stream = file.add_stream("libx264", rate=exact, options=VISUALLY_LOSSLESS)
        context = stream.codec_context
        context.colorspace = context.color_primaries = context.color_trc = BT709
        context.color_range, stream.pix_fmt = LIMITED, "yuv420p"
        layout = "" if sound is None else LAYOUTS[sound.shape[1]]
        track = file.add_stream("aac", rate=SOUND_RATE, layout=layout) if layout else None
        for i, small in enumerate(frames):
            pixels = on_white(enlarged(small[None]))[0]
            pixels = np.pad(pixels, ((0, pixels.shape[0] % 2), (0, pixels.shape[1] % 2), (0, 0)), "edge")
            if not i:
                stream.height, stream.width = pixels.shape[:2]
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            file.mux(stream.encode(frame.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")))
        file.mux(stream.encode())
        if sound is not None and track is not None:
            planes = np.ascontiguousarray(sound.clip(-1, 1).T)
            heard = av.AudioFrame.from_ndarray(planes, format="fltp", layout=layout)
            heard.sample_rate = SOUND_RATE
            file.mux(track.encode(heard))
            file.mux(track.encode())


def write_film(frames: Iterator[Pixels], rate: float, path: Path, suffix: str) -> None:
    """A film of any length, (h, w, c) each frame. Frames of an .mp4 are written one by one; an animation is kept in
    memory until its end.

    Args:
        rate: frames per second.
        suffix: one of `FILMS`, which the path need not have.
    """
    if suffix == ".mp4":
        _encode(frames, rate, path)
    else:
        {".webp": write_webp, ".gif": write_gif, ".apng": write_apng}[suffix](np.stack(list(frames))[None], rate, path)


def write_gif(clips: Pixels, rate: float, path: Path) -> None:
    """A GIF that plays in a loop. It counts in hundredths of a second: the times of frames are rounded, not the delays,
    so that its length is right. Frames that do not change are one frame that is shown for longer.
    """
    images = [Image.fromarray(frame) for frame in on_white(side_by_side(clips))]
    first, *others = [image.quantize(256) for image in images]
    delays = [10 * delay for delay in _delays(len(images), 100 / rate)]
    first.save(path, "GIF", save_all=True, append_images=others, duration=delays, loop=0)


def write_webp(clips: Pixels, rate: float, path: Path) -> None:
    """A lossless animated WebP that plays in a loop, with alpha if there is some."""
    _animate(side_by_side(clips), rate, path, "WEBP", lossless=True)


def write_apng(clips: Pixels, rate: float, path: Path) -> None:
    """An animated PNG that plays in a loop, with alpha if there is some."""
    _animate(side_by_side(clips), rate, path, "PNG", blend=0)


def _animate(frames: Pixels, rate: float, path: Path | io.BytesIO, format: str, **options: object) -> None:
    first, *others = [Image.fromarray(frame.squeeze(-1) if frame.shape[-1] == 1 else frame) for frame in frames]
    delays = _delays(len(frames), 1000 / rate)
    first.save(path, format, save_all=True, append_images=others, duration=delays, loop=0, **options)


def _delays(frames: int, step: float) -> list[int]:
    """Whole delays of frames, whose sums are nearest to their times."""
    times = np.round(np.arange(frames + 1) * step)
    delays: list[int] = np.maximum(1, np.diff(times)).astype(int).tolist()
    return delays


def base64_webp(clip: Pixels, rate: float) -> str:
    """One clip (t, h, w, c) as WebP in base64."""
    file = io.BytesIO()
    _animate(clip, rate, file, "WEBP", lossless=True)
    return base64.b64encode(file.getvalue()).decode()

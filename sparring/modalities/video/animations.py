"""Animated GIF, WebP and PNG files, frame folders and strips, by Pillow."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from sparring.data.sources import Unreadable
from sparring.errors import InputError
from sparring.modalities.images.decoding import MAX_PIXELS, loaded
from sparring.modalities.video.shown import Shown

FORMATS = ("GIF", "WEBP", "PNG")
SILENT = 0.1  # seconds of a frame of an animation without a delay, as browsers show it


def shown(source: Path | bytes, name: str) -> Iterator[Shown]:
    """The frames of an animation, one of them in memory at a time.

    Raises:
        InputError: if it is none, or damaged.
    """
    try:
        with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source, formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise InputError(f"{name} has more than {MAX_PIXELS:,} pixels, like a decompression bomb")
            begin = 0.0
            for i in range(getattr(image, "n_frames", 1)):
                image.seek(i)
                image.load()
                seconds = float(image.info.get("duration", 0)) / 1000 or SILENT
                yield Shown(begin, begin + seconds, _plain(image))
                begin += seconds
    except InputError:
        raise
    except UnidentifiedImageError as error:
        raise InputError(f"{name} is no animation, despite its suffix") from error
    except Exception as error:  # Pillow raises any exception for damaged files
        raise InputError(f"{name} is damaged: {error}") from error


def frame_count(source: Path) -> int:
    """Number of frames of an image that may move; 0 for files of other formats, and damaged ones."""
    try:
        with Image.open(source, formats=FORMATS) as image:
            return int(getattr(image, "n_frames", 1))
    except Exception:  # Pillow raises any exception for damaged files
        return 0


def _plain(image: Image.Image) -> Image.Image:
    clear = "transparency" in image.info or image.mode in ("RGBA", "LA", "PA")
    return image.convert("RGBA" if clear else "L" if image.mode in ("1", "L") else "RGB")


def frames_of(contents: Sequence[tuple[str, Path | bytes]], rate: float) -> Iterator[Shown]:
    """Images of one size as the frames of a film.

    Args:
        contents: name and content of each, in order.

    Raises:
        InputError: if one cannot be read, or has another size than the first.
    """
    size: tuple[int, int] | None = None
    for i, (name, content) in enumerate(contents):
        image = _image(content, name)
        size = image.size if size is None else size
        if image.size != size:
            given = " and ".join(f"{w} x {h}" for w, h in (size, image.size))
            raise InputError(f"frames of unequal size: {given} pixels ({name})")
        yield Shown(i / rate, (i + 1) / rate, image)


def strip_of(content: Path | bytes, name: str, rate: float) -> Iterator[Shown]:
    """The squares of a horizontal strip, from left to right.

    Raises:
        InputError: if it cannot be read, or is no strip of squares.
    """
    image = _image(content, name)
    side = image.height
    if image.width % side or image.width == side:
        raise InputError(f"{name} has {image.width} x {side} pixels, which are not squares side by side")
    for i in range(image.width // side):
        yield Shown(i / rate, (i + 1) / rate, image.crop((i * side, 0, (i + 1) * side, side)))


def _image(content: Path | bytes, name: str) -> Image.Image:
    image = loaded(content.read_bytes() if isinstance(content, Path) else content)
    if isinstance(image, Unreadable):
        raise InputError(f"{name} cannot be read: {image.why}")
    return image

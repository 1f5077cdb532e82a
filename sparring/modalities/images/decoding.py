"""From the bytes of an image file to pixels of one size and one number of channels."""

from __future__ import annotations

import io
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageOps, UnidentifiedImageError

from sparring.data import store
from sparring.data.sources import Content, FileSource, Unreadable
from sparring.data.store import Decoded, Progress
from sparring.modalities.images.depth import Depth, Levels, Values, deep_values, depth_of, eight_bits, no_data
from sparring.modalities.images.image_files import FORMATS, register_plugins

VERSION = 1  # of the decoder; a new one decodes all files again
MODES = {1: "L", 3: "RGB", 4: "RGBA"}
MAX_PIXELS = 89_478_485  # larger images are decompression bombs, or useless for a GAN
MAX_PIXELS_AT_ONCE = 1 << 27  # of all images that are decoded at the same time; Pillow needs 4 to 8 bytes for each
LARGE = 1 << 24  # pixels from which an image is made smaller before anything else is done with it
REDUCED = 2  # factor by which it then is still larger than necessary, so that scaling it gives the same result
EXAMINED_SIDE = 512  # pixels of a side that are enough to see colors and transparency
MAX_GRAY_DIFFERENCE = 12  # between red, green and blue; JPEG's rounding causes such differences in gray images
ORIENTATION = 0x0112  # tag of EXIF
# Warnings about the metadata of old cameras do not concern the user.
warnings.filterwarnings("ignore", module="PIL")


def opened(content: Content) -> Image.Image | Unreadable:
    """An image of which only the header has been read."""
    if isinstance(content, Unreadable):
        return content
    if not content:
        return Unreadable("the file is empty")
    try:
        image = Image.open(io.BytesIO(content), formats=_formats())
    except UnidentifiedImageError:
        return Unreadable("not an image, despite its suffix")
    except Image.DecompressionBombError:
        return Unreadable(_bomb())
    except Exception as error:  # PIL raises any exception for damaged files
        return Unreadable(f"damaged: {error}")
    return Unreadable(_bomb()) if image.width * image.height > MAX_PIXELS else image


def _bomb() -> str:
    return f"more than {MAX_PIXELS:,} pixels, like a decompression bomb"


@lru_cache
def _formats() -> tuple[str, ...]:
    """The formats of `FORMATS` that this version of PIL supports."""
    register_plugins()
    return tuple(sorted(set(FORMATS.values()) & set(Image.OPEN)))


class _Room:
    """Lets several threads decode images at the same time, as long as these have a number of pixels together. A larger
    image is decoded while there is no other.
    """

    def __init__(self, pixels: int) -> None:
        self._pixels, self._taken, self._changed = pixels, 0, threading.Condition()

    @contextmanager
    def taken(self, pixels: int) -> Iterator[None]:
        share = min(pixels, self._pixels)
        with self._changed:
            self._changed.wait_for(lambda: self._taken + share <= self._pixels)
            self._taken += share
        try:
            yield
        finally:
            with self._changed:
                self._taken -= share
                self._changed.notify_all()


_room = _Room(MAX_PIXELS_AT_ONCE)


@contextmanager
def decoded(content: Content, levels: Levels = Levels(), side: int = 0) -> Iterator[Image.Image | Unreadable]:
    """An image as from `loaded`, for one of several threads: it waits until there is memory for its pixels."""
    header = opened(content)
    if isinstance(header, Unreadable):
        yield header
        return
    with _room.taken(header.width * header.height):
        yield loaded(content, levels, side)


def loaded(content: Content, levels: Levels = Levels(), side: int = 0) -> Image.Image | Unreadable:
    """An image with its pixels, upright, in mode L, RGB or RGBA.

    Args:
        levels: the values that become black and white.
        side: pixels of the shorter side that are needed, for which large images are made smaller; 0 for all.
    """
    image = opened(content)
    if isinstance(image, Unreadable):
        return image
    assert isinstance(content, bytes)
    try:
        if side and image.width * image.height > LARGE:
            image.draft(None, (REDUCED * side, REDUCED * side))  # only JPEG can be decoded at a smaller size
        plain = _reduced(_plain(content, image, levels), side)
        orientation = image.getexif().get(ORIENTATION, 1)  # of a PNG, only known once its pixels are read
        if orientation != 1:
            plain.getexif()[ORIENTATION] = orientation
            ImageOps.exif_transpose(plain, in_place=True)
        if plain is not image:
            image.close()  # frees its pixels, which references in a circle would keep for a while
    except Exception as error:  # as above
        return Unreadable(f"damaged: {error}")
    return plain


def _reduced(image: Image.Image, side: int) -> Image.Image:
    factor = min(image.size) // (REDUCED * side) if side and image.width * image.height > LARGE else 1
    return image.reduce(factor) if factor > 1 else image


def _plain(content: bytes, image: Image.Image, levels: Levels) -> Image.Image:
    values = deep_values(content, image)
    if values is not None:
        return Image.fromarray(_scaled(values, levels, no_data(image)))
    if "transparency" in image.info or image.mode in ("RGBA", "LA", "PA", "La", "RGBa"):
        return _converted(image, "RGBA")
    if image.mode == "L" and levels.white != 255:
        return image.point([min(255, round(value * 255 / levels.white)) for value in range(256)])
    return _converted(image, "L" if image.mode in ("1", "L") else "RGB")


def _converted(image: Image.Image, mode: str) -> Image.Image:
    image.load()
    return image if image.mode == mode else image.convert(mode)  # which would copy an image of that mode


def _scaled(values: Values, levels: Levels, missing: float | None) -> NDArray[np.uint8]:
    if values.ndim == 3 and values.shape[2] == 4 and levels.range and values[..., 3].max() > levels.range[1]:
        alpha = eight_bits(values[..., 3])  # uses all sixteen bits, unlike the colors
        return np.dstack([eight_bits(values[..., :3], levels.range, missing), alpha])
    return eight_bits(values, levels.range, missing)


def squared(image: Image.Image, size: int, channels: int) -> NDArray[np.uint8]:
    """The central square of an image from `loaded`, scaled to (channels, size, size).

    Colors of fully transparent pixels are set to 0, because files hold arbitrary values there. Without an alpha channel
    in the result, the image is placed on white.
    """
    image = with_channels(image, channels)
    if image.size != (size, size):
        image = ImageOps.fit(image, (size, size), Image.Resampling.LANCZOS)
    return _pixels(image)


def to_array(image: Image.Image, channels: int) -> NDArray[np.uint8]:
    """An image from `loaded` as (channels, height, width), with transparency as in `squared`."""
    return _pixels(with_channels(image, channels))


def with_channels(image: Image.Image, channels: int) -> Image.Image:
    """An image with a number of channels: placed on white if there is none for its transparency."""
    if image.mode == "RGBA" and channels < 4:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image if image.mode == MODES[channels] else image.convert(MODES[channels])


def _pixels(image: Image.Image) -> NDArray[np.uint8]:
    pixels: NDArray[np.uint8] = np.asarray(image, np.uint8).reshape(image.height, image.width, -1)
    if image.mode == "RGBA":
        pixels = np.where(pixels[..., 3:] > 0, pixels, 0).astype(np.uint8)
    return pixels.transpose(2, 0, 1)


@dataclass(frozen=True)
class Header:
    """Properties of an image file.

    Attributes:
        width, height: in pixels, upright.
        format: detected from its content, as PIL names it.
        mode: of the file: P, RGBA, I;16, CMYK, ...
        channels: number of channels that the content needs: 4 if any pixel is transparent, 1 if there is no color.
        frames: 1, or more for an animation.
        colors: number of channels that it needs on white: 1 or 3.
        depth: the values of a gray image, and of one of more than eight bits; None for others.
    """

    width: int
    height: int
    format: str
    mode: str
    channels: int
    frames: int
    colors: int = 3
    depth: Depth | None = None


def examine(content: Content) -> Header | Unreadable:
    """Properties of an image file, which is decoded completely."""
    with decoded(content, side=EXAMINED_SIDE) as image:
        return image if isinstance(image, Unreadable) else described(content, image)


def described(content: Content, image: Image.Image) -> Header:
    """Properties of an image file.

    Args:
        image: as it was loaded from it, perhaps made smaller.
    """
    header = opened(content)
    assert isinstance(header, Image.Image)
    assert isinstance(content, bytes)
    # Phones append a small image to a JPEG and call the format MPO.
    format = "JPEG" if header.format == "MPO" else str(header.format)
    mode, (width, height) = header.mode, header.size
    if (width > height) != (image.width > image.height):  # it is upright now, and perhaps smaller
        width, height = height, width
    frames = _frames(header) if format != "JPEG" else 1
    colors = needed_channels(with_channels(image, 3))
    return Header(width, height, format, mode, needed_channels(image), frames, colors, _depth(content, image))


def _depth(content: bytes, image: Image.Image) -> Depth | None:
    header = opened(content)
    assert isinstance(header, Image.Image)
    values = deep_values(content, header)
    if values is not None:
        return depth_of(values[..., :3] if values.ndim == 3 else values, no_data(header))
    return depth_of(np.asarray(image)) if image.mode == "L" and header.mode == "L" else None


def _frames(header: Image.Image) -> int:
    try:
        return int(getattr(header, "n_frames", 1))
    except Exception:  # a later frame is damaged; the first has been read
        return 1


def needed_channels(image: Image.Image) -> int:
    """Number of channels that the content of an image from `loaded` needs."""
    if image.mode == "RGBA":
        if image.getchannel("A").getextrema()[0] < 255:  # type: ignore[operator]
            return 4
        image = image.convert("RGB")
    if image.mode == "L":
        return 1
    red, green, blue = image.split()
    pairs = ((red, green), (green, blue), (blue, red))
    difference = max(int(ImageChops.difference(one, other).getextrema()[1]) for one, other in pairs)  # type: ignore[arg-type]
    return 3 if difference > MAX_GRAY_DIFFERENCE else 1


def decode(
    images: FileSource, size: int, channels: int, progress: Progress = store.no_progress, levels: Levels = Levels()
) -> Decoded:
    """The central squares of all images that can be read, uint8 (n, channels, size, size); see `store.decode`.

    Raises:
        InputError: if fewer than two can be read, or the cache cannot be written.
    """
    shape = (channels, size, size)
    version = f"pictures {VERSION} {size} {channels}"  # "pictures", so that caches of Sparring 0.1 are found
    if levels != Levels():
        version += f" {levels.range} {levels.white}"
    decoder = partial(_square, size=size, channels=channels, levels=levels)
    return store.decode(images, decoder, shape, "uint8", version, progress)


def _square(content: Content, size: int, channels: int, levels: Levels) -> NDArray[np.uint8] | Unreadable:
    with decoded(content, levels, size) as image:
        return image if isinstance(image, Unreadable) else squared(image, size, channels)

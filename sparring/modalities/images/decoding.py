"""From the bytes of an image file to pixels of one size and one number of channels."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from sparring.data import store
from sparring.data.sources import Content, FileSource, Unreadable
from sparring.data.store import Decoded, Progress
from sparring.modalities.images.image_files import FORMATS

VERSION = 1  # of the decoder; a new one decodes all files again
MODES = {1: "L", 3: "RGB", 4: "RGBA"}
MAX_PIXELS = 89_478_485  # larger images are decompression bombs, or useless for a GAN
MAX_GRAY_DIFFERENCE = 12  # between red, green and blue; JPEG's rounding causes such differences in gray images
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
    Image.init()
    return tuple(sorted(set(FORMATS.values()) & set(Image.OPEN)))


def loaded(content: Content) -> Image.Image | Unreadable:
    """An image with its pixels, upright, in mode L, RGB or RGBA."""
    image = opened(content)
    if isinstance(image, Unreadable):
        return image
    try:
        return _plain(ImageOps.exif_transpose(image))
    except Exception as error:  # as above
        return Unreadable(f"damaged: {error}")


def _plain(image: Image.Image) -> Image.Image:
    if image.mode in ("I;16", "I;16B", "I;16L", "I", "F"):
        return Image.fromarray(_eight_bits(np.asarray(image)))
    if "transparency" in image.info or image.mode in ("RGBA", "LA", "PA", "La", "RGBa"):
        return image.convert("RGBA")
    return image.convert("L" if image.mode in ("1", "L") else "RGB")


def _eight_bits(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Gray values of more than eight bits as eight bits. Integers are taken as 16 bits; floats as in [0, 1], or in
    [0, 255] if any exceeds 1.

    Raises:
        ValueError: if none of them is finite.
    """
    wide = values.astype(np.float64)
    if np.issubdtype(values.dtype, np.floating):
        if not np.isfinite(wide).any():
            raise ValueError("its pixels are not numbers")
        top = wide[np.isfinite(wide)].max()
        wide = np.nan_to_num(wide, posinf=top, neginf=0) * (255 if top <= 1 else 1)
    else:
        wide = wide / 257
    return np.round(wide).clip(0, 255).astype(np.uint8)


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
    return image.convert(MODES[channels])


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
    """

    width: int
    height: int
    format: str
    mode: str
    channels: int
    frames: int


def examine(content: Content) -> Header | Unreadable:
    """Properties of an image file, which is decoded completely."""
    header, image = opened(content), loaded(content)
    if isinstance(header, Unreadable):
        return header
    if isinstance(image, Unreadable):
        return image
    # Phones append a small image to a JPEG and call the format MPO.
    format = "JPEG" if header.format == "MPO" else str(header.format)
    frames = _frames(header) if format != "JPEG" else 1
    return Header(*image.size, format, header.mode, needed_channels(image), frames)


def _frames(header: Image.Image) -> int:
    try:
        return int(getattr(header, "n_frames", 1))
    except Exception:  # a later frame is damaged; the first has been read
        return 1


def needed_channels(image: Image.Image) -> int:
    """Number of channels that the content of an image from `loaded` needs."""
    if image.mode == "RGBA":
        alpha = np.asarray(image)[..., 3]
        if alpha.min() < 255:
            return 4
        image = image.convert("RGB")
    if image.mode == "L":
        return 1
    pixels = np.asarray(image).astype(np.int16)
    return 3 if np.ptp(pixels, axis=-1).max() > MAX_GRAY_DIFFERENCE else 1


def decode(images: FileSource, size: int, channels: int, progress: Progress = store.no_progress) -> Decoded:
    """The central squares of all images that can be read, uint8 (n, channels, size, size); see `store.decode`.

    Raises:
        InputError: if fewer than two can be read, or the cache cannot be written.
    """
    shape = (channels, size, size)
    version = f"pictures {VERSION} {size} {channels}"  # "pictures", so that caches of Sparring 0.1 are found
    return store.decode(images, partial(_square, size=size, channels=channels), shape, "uint8", version, progress)


def _square(content: Content, size: int, channels: int) -> NDArray[np.uint8] | Unreadable:
    image = loaded(content)
    return image if isinstance(image, Unreadable) else squared(image, size, channels)

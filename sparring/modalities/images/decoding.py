"""From the bytes of a picture file to pixels of one size and one number of channels."""

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
from sparring.modalities.images.picture_files import FORMATS

VERSION = 1  # of how pictures are decoded


MODES = {1: "L", 3: "RGB", 4: "RGBA"}
LARGEST = 89_478_485  # pixels; more are a bomb, or no picture for a GAN
# Metadata of old cameras are none of the user's concern.
warnings.filterwarnings("ignore", module="PIL")


def opened(content: Content) -> Image.Image | Unreadable:
    """A picture with its header read."""
    if isinstance(content, Unreadable):
        return content
    if not content:
        return Unreadable("the file is empty")
    try:
        picture = Image.open(io.BytesIO(content), formats=_formats())
    except UnidentifiedImageError:
        return Unreadable("not a picture, whatever its suffix says")
    except Image.DecompressionBombError:
        return Unreadable(_bomb())
    except Exception as error:  # whatever the bytes of a damaged file happen to mean to PIL
        return Unreadable(f"damaged: {error}")
    return Unreadable(_bomb()) if picture.width * picture.height > LARGEST else picture


def _bomb() -> str:
    return f"more than {LARGEST:,} pixels, as a decompression bomb has"


@lru_cache
def _formats() -> tuple[str, ...]:
    """Those that are read, of those that this PIL knows."""
    Image.init()
    return tuple(sorted(set(FORMATS.values()) & set(Image.OPEN)))


def loaded(content: Content) -> Image.Image | Unreadable:
    """A picture with its pixels, upright, in mode L, RGB or RGBA."""
    picture = opened(content)
    if isinstance(picture, Unreadable):
        return picture
    try:
        return _plain(ImageOps.exif_transpose(picture))
    except Exception as error:  # as above
        return Unreadable(f"damaged: {error}")


def _plain(picture: Image.Image) -> Image.Image:
    if picture.mode in ("I;16", "I;16B", "I;16L", "I", "F"):
        return Image.fromarray(_eight_bits(np.asarray(picture)))
    if "transparency" in picture.info or picture.mode in ("RGBA", "LA", "PA", "La", "RGBa"):
        return picture.convert("RGBA")
    return picture.convert("L" if picture.mode in ("1", "L") else "RGB")


def _eight_bits(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Grey of more than eight bits. Integers are taken as of 16 bits; floats as in [0, 1], or in
    [0, 255] where they go beyond.

    Raises:
        ValueError: where none is a number.
    """
    wide = values.astype(np.float64)
    if np.issubdtype(values.dtype, np.floating):
        if not np.isfinite(wide).any():
            raise ValueError("its pixels are no numbers")
        top = wide[np.isfinite(wide)].max()
        wide = np.nan_to_num(wide, posinf=top, neginf=0) * (255 if top <= 1 else 1)
    else:
        wide = wide / 257
    return np.round(wide).clip(0, 255).astype(np.uint8)


def squared(picture: Image.Image, size: int, channels: int) -> NDArray[np.uint8]:
    """A picture from `loaded` as (channels, size, size), cut to a square about its middle.

    Colours under full transparency are set to 0, since files hold anything there; where there is no
    channel for transparency, the picture is laid on white.
    """
    picture = laid(picture, channels)
    if picture.size != (size, size):
        picture = ImageOps.fit(picture, (size, size), Image.Resampling.LANCZOS)
    return _pixels(picture)


def whole(picture: Image.Image, channels: int) -> NDArray[np.uint8]:
    """A picture from `loaded` as (channels, height, width), as `squared` would have it."""
    return _pixels(laid(picture, channels))


def laid(picture: Image.Image, channels: int) -> Image.Image:
    """With so many channels: on white where none is for transparency."""
    if picture.mode == "RGBA" and channels < 4:
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return picture.convert(MODES[channels])


def _pixels(picture: Image.Image) -> NDArray[np.uint8]:
    pixels: NDArray[np.uint8] = np.asarray(picture, np.uint8).reshape(picture.height, picture.width, -1)
    if picture.mode == "RGBA":
        pixels = np.where(pixels[..., 3:] > 0, pixels, 0).astype(np.uint8)
    return pixels.transpose(2, 0, 1)


@dataclass(frozen=True)
class Look:
    """What one picture is like.

    Attributes:
        width, height: upright, in pixels.
        format: by its content, as PIL names it.
        mode: of the file: P, RGBA, I;16, CMYK, ...
        channels: that it needs: 4 where something shows through, 1 where it has no colour.
        frames: 1, or more where it moves.
    """

    width: int
    height: int
    format: str
    mode: str
    channels: int
    frames: int


def look(content: Content) -> Look | Unreadable:
    """Read a picture whole and say what it is like."""
    header, picture = opened(content), loaded(content)
    if isinstance(header, Unreadable):
        return header
    if isinstance(picture, Unreadable):
        return picture
    # Phones put a small picture behind a JPEG and call it another format.
    format = "JPEG" if header.format == "MPO" else str(header.format)
    return Look(*picture.size, format, header.mode, channels_of(picture), _frames(header) if format != "JPEG" else 1)


def _frames(header: Image.Image) -> int:
    try:
        return int(getattr(header, "n_frames", 1))
    except Exception:  # a later frame is damaged; the first has been read
        return 1


def channels_of(picture: Image.Image) -> int:
    """How many channels a picture from `loaded` needs."""
    if picture.mode == "RGBA":
        alpha = np.asarray(picture)[..., 3]
        if alpha.min() < 255:
            return 4
        picture = picture.convert("RGB")
    if picture.mode == "L":
        return 1
    pixels = np.asarray(picture).astype(np.int16)
    return 3 if np.ptp(pixels, axis=-1).max() > GREY else 1


GREY = 12  # differences between red, green and blue up to which JPEG's rounding makes them of grey


def decode(pictures: FileSource, size: int, channels: int, progress: Progress = lambda *_: None) -> Decoded:
    """All pictures that can be read, as squares of one size, uint8 (n, channels, size, size); see `store.decode`.

    Raises:
        InputError: where fewer than two can be read, or the cache cannot be written to.
    """
    shape = (channels, size, size)
    version = f"pictures {VERSION} {size} {channels}"
    return store.decode(pictures, partial(_squared, size=size, channels=channels), shape, "uint8", version, progress)


def _squared(content: Content, size: int, channels: int) -> NDArray[np.uint8] | Unreadable:
    picture = loaded(content)
    return picture if isinstance(picture, Unreadable) else squared(picture, size, channels)

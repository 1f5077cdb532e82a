"""Image files on their way into a net and out of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from sparring.data.sources import FolderSource, Unreadable
from sparring.errors import InputError
from sparring.files import atomic_path
from sparring.modalities.images.decoding import MODES, loaded, opened, with_channels
from sparring.modalities.images.depth import Levels
from sparring.modalities.samples import as_image
from sparring.modalities.translation.files import png
from sparring.nets.tiles import Mapper, Pixels, bands

FORMATS = {  # formats that are written, by suffix
    ".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".tif": "TIFF", ".tiff": "TIFF", ".bmp": "BMP",
}  # fmt: skip
OPTIONS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 95},
    "WEBP": {"quality": 95},
    "TIFF": {"compression": "tiff_lzw"},
}
MAX_SIDE = {"JPEG": 65_500, "WEBP": 16_383}  # pixels
WITH_ALPHA = ("PNG", "WEBP", "TIFF")
SPACES = {"L": b"GRAY", "RGB": b"RGB ", "RGBA": b"RGB "}  # as the header of an ICC profile names them
MIN_OPAQUE = 128  # alpha from which a pixel is not a hole


@dataclass(frozen=True)
class Photo:
    """An image that a net can transform.

    Attributes:
        given: the input of the net, (h, w, channels), with its mask.
        alpha: transparency in mode L that is restored in the result; None if there is none.
        profile: the ICC color profile; None if there is none that fits the result.
    """

    given: Pixels
    alpha: Image.Image | None
    profile: bytes | None


def read(
    path: Path, out: Path, mapper: Mapper, mask: Path | None = None, levels: Levels = Levels()
) -> Photo | Unreadable:
    """An image file, upright, as the input of a net, for a file `out`.

    Args:
        mask: an image that is black where pixels are kept; without it, transparent pixels are filled.
        levels: the values that become black and white.

    Raises:
        InputError: if the mask cannot be read or has another size, or there is none and no pixel is transparent.
    """
    content = next(FolderSource(path.parent, (path.name,)).contents())[1]
    header, image = opened(content), loaded(content, levels)
    if isinstance(header, Unreadable):
        return header
    if isinstance(image, Unreadable):
        return image
    why = _too_large(image, out, mapper.times)
    if why:
        return Unreadable(why)
    colors = mapper.channels - mapper.masked
    alpha = image.getchannel("A") if image.mode == "RGBA" and colors < 4 else None
    holes = _holes(path, image, alpha, mask) if mapper.masked else None
    if mapper.masked and mask is None:
        alpha = None  # transparent pixels are filled
    elif alpha is not None and FORMATS[out.suffix.lower()] not in WITH_ALPHA:
        image, alpha = with_channels(image, 3), None
    return Photo(as_given(image, mapper, holes), alpha, _profile(header, MODES[mapper.out_channels]))


def as_given(image: Image.Image, mapper: Mapper, holes: Pixels | None) -> Pixels:
    """An image in the channels of a net's input, with the mask (h, w, 1) as the last one if there is one."""
    pixels = np.asarray(image.convert(MODES[mapper.channels - mapper.masked]), np.uint8)
    pixels = pixels.reshape(image.height, image.width, -1)
    return pixels if holes is None else np.concatenate([pixels, holes], -1)


def read_mask(path: Path, size: tuple[int, int], of: Path) -> Pixels:
    """A mask (h, w, 1) of an image or a video of a size (width, height): 0 where it is black, 255 elsewhere.

    Raises:
        InputError: if it cannot be read, or has another size.
    """
    mask = loaded(next(FolderSource(path.parent, (path.name,)).contents())[1])
    if isinstance(mask, Unreadable):
        raise InputError(f"the mask {path} cannot be read: {mask.why}; give an image that is white in the holes")
    if mask.size != size:
        raise InputError(
            f"the mask {path} has {mask.width} x {mask.height} pixels and {of} has {size[0]} x {size[1]}; "
            "give a mask of the same size"
        )
    if mask.mode == "RGBA":
        mask = Image.alpha_composite(Image.new("RGBA", mask.size, "black"), mask)
    white = np.asarray(mask.convert("L"))[..., None] > 0
    return (white * 255).astype(np.uint8)


def _holes(path: Path, image: Image.Image, alpha: Image.Image | None, mask: Path | None) -> Pixels:
    if mask is not None:
        return read_mask(mask, image.size, path)
    holes = np.zeros((image.height, image.width), bool) if alpha is None else np.asarray(alpha) < MIN_OPAQUE
    if not holes.any():
        raise InputError(f"{path} has no transparent pixels to fill; give the holes by --mask FILE")
    return (holes[..., None] * 255).astype(np.uint8)


def _too_large(image: Image.Image, out: Path, times: int) -> str:
    """Why a result exceeds its format; "" if it does not."""
    format, (width, height) = FORMATS[out.suffix.lower()], image.size
    limit = MAX_SIDE.get(format)
    if limit is None or times * max(width, height) <= limit:
        return ""
    return f"{times * width} x {times * height} pixels exceed the {limit:,} a side of {format}; write a .png"


def _profile(header: Image.Image, mode: str) -> bytes | None:
    """The color profile of a file, if it has the color space of the result."""
    profile = header.info.get("icc_profile")
    return profile if isinstance(profile, bytes) and profile[16:20] == SPACES[mode] else None


def write(out: Path, photo: Photo, mapper: Mapper, progress: Callable[[int, int], None] | None = None) -> None:
    """Write the result of a net for an image. A PNG is written band by band; other formats need all pixels in memory.

    Raises:
        InputError: if it cannot be written.
    """
    format = FORMATS[out.suffix.lower()]
    height, width = (side * mapper.times for side in photo.given.shape[:2])
    rows = _results(photo, mapper, progress)
    with atomic_path(out) as part:
        if format == "PNG":
            channels = mapper.out_channels + (photo.alpha is not None)
            png.write(part, width, height, channels, rows, photo.profile)
            return
        image = as_image(np.concatenate(list(rows)))
        if image.mode == "RGBA" and format not in WITH_ALPHA:
            image = with_channels(image, 3)
        image.save(part, format, icc_profile=photo.profile, **OPTIONS.get(format, {}))


def _results(photo: Photo, mapper: Mapper, progress: Callable[[int, int], None] | None) -> Iterator[Pixels]:
    """The result of a net from top to bottom, with the pixels outside of holes and the alpha of the input."""
    # As floats, because PIL would round bytes differently in each band.
    alpha = None if photo.alpha is None else photo.alpha.convert("F")
    start = 0
    for rows in bands(mapper, photo.given, progress):
        end = start + len(rows) // mapper.times
        if mapper.masked:
            rows = fill_holes(photo.given[start:end], rows)
        if alpha is not None:
            box = (0, start, alpha.width, end)
            part = alpha.resize((rows.shape[1], rows.shape[0]), Image.Resampling.BICUBIC, box)
            rows = np.dstack([rows, np.asarray(part).round().clip(0, 255).astype(np.uint8)])
        yield rows
        start = end


def fill_holes(given: Pixels, generated: Pixels) -> Pixels:
    """Generated pixels (h, w, channels) in the holes of the given image, whose last channel is the mask; given ones
    elsewhere.
    """
    return np.where(given[..., -1:] > 0, generated, given[..., :-1])

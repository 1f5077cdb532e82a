"""Picture files on their way into a net and out of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from sparring.data.sources import FolderSource, Unreadable
from sparring.errors import InputError
from sparring.files import beside
from sparring.modalities.images.decoding import MODES, with_channels, loaded, opened
from sparring.nets.tiles import Mapper, Pixels, bands
from sparring.use.apply import png

FORMATS = {  # what is written, by suffix
    ".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".tif": "TIFF", ".tiff": "TIFF", ".bmp": "BMP",
}  # fmt: skip
OPTIONS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 95},
    "WEBP": {"quality": 95},
    "TIFF": {"compression": "tiff_lzw"},
}
LONGEST = {"JPEG": 65_500, "WEBP": 16_383}  # pixels of a side
WITH_ALPHA = ("PNG", "WEBP", "TIFF")
SPACES = {"L": b"GRAY", "RGB": b"RGB ", "RGBA": b"RGB "}  # as the header of an ICC profile names them
OPAQUE = 128  # alpha from which a pixel is no hole


@dataclass(frozen=True)
class Photo:
    """A picture that a net can take.

    Attributes:
        given: (h, w, channels) what the net takes, its mask included.
        alpha: in mode L, what is put back on the result; None where there is none.
        profile: the ICC colour profile; None where there is none that fits the result.
    """

    given: Pixels
    alpha: Image.Image | None
    profile: bytes | None


def read(path: Path, out: Path, mapper: Mapper, mask: Path | None = None) -> Photo | Unreadable:
    """A picture file, upright, in what a net takes, for a file `out`.

    Args:
        mask: a picture that is not black where pixels are to be filled; without it they are filled where the
            picture is transparent.

    Raises:
        InputError: where the mask cannot be read, is of another size, or there is none and nothing is transparent.
    """
    content = next(FolderSource(path.parent, (path.name,)).contents())[1]
    header, picture = opened(content), loaded(content)
    if isinstance(header, Unreadable):
        return header
    if isinstance(picture, Unreadable):
        return picture
    why = _too_long(picture, out, mapper.times)
    if why:
        return Unreadable(why)
    colours = mapper.channels - mapper.masked
    alpha = picture.getchannel("A") if picture.mode == "RGBA" and colours < 4 else None
    holes = _holes(path, picture, alpha, mask) if mapper.masked else None
    if mapper.masked and mask is None:
        alpha = None  # what was transparent is filled
    elif alpha is not None and FORMATS[out.suffix.lower()] not in WITH_ALPHA:
        picture, alpha = with_channels(picture, 3), None
    return Photo(as_given(picture, mapper, holes), alpha, _profile(header, MODES[mapper.out_channels]))


def as_given(picture: Image.Image, mapper: Mapper, holes: Pixels | None) -> Pixels:
    """A picture in the channels that a net takes, with its mask (h, w, 1) behind them where it takes one."""
    pixels = np.asarray(picture.convert(MODES[mapper.channels - mapper.masked]), np.uint8)
    pixels = pixels.reshape(picture.height, picture.width, -1)
    return pixels if holes is None else np.concatenate([pixels, holes], -1)


def read_mask(path: Path, size: tuple[int, int], of: Path) -> Pixels:
    """A mask (h, w, 1) of a picture or a video of a size (width, height): 255 where it is not black, 0 elsewhere.

    Raises:
        InputError: where it cannot be read, or is of another size.
    """
    mask = loaded(next(FolderSource(path.parent, (path.name,)).contents())[1])
    if isinstance(mask, Unreadable):
        raise InputError(f"the mask {path} cannot be read: {mask.why}; give a picture that is white where to fill")
    if mask.size != size:
        raise InputError(
            f"the mask {path} has {mask.width} x {mask.height} pixels and {of} has {size[0]} x {size[1]}; "
            "give a mask of the same size"
        )
    if mask.mode == "RGBA":
        mask = Image.alpha_composite(Image.new("RGBA", mask.size, "black"), mask)
    white = np.asarray(mask.convert("L"))[..., None] > 0
    return (white * 255).astype(np.uint8)


def _holes(path: Path, picture: Image.Image, alpha: Image.Image | None, mask: Path | None) -> Pixels:
    if mask is not None:
        return read_mask(mask, picture.size, path)
    holes = np.zeros((picture.height, picture.width), bool) if alpha is None else np.asarray(alpha) < OPAQUE
    if not holes.any():
        raise InputError(f"{path} has no transparent pixels to fill; say which to fill with --mask FILE")
    return (holes[..., None] * 255).astype(np.uint8)


def _too_long(picture: Image.Image, out: Path, times: int) -> str:
    """Why a result does not fit into its format; nothing where it does."""
    format, (width, height) = FORMATS[out.suffix.lower()], picture.size
    longest = LONGEST.get(format)
    if longest is None or times * max(width, height) <= longest:
        return ""
    return f"{times * width} x {times * height} pixels are more than {format}'s {longest:,} a side; write a .png"


def _profile(header: Image.Image, mode: str) -> bytes | None:
    """A file's colour profile, but for one of other colours than the result's."""
    profile = header.info.get("icc_profile")
    return profile if isinstance(profile, bytes) and profile[16:20] == SPACES[mode] else None


def write(out: Path, photo: Photo, mapper: Mapper, progress: Callable[[int, int], None] | None = None) -> None:
    """What a net makes of a picture, as a file. Only a PNG is written as it comes; the pixels of others are in
    memory all at once.

    Raises:
        InputError: where it cannot be written.
    """
    format = FORMATS[out.suffix.lower()]
    height, width = (side * mapper.times for side in photo.given.shape[:2])
    rows = _finished(photo, mapper, progress)
    with beside(out) as part:
        if format == "PNG":
            channels = mapper.out_channels + (photo.alpha is not None)
            png.write(part, width, height, channels, rows, photo.profile)
            return
        picture = as_image(np.concatenate(list(rows)))
        if picture.mode == "RGBA" and format not in WITH_ALPHA:
            picture = with_channels(picture, 3)
        picture.save(part, format, icc_profile=photo.profile, **OPTIONS.get(format, {}))


def _finished(photo: Photo, mapper: Mapper, progress: Callable[[int, int], None] | None) -> Iterator[Pixels]:
    """What a net makes of a picture, from top to bottom, with its known pixels and its alpha."""
    alpha = None if photo.alpha is None else photo.alpha.convert("F")  # in bytes, PIL rounds otherwise in each band
    begin = 0
    for rows in bands(mapper, photo.given, progress):
        end = begin + len(rows) // mapper.times
        if mapper.masked:
            rows = kept(photo.given[begin:end], rows)
        if alpha is not None:
            box = (0, begin, alpha.width, end)
            part = alpha.resize((rows.shape[1], rows.shape[0]), Image.Resampling.BICUBIC, box)
            rows = np.dstack([rows, np.asarray(part).round().clip(0, 255).astype(np.uint8)])
        yield rows
        begin = end


def kept(given: Pixels, made: Pixels) -> Pixels:
    """What a net made (h, w, channels) where the mask that it was given says so, what was known elsewhere."""
    return np.where(given[..., -1:] > 0, made, given[..., :-1])


def as_image(pixels: Pixels) -> Image.Image:
    """Of pixels (h, w, channels)."""
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)

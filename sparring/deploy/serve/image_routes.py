"""Pictures that a request sends."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from fastapi import HTTPException, Request
from numpy.typing import NDArray
from PIL.PngImagePlugin import PngImageFile
from starlette.datastructures import UploadFile

from sparring.data.sources import Unreadable
from sparring.data.store import Progress
from sparring.deploy.serve.answers import npz
from sparring.errors import InputError
from sparring.modalities.images.decoding import loaded, opened, squared
from sparring.nets.tiles import Mapper
from sparring.modalities.translation.files.photos import read, write

PARTS = 8  # of a form, at most
NAMES = ("picture", "mask")


@dataclass(frozen=True)
class Sent:
    """The files of a request.

    Attributes:
        picture: its bytes.
        mask: those of a picture that is not black where pixels are to be filled; None for none.
    """

    picture: bytes
    mask: bytes | None = None


async def sent(request: Request, pixels: int) -> Sent:
    """The picture that is a request's body, or the files of a form.

    Args:
        pixels: that a picture may have.

    Raises:
        HTTPException: 415 where the body is neither, 422 where there is no picture in it, 413 for one too large.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        files = await _files(request)
    elif kind.startswith("image/") or kind == "application/octet-stream":
        files = {"picture": await request.body()}
    else:
        given = f"content of type {kind}" if kind else "content of no type"
        raise HTTPException(415, f"{given} was sent; send a picture as image/png or image/jpeg, or a form")
    if "picture" not in files:
        raise HTTPException(422, "the form has no file 'picture'; send one so named")
    for name, content in files.items():
        _check(name, content, pixels)
    return Sent(files["picture"], files.get("mask"))


async def _files(request: Request) -> dict[str, bytes]:
    async with request.form(max_files=PARTS, max_fields=PARTS) as form:
        found = {}
        for name, value in form.multi_items():
            if name not in NAMES or name in found or not isinstance(value, UploadFile):
                raise HTTPException(422, f"the form has a part {name!r}; it takes one file 'picture', and one 'mask'")
            found[name] = await value.read()
    return found


def _check(name: str, content: bytes, pixels: int) -> None:
    """See that a picture is one, and not too large, before its pixels are read."""
    header = opened(content)
    if isinstance(header, Unreadable):
        raise HTTPException(422, f"the {name} cannot be used: {header.why}")
    if header.width * header.height > pixels:
        raise HTTPException(
            413, f"the {name} has {header.width:,} x {header.height:,} pixels; send one of up to {pixels:,} in all"
        )


def applied(mapper: Mapper, given: Sent, progress: Progress) -> bytes:
    """The PNG of what a net makes of a picture; see `sparring.use.apply.apply`, which does the same to files.

    Raises:
        InputError: where the picture or the mask cannot be used.
    """
    if given.mask is not None and not mapper.masked:
        raise InputError("a mask was sent, but this model fills no pixels; leave it out")
    with TemporaryDirectory(prefix="sparring-") as folder:
        picture, mask, made = (Path(folder) / name for name in ("picture", "mask", "made.png"))
        picture.write_bytes(given.picture)
        if given.mask is not None:
            mask.write_bytes(given.mask)
        try:
            photo = read(picture, made, mapper, mask if given.mask is not None else None)
        except InputError as error:  # which names files that the sender knows nothing of
            why = str(error).replace(f"the mask {mask}", "the mask").replace(f"{folder}/", "the ")
            raise InputError(why.replace("--mask FILE", "a mask")) from error
        if isinstance(photo, Unreadable):
            raise InputError(f"the picture cannot be used: {photo.why}")
        write(made, photo, mapper, progress)
        return made.read_bytes()


def as_npz(made: bytes) -> bytes:
    """A PNG as an array `images`, uint8 (1, h, w, c)."""
    with PngImageFile(io.BytesIO(made)) as picture:  # Image.open takes a large one for a decompression bomb
        pixels = np.asarray(picture)
    return npz(images=pixels.reshape(1, *pixels.shape[:2], -1))


def square(content: bytes, size: int, channels: int) -> NDArray[np.uint8]:
    """A picture as a model makes them, cut to a square about its middle and resized: uint8 (1, size, size, channels).

    Raises:
        InputError: where it cannot be read.
    """
    picture = loaded(content)
    if isinstance(picture, Unreadable):
        raise InputError(f"the picture cannot be used: {picture.why}")
    return squared(picture, size, channels).transpose(1, 2, 0)[None].copy()

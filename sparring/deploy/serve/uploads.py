"""Files that a request uploads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fastapi import HTTPException, Request
from numpy.typing import NDArray
from starlette.datastructures import UploadFile

from sparring.data.store import Progress
from sparring.errors import InputError
from sparring.modalities import Modality
from sparring.nets.tiles import Mapper

MAX_PARTS = 8  # of a form
PARTS = ("image", "mask")


@dataclass(frozen=True)
class Upload:
    """The files of a request.

    Attributes:
        image: content of the file.
        mask: content of the mask's file; None if there is none.
    """

    image: bytes
    mask: bytes | None = None


async def uploaded(request: Request, modality: Modality, max_pixels: int) -> Upload:
    """The body of a request as one file, or the files of a form.

    Args:
        modality: reads the sizes of the files.
        max_pixels: of a file.

    Raises:
        HTTPException: 415 if the body is neither, 422 if it holds no image, 413 if one is too large.
    """
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media == "multipart/form-data":
        files = await _form_files(request)
    elif media.startswith(("image/", "audio/", "video/")) or media == "application/octet-stream":
        files = {"image": await request.body()}
    else:
        given = f"content of type {media}" if media else "content without a type"
        raise HTTPException(415, f"{given} was sent; send an image as image/png or image/jpeg, or a form")
    if "image" not in files:
        raise HTTPException(422, "the form has no file 'image'; add one with this name")
    for name, content in files.items():
        _check_size(name, content, modality, max_pixels)
    return Upload(files["image"], files.get("mask"))


async def _form_files(request: Request) -> dict[str, bytes]:
    async with request.form(max_files=MAX_PARTS, max_fields=MAX_PARTS) as form:
        files = {}
        for name, value in form.multi_items():
            if name not in PARTS or name in files or not isinstance(value, UploadFile):
                raise HTTPException(422, f"the form has a part {name!r}; send one file 'image' and at most one 'mask'")
            files[name] = await value.read()
    return files


def _check_size(name: str, content: bytes, modality: Modality, max_pixels: int) -> None:
    """Refuse a file that is no image, or too large, before its pixels are read."""
    try:
        sides = modality.file_sides(content)
    except InputError as error:
        raise HTTPException(422, f"the {name} cannot be used: {error}") from error
    if prod(sides) > max_pixels:
        shown = " x ".join(f"{side:,}" for side in sides)
        raise HTTPException(413, f"the {name} has {shown} pixels; send one with at most {max_pixels:,} in total")


class _Reporter:
    """A console that shows nothing and passes progress on."""

    def __init__(self, report: Progress) -> None:
        self._report = report

    def say(self, text: str) -> None:
        """Messages are about several files, and there is only one."""

    @contextmanager
    def progress(self, _what: str) -> Iterator[Progress]:
        yield self._report


def transformed(
    modality: Modality, mapper: Mapper, upload: Upload, suffix: str, progress: Progress, asked: Mapping[str, Any]
) -> bytes:
    """The file that a net generates from an uploaded one; see `sparring.use.apply`, which does the same to files.

    Args:
        suffix: of the result, which selects its format.
        asked: checked values of `Modality.apply_asks`.

    Raises:
        InputError: if the image or the mask cannot be used.
    """
    if upload.mask is not None and not mapper.masked:
        raise InputError("a mask was sent, but this model fills no holes; send only the image")
    with TemporaryDirectory(prefix="sparring-") as folder:
        image, mask, result = (Path(folder) / name for name in ("image", "mask", f"result{suffix}"))
        image.write_bytes(upload.image)
        if upload.mask is not None:
            mask.write_bytes(upload.mask)
        with _without_paths(folder):
            given_mask = mask if upload.mask is not None else None
            modality.transform(mapper, image, result, _Reporter(progress), given_mask, asked=asked)
        return result.read_bytes()


def fitted(modality: Modality, upload: Upload) -> NDArray[Any]:
    """An uploaded item in the size of a model's, (1, ...) as decoded.

    Raises:
        InputError: if it cannot be read.
    """
    with TemporaryDirectory(prefix="sparring-") as folder, _without_paths(folder):
        path = Path(folder) / "image"
        path.write_bytes(upload.image)
        return modality.read_given(path)


@contextmanager
def _without_paths(folder: str) -> Iterator[None]:
    """Remove from errors the names of temporary files, and of options of the command line."""
    try:
        yield
    except InputError as error:
        why = str(error).replace(f"the mask {folder}/mask", "the mask").replace(f"{folder}/", "the ")
        raise InputError(why.replace("by --mask FILE", "in a mask").replace("--mask FILE", "a mask")) from error

"""Results as the bytes of a response."""

from __future__ import annotations

import io
import json
import mimetypes
import secrets
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL.PngImagePlugin import PngImageFile

from sparring.deploy.serve.negotiation import JSON, MULTIPART, PNG
from sparring.modalities import Samples
from sparring.modalities.samples import png_bytes
from sparring.provenance import Mark


def samples_as(samples: Samples, media: str, seed: int, mark: Mark | None = None) -> bytes:
    """Samples in one of the `offers` of their kind: JSON with the seed, or the content of a file or of several ones. As
    a PNG, a single sample that is an image is sent as it is, without a sheet.

    Args:
        mark: of what is sent; none unless given.
    """
    modality = samples.modality
    if media == JSON:
        labels = None if samples.labels is None else [modality.classes[label] for label in samples.labels]
        marked = samples if mark is None else mark.samples(samples)
        said = {} if mark is None else {"provenance": mark.said()}
        return as_json({"kind": modality.kind, "seed": seed, "labels": labels, **said, **modality.as_json(marked)})
    writer = next(writer for writer in modality.writers if writer.media == media)
    if media == PNG and len(samples) == 1 and modality.draw_items(samples) is not None:
        writer = replace(writer, write=_write_single)
    with TemporaryDirectory(prefix="sparring-") as folder:
        path = Path(folder) / f"samples{writer.suffix}"
        samples.write(writer, path, mark)
        return multipart(path) if path.is_dir() else path.read_bytes()


def multipart(folder: Path) -> bytes:
    """The files of a folder as fields of a form (RFC 7578): those of a subfolder under its name, and any other file
    under its own name without the suffix.
    """
    boundary, body = secrets.token_hex(16), io.BytesIO()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        place = file.relative_to(folder)
        name, filename = (_quoted(text) for text in (place.with_suffix("").parts[0], place.as_posix()))
        media = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n'
        body.write(f"{head}Content-Type: {media}\r\n\r\n".encode() + file.read_bytes() + b"\r\n")
    return body.getvalue() + f"--{boundary}--\r\n".encode()


def _quoted(name: str) -> str:
    """A name between quotes, escaped as in HTML forms."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def declared(media: str, content: bytes) -> str:
    """The header Content-Type of content: its media type, and of several files what separates them."""
    if media != MULTIPART:
        return media
    boundary, _, _ = content.removeprefix(b"--").partition(b"\r\n")
    return f"{media}; boundary={boundary.decode()}"


def _write_single(samples: Samples, path: Path) -> None:
    """The image of a single sample."""
    images = samples.modality.draw_items(samples)
    assert images is not None
    path.write_bytes(png_bytes(images[0]))


def npz(**arrays: NDArray[Any]) -> bytes:
    """Arrays in NumPy's format."""
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **arrays)
    return file.getvalue()


def png_as_npz(png: bytes) -> bytes:
    """A PNG as an array `images`, uint8 (1, h, w, c)."""
    with PngImageFile(io.BytesIO(png)) as image:  # Image.open would refuse a large one as a decompression bomb
        pixels = np.asarray(image)
    return npz(images=pixels.reshape(1, *pixels.shape[:2], -1))


def as_json(answer: Any) -> bytes:
    """JSON as ASCII: strings of a request may contain characters that UTF-8 cannot encode."""
    return json.dumps(answer, allow_nan=False, separators=(",", ":")).encode()

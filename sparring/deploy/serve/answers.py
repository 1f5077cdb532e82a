"""Results as the bytes of a response."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL.PngImagePlugin import PngImageFile

from sparring.deploy.serve.negotiation import JSON, PNG
from sparring.modalities import Samples
from sparring.modalities.samples import png_bytes
from sparring.provenance import Mark


def samples_as(samples: Samples, media: str, seed: int, mark: Mark | None = None) -> bytes:
    """Samples in one of the `offers` of their kind: JSON with the seed, or the content of a file. As a PNG, a single
    sample that is an image is sent as it is, without a sheet.

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
        return path.read_bytes()


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

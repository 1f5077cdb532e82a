"""Files that somebody wants to know about."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from sparring.errors import InputError
from sparring.files import describe_error

MAX_BYTES = 1 << 30  # of a file
MAX_PIXELS = 89_000_000  # of a picture


def read_bytes(path: Path) -> bytes:
    """The content of a file.

    Raises:
        InputError: if it cannot be read, or is too large.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot read {path}: {describe_error(error)}") from error
    if len(content) > MAX_BYTES:
        raise InputError(f"{path} is larger than {MAX_BYTES >> 20} MiB; give a smaller file")
    return content


def pixels_of(content: bytes) -> NDArray[np.uint8] | None:
    """A picture as (1, h, w, 1 or 3), without transparency, as it is shown; None if the content is no picture."""
    try:
        with Image.open(io.BytesIO(content)) as image:
            if image.width * image.height > MAX_PIXELS:
                return None
            colors = "L" if image.mode in ("L", "LA", "1") else "RGB"
            pixels = np.array(image.convert("RGBA").convert(colors))
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    return pixels.reshape(1, *pixels.shape[:2], -1)

"""PNG files that are written from top to bottom; PIL needs the whole image at once."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import numpy as np

from sparring.nets.tiles import Pixels

COLOR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # in PNG: gray, gray and alpha, RGB, RGB and alpha, by channels
UP = 2  # PNG's filter that subtracts the row above
LEVEL = 4  # of zlib; 6 is much slower and saves little


def write(path: Path, width: int, height: int, channels: int, bands: Iterable[Pixels], profile: bytes | None) -> None:
    """Write an image band by band.

    Args:
        channels: from 1 to 4; alpha is the last of 2 or 4.
        bands: (rows, width, channels), `height` rows in all.
        profile: an ICC color profile with the same channels.
    """
    with path.open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        _chunk(file, b"IHDR", struct.pack(">IIBBBBB", width, height, 8, COLOR_TYPES[channels], 0, 0, 0))
        if profile is not None:
            _chunk(file, b"iCCP", b"ICC profile\0\0" + zlib.compress(profile))
        packer = zlib.compressobj(LEVEL, strategy=zlib.Z_FILTERED)
        above = np.zeros((1, width * channels), np.uint8)
        for band in bands:
            rows = band.reshape(len(band), -1)
            _chunk(file, b"IDAT", packer.compress(_filtered(rows, above).data))
            above = rows[-1:]
        _chunk(file, b"IDAT", packer.flush())
        _chunk(file, b"IEND", b"")


def _filtered(rows: Pixels, above: Pixels) -> Pixels:
    """The filter type of each row and its bytes minus those above, modulo 256: (rows, 1 + bytes)."""
    filtered = np.empty((len(rows), 1 + rows.shape[1]), np.uint8)
    filtered[:, 0] = UP
    np.subtract(rows[:1], above, out=filtered[:1, 1:])
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    return filtered


def _chunk(file: BinaryIO, name: bytes, content: bytes) -> None:
    checked = zlib.crc32(content, zlib.crc32(name))
    file.writelines((struct.pack(">I", len(content)), name, content, struct.pack(">I", checked)))

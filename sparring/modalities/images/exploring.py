"""Images of the user's own, read one by one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sparring.data.sources import FolderSource, Unreadable
from sparring.errors import InputError
from sparring.modalities.images.decoding import loaded, squared
from sparring.modalities.images.depth import Levels
from sparring.modalities.images.image_files import folder

COLORS = {1: "gray", 3: "color", 4: "transparent"}  # by number of channels


def read_image(path: Path) -> Image.Image:
    """The image in a file, upright.

    Raises:
        InputError: if it cannot be read.
    """
    image = loaded(path.read_bytes())
    if isinstance(image, Unreadable):
        raise InputError(f"{path.name} cannot be read: {image.why}")
    return image


def read_images(path: Path, size: int, channels: int, levels: Levels = Levels()) -> NDArray[np.uint8]:
    """An image, or all images in a folder, cropped to squares and resized: (n, size, size, channels).

    Raises:
        InputError: if there are none, or one cannot be read.
    """
    if not path.exists():
        raise InputError(f"there is no image {path}; give a file, or a folder of images")
    files = folder(path) if path.is_dir() else FolderSource(path.parent, (path.name,))
    if not len(files):
        raise InputError(f"there are no images in {path}; give a file, or a folder of images")
    images = []
    for i, content in files.contents():
        image = loaded(content, levels, size)
        if isinstance(image, Unreadable):
            raise InputError(f"{path / files.names[i] if path.is_dir() else path} cannot be read: {image.why}")
        images.append(squared(image, size, channels).transpose(1, 2, 0))
    return np.stack(images)


def conversion(channels: int, to: int) -> str:
    """How the colors of images change, in words; "" if they do not."""
    return "" if channels == to else f"{COLORS[channels]}, converted to {COLORS[to]}"

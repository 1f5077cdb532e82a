"""Image files: which files they are, and what a folder or an archive of them holds."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from sparring.data import sources
from sparring.data.sources import FolderSource, TarSource, ZipSource

FORMATS = {  # formats that are read, by suffix; those that run other programs or hold pages are left out
    ".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".jfif": "JPEG", ".webp": "WEBP", ".gif": "GIF",
    ".bmp": "BMP", ".tif": "TIFF", ".tiff": "TIFF", ".ppm": "PPM", ".pgm": "PPM", ".pbm": "PPM",
    ".tga": "TGA", ".jp2": "JPEG2000", ".avif": "AVIF", ".ico": "ICO",
}  # fmt: skip


def is_image(name: str) -> bool:
    """True if a name has the suffix of an image, and neither the file nor a folder around it is hidden."""
    return PurePosixPath(name.replace("\\", "/")).suffix.lower() in FORMATS and sources.is_visible(name)


def folder(path: Path) -> FolderSource:
    """The images below a folder."""
    return sources.folder(path, is_image)


def archive(path: Path) -> tuple[ZipSource | TarSource, int] | None:
    """The images in an archive; see `sources.archive`."""
    return sources.archive(path, is_image)

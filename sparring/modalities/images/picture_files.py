"""Picture files: which files they are."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from sparring.data import sources
from sparring.data.sources import FolderSource, TarSource, ZipSource

FORMATS = {  # what is read, by suffix; formats that run other programs or hold pages are left out
    ".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".jfif": "JPEG", ".webp": "WEBP", ".gif": "GIF",
    ".bmp": "BMP", ".tif": "TIFF", ".tiff": "TIFF", ".ppm": "PPM", ".pgm": "PPM", ".pbm": "PPM",
    ".tga": "TGA", ".jp2": "JPEG2000", ".avif": "AVIF", ".ico": "ICO",
}  # fmt: skip


def is_picture(name: str) -> bool:
    """Whether a name has a picture's suffix, and neither it nor a folder around it is hidden."""
    return PurePosixPath(name.replace("\\", "/")).suffix.lower() in FORMATS and sources.is_visible(name)


def folder(path: Path) -> FolderSource:
    """The pictures below a folder."""
    return sources.folder(path, is_picture)


def archive(path: Path) -> tuple[ZipSource | TarSource, int] | None:
    """The pictures in an archive; see `sources.archive`."""
    return sources.archive(path, is_picture)

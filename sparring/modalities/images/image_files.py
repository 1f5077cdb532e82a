"""Image files: which files they are, and what a folder or an archive of them holds."""

from __future__ import annotations

import importlib
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

from PIL import Image

from sparring.data import sources
from sparring.data.sources import FileSource

FORMATS = {  # formats that are read, by suffix; those that run other programs or hold pages are left out
    ".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".jfif": "JPEG", ".webp": "WEBP", ".gif": "GIF",
    ".bmp": "BMP", ".tif": "TIFF", ".tiff": "TIFF", ".ppm": "PPM", ".pgm": "PPM", ".pbm": "PPM",
    ".tga": "TGA", ".jp2": "JPEG2000", ".avif": "AVIF", ".ico": "ICO", ".heic": "HEIF", ".heif": "HEIF", ".jxl": "JXL",
}  # fmt: skip
PLUGINS = {"HEIF": ("pillow_heif", "register_heif_opener"), "JXL": ("pillow_jxl", "")}  # libraries that add formats
SIGNATURES = (  # format, place in the file, bytes there
    ("PNG", 0, b"\x89PNG\r\n\x1a\n"), ("JPEG", 0, b"\xff\xd8\xff"), ("GIF", 0, b"GIF8"), ("WEBP", 8, b"WEBP"),
    ("TIFF", 0, b"II*\0"), ("TIFF", 0, b"MM\0*"), ("BMP", 0, b"BM"), ("JPEG2000", 0, b"\0\0\0\x0cjP  "),
    ("JPEG2000", 0, b"\xff\x4f\xff\x51"), ("AVIF", 4, b"ftypavif"), ("AVIF", 4, b"ftypavis"), ("HEIF", 4, b"ftyphei"),
    ("HEIF", 4, b"ftyphev"), ("HEIF", 4, b"ftypmif1"), ("HEIF", 4, b"ftypmsf1"), ("JXL", 0, b"\xff\x0a"),
    ("JXL", 0, b"\0\0\0\x0cJXL "), ("DICOM", 128, b"DICM"),
)  # fmt: skip
CONVERT = "convert them to .png or .jpg"
UNREAD = {  # files of images that are not read, by suffix: their format, and what to do
    **dict.fromkeys((".dcm", ".dicom", ".ima"), ("DICOM", "convert them to .tif or .png of 16 bits")),
    **dict.fromkeys((".nii", ".nii.gz", ".mha", ".mhd", ".nrrd"), ("volumes", "save their slices as .tif or .png")),
    **dict.fromkeys((".czi", ".lif", ".nd2", ".svs", ".ndpi"), ("microscopy", "save their images as .tif")),
    **dict.fromkeys((".cr2", ".cr3", ".nef", ".arw", ".dng", ".orf", ".raf", ".rw2"), ("camera raw", CONVERT)),
    **dict.fromkeys((".psd", ".svg", ".eps", ".ai", ".pdf", ".exr", ".hdr", ".xcf", ".emf", ".wmf"), ("", CONVERT)),
    **dict.fromkeys((".mp4", ".mov", ".avi", ".mkv", ".webm"), ("video", "save their frames as .png or .jpg")),
}
MISSING = {  # formats that a library adds
    "HEIF": "pip install pillow-heif to read them, or convert them to .jpg",
    "JXL": "pip install pillow-jxl-plugin to read them, or convert them to .png",
}
PLAIN = (  # suffixes of what is usually beside images, and is none
    ".txt", ".csv", ".tsv", ".json", ".jsonl", ".xml", ".yaml", ".yml", ".md", ".html", ".py", ".ipynb", ".log", ".zip",
    ".tar", ".gz", ".tgz", ".xz", ".npy", ".npz", ".mat", ".pkl", ".parquet", ".pt", ".pth", ".safetensors", ".onnx",
    ".wav", ".mp3", ".flac", ".db", ".ini", ".toml",
)  # fmt: skip


@cache
def register_plugins() -> None:
    """Let PIL read the formats for which a library is installed."""
    Image.init()
    for module, function in PLUGINS.values():
        with suppress(ImportError):
            plugin = importlib.import_module(module)
            if function:
                getattr(plugin, function)()


def _is_read(format: str) -> bool:
    register_plugins()
    return format in Image.OPEN


def format_of(name: str) -> str:
    """The format that the suffix of a name stands for; "" if it is none that is read."""
    format = FORMATS.get(_suffix(name), "")
    return format if format and _is_read(format) else ""


def is_image(name: str) -> bool:
    """True if a name has the suffix of an image, and neither the file nor a folder around it is hidden."""
    return bool(format_of(name)) and sources.is_visible(name)


def _suffix(name: str) -> str:
    path = PurePosixPath(name.replace("\\", "/"))
    return "".join(path.suffixes[-2:]).lower() if path.suffix.lower() == ".gz" else path.suffix.lower()


def signature(head: bytes) -> str:
    """The format of a file by its first bytes; "" if it is none of `SIGNATURES`."""
    return next((format for format, place, mark in SIGNATURES if head[place:].startswith(mark)), "")


@dataclass(frozen=True)
class Found:
    """The images of a folder or an archive.

    Attributes:
        files: the images.
        passed: images that are not read: what they are, their number, and what to do.
        others: suffixes of files that are no images, and their number.
    """

    files: FileSource
    passed: tuple[tuple[str, int, str], ...] = ()
    others: tuple[tuple[str, int], ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What was passed over, in a line; () if nothing was."""
        parts = [f"{count:,} {what} ({remedy})" for what, count, remedy in self.passed]
        parts += [f"{count:,} {suffix or 'without a suffix'} that are no images" for suffix, count in self.others]
        return (f"passed over in {self.files.path.name or self.files.path}: {'; '.join(parts)}",) if parts else ()


def chosen(everything: FileSource) -> Found:
    """The images among all files of a folder or an archive: by their suffix or, unless it is a known one, by their
    content.
    """
    unknown = {i for i, name in enumerate(everything.names) if _is_unknown(name)}
    formats = {i: signature(head) for i, head in everything.heads(unknown)} if unknown else {}
    images, passed, others = [], Counter[tuple[str, str]](), Counter[str]()
    for i, name in enumerate(everything.names):
        format, suffix = formats.get(i) or FORMATS.get(_suffix(name), ""), _suffix(name)
        if format and _is_read(format):
            images.append(i)
        elif format in MISSING:
            passed[f"{suffix or 'files'} of {format}", MISSING[format]] += 1
        elif format or suffix in UNREAD:
            kind, remedy = UNREAD.get(suffix, (format, UNREAD[".dcm"][1]))
            passed[" of ".join(filter(None, (suffix or "files", kind))), remedy] += 1
        else:
            others[suffix] += 1
    listed = tuple((what, count, remedy) for (what, remedy), count in passed.most_common())
    return Found(everything.only(images), listed, tuple(others.most_common()))


def _is_unknown(name: str) -> bool:
    suffix = _suffix(name)
    return suffix not in FORMATS and suffix not in UNREAD and suffix not in PLAIN


def folder(path: Path) -> FileSource:
    """The images below a folder."""
    return found_in(path).files


def found_in(path: Path) -> Found:
    """The images below a folder, and what else is there."""
    return chosen(sources.folder(path, sources.is_visible))


def archive(path: Path) -> tuple[Found, int] | None:
    """The images in an archive, and the number of links in it that would be images; see `sources.archive`."""
    opened = sources.archive(path, sources.is_visible)
    return None if opened is None else (chosen(opened[0]), opened[1])

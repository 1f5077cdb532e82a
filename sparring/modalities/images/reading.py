"""Data sets of images: which files and folders they are."""

from __future__ import annotations

from pathlib import Path

from sparring.data.classes import classify
from sparring.data.items import Items
from sparring.data.sources import FileSource, JoinedSource
from sparring.data.tars import is_tar, members, open_tar
from sparring.errors import InputError
from sparring.files import resolved
from sparring.modalities.images import arrays, image_files, parquet, webdataset
from sparring.modalities.images.image_files import Found

# Published sets whose folders hold more than one version: the first that is complete is read.
LAYOUTS = (
    ("cifar-10-batches-py",),
    ("cifar-10-python.tar.gz",),
    ("cifar10_jpeg.tar.xz",),
    ("grocery_64.zip",),
    ("characters.zip",),
    ("images_background_small1.zip", "images_background_small2.zip"),  # Omniglot
    ("images_background.zip",),
)


def read(path: Path) -> Items | None:
    """The images in a folder, an archive, an `.npz`, an `.npy` or a `.parquet`; None if there are none.

    Folders and archives may also hold MNIST's idx files, or CIFAR in its version for Python; folders also shards of
    WebDataset, or Parquet files.

    Raises:
        InputError: if there are images that cannot be used.
    """
    if path.is_dir():
        return _folder(path)
    if path.suffix.lower() == ".npz":
        return arrays.npz(path)
    if path.suffix.lower() == ".npy":
        return arrays.npy(path)
    if path.suffix.lower() == parquet.SUFFIX:
        return parquet.read(path, path.stem)
    if webdataset.has_classes(path):
        return webdataset.read([path], path.name.split(".")[0])
    return _archive(path)


def _folder(path: Path) -> Items | None:
    for names in LAYOUTS:
        if all((path / name).exists() for name in names):
            return _joined(resolved(path).name, [part for name in names if (part := read(path / name)) is not None])
    idx = sorted(path.glob("*-images-idx3-ubyte*"))
    if idx:
        train = next((p for p in idx if p.name.startswith("train")), idx[0])
        return arrays.idx(resolved(path).name, train)
    if arrays.is_cifar({p.name for p in path.iterdir() if p.is_file()}):
        return arrays.cifar(path)
    if shards := webdataset.shards_in(path):
        return webdataset.read(shards, resolved(path).name)
    found = image_files.found_in(path)
    if not found.files.names and (items := parquet.read(path, resolved(path).name)) is not None:
        return items
    return from_files(found.files, resolved(path).name, found.notes) if _worth_reading(found) else None


def _worth_reading(found: Found) -> bool:
    """True if there are images, or most files are images that cannot be read, which an error then names."""
    unread, others = (sum(count for _, count, *_ in counts) for counts in (found.passed, found.others))
    return bool(found.files.names) or unread > others


def _joined(name: str, parts: list[Items]) -> Items | None:
    """The archives of one set as one; a file that is in several of them is taken from the first."""
    if len(parts) < 2:
        return parts[0] if parts else None
    return from_files(JoinedSource.of([part.items for part in parts]), name)


def _archive(path: Path) -> Items | None:
    opened = image_files.archive(path)
    if opened is None:
        return None
    found, links = opened
    if not _worth_reading(found) and not (links and not found.others):
        return arrays.cifar(path) if _holds_cifar(path) else None
    notes = (f"{links} links in {path.name} are not followed",) if links else ()
    return from_files(found.files, path.name.split(".")[0] or path.name, (*notes, *found.notes))


def _holds_cifar(path: Path) -> bool:
    if not is_tar(path):
        return False
    with open_tar(path, headers=True) as archive:
        return arrays.is_cifar({Path(member.name).name for member in members(archive) if member.isreg()})


def from_files(files: FileSource, name: str, notes: tuple[str, ...] = ()) -> Items:
    """Image files, with the classes and the held-out part that their folders define.

    Raises:
        InputError: if there are fewer than two.
    """
    if len(files) < 2:
        holds = "holds no images" if not files.names else "holds only one image"
        also = f" ({'; '.join(notes)})" if notes else ""
        raise InputError(f"{files.path} {holds}{also}; give at least two images (.png, .jpg, ...)")
    labels, classes, held = classify(files.names)
    return Items(name, "images", files, labels, classes, held=held, notes=notes)

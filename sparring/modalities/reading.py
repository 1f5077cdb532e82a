"""Reading users' files: what is there, and of which kind."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sparring.data.classes import sorted_out
from sparring.data.items import Items
from sparring.data.sources import FileSource
from sparring.errors import InputError
from sparring.files import reason
from sparring.modalities.images import arrays
from sparring.modalities.images import picture_files as pictures
from sparring.modalities.points.reading import points
from sparring.modalities.series.reading import in_time, read_several
from sparring.modalities.tables.reading import read_table

ENDINGS = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.xz", ".tar.bz2", ".txz", ".npz")  # what a folder may hold instead


def read(path: Path) -> Items:
    """The data set in a folder or an archive of pictures or of series, a folder of idx files, CIFAR for Python,
    an `.npz`, an `.npy`, or a table: `.csv`, `.tsv`, `.parquet`.

    Raises:
        InputError: where it holds no such thing.
    """
    if path.is_dir():
        return _folder(path)
    readers = {".npz": arrays.npz, ".npy": _npy, **dict.fromkeys((".csv", ".tsv", ".parquet"), _table)}
    if path.suffix.lower() in readers:
        return readers[path.suffix.lower()](path)
    found = pictures.archive(path)
    if found is None:
        raise InputError(
            f"{path} is of no known kind; give a folder, a zip or a tar of pictures, an .npz, an .npy, "
            "or a table (.csv, .tsv, .parquet)"
        )
    files, links = found
    if not files.names and links == 0 and _holds_cifar(path):
        return arrays.cifar(path)
    if not files.names and (several := read_several(path)) is not None:
        return several
    notes = (f"{links} links in {path.name} are not followed",) if links else ()
    return of_files(files, _stem(path), notes)


def _folder(path: Path) -> Items:
    """A folder's pictures, or what it holds instead of any."""
    images = sorted(path.glob("*-images-idx3-ubyte*"))
    if images:
        train = next((p for p in images if p.name.startswith("train")), images[0])
        return arrays.idx(path.resolve().name, train)
    if arrays.is_cifar({p.name for p in path.iterdir() if p.is_file()}):
        return arrays.cifar(path)
    files = pictures.folder(path)
    others = [p for p in sorted(path.iterdir()) if p.name.lower().endswith(ENDINGS)]
    if not files.names and not others and (several := read_several(path)) is not None:
        return several
    if files.names or not others:
        return of_files(files, path.resolve().name)
    if len(others) > 1:
        raise InputError(f"{path} holds {len(others)} archives; give one of them: {', '.join(map(str, others))}")
    return read(others[0])


def of_files(files: FileSource, name: str, notes: tuple[str, ...] = ()) -> Items:
    """Picture files, with the classes and the held-out part that their folders name.

    Raises:
        InputError: where there are fewer than two.
    """
    if len(files) < 2:
        holds = "holds no pictures" if not files.names else "holds one picture only"
        also = f" ({'; '.join(notes)})" if notes else ""
        raise InputError(f"{files.path} {holds}{also}; give at least two pictures (.png, .jpg, ...)")
    labels, classes, held = sorted_out(files.names)
    return Items(name, "images", files, labels, classes, held=held, notes=notes)


def _table(path: Path) -> Items:
    return in_time(read_table(path))


def _npy(path: Path) -> Items:
    try:
        array = np.load(path, allow_pickle=False)
    except (ValueError, EOFError, MemoryError) as error:
        raise InputError(f"{path} is not a .npy array of numbers: {error}") from error
    except OSError as error:
        raise InputError(f"cannot read {path}: {reason(error)}") from error
    if array.ndim < 3:
        try:
            return points(path, array)
        except ValueError as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"{path} is not a .npy array of numbers: {error}") from error
    images, how = arrays.pictures(array, str(path))
    return Items(path.stem, "images", images, notes=(f"{path.name} is {how}",))


def _holds_cifar(path: Path) -> bool:
    import tarfile

    if not tarfile.is_tarfile(path):
        return False
    with tarfile.open(path) as archive:
        return arrays.is_cifar({Path(member.name).name for member in archive if member.isreg()})


def _stem(path: Path) -> str:
    return path.name.split(".")[0] or path.name

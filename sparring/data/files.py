"""Reading users' files: what is there, and of which kind."""

from __future__ import annotations

import csv
import gzip
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sparring.data.items import Items
from sparring.errors import InputError
from sparring.writing import reason


def read(path: Path) -> Items:
    """The data set in a folder of pictures, a folder of idx files, a `.npy` or a `.csv` of numbers.

    Raises:
        InputError: where it holds no such thing.
    """
    if path.is_dir():
        images = sorted(path.glob("*-images-idx3-ubyte*"))
        return _idx_folder(path, images) if images else _pictures(path)
    readers = {".npy": _npy, ".csv": _csv}
    if path.suffix.lower() not in readers:
        raise InputError(f"{path} is of no known kind; give a folder of pictures, a .npy or a .csv of numbers")
    points, columns = readers[path.suffix.lower()](path)
    if points.ndim != 2 or points.shape[0] < 2 or points.shape[1] < 1:
        raise InputError(f"{path} holds an array of shape {points.shape}; points are rows: (count, dimensions)")
    bad = ~np.isfinite(points)
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise InputError(f"{path} holds {points[row, column]} in row {row + 1}, column {column + 1}; clean it first")
    return Items(path.stem, "points", points, columns=columns)


def _npy(path: Path) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    try:
        array = np.load(path, allow_pickle=False)
        return array.astype(np.float32), ()
    except (ValueError, EOFError) as error:
        raise InputError(f"{path} is not a .npy array of numbers: {error}") from error
    except OSError as error:
        raise InputError(f"cannot read {path}: {reason(error)}") from error


def _csv(path: Path) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"cannot read {path}: {error}") from error
    header = bool(rows) and not all(map(_is_number, rows[0]))
    columns = tuple(rows.pop(0)) if header else ()
    width = len(rows[0]) if rows else 0
    for number, row in enumerate(rows, 1 + header):
        if len(row) != width:
            raise InputError(f"{path}, line {number}: {len(row)} values where the lines before have {width}")
        wrong = next((value for value in row if not _is_number(value)), None)
        if wrong is not None:
            raise InputError(f"{path}, line {number}: {wrong!r} is not a number")
    return np.array(rows, dtype=np.float32).reshape(-1, width), columns


def _is_number(text: str) -> bool:
    try:
        return not math.isinf(float(text))
    except ValueError:
        return False


def _pictures(path: Path) -> Items:
    """The pictures below a folder; where all lie in sub-folders, these are their classes."""
    suffixes = Image.registered_extensions()
    found = sorted(p for p in path.rglob("*") if p.suffix.lower() in suffixes and p.is_file())
    found = [p for p in found if not any(part.startswith(".") for part in p.relative_to(path).parts)]
    if len(found) < 2:
        holds = "holds no pictures" if not found else "holds one picture only"
        raise InputError(f"{path} {holds}; give a folder of at least two pictures (.png, .jpg, ...)")
    tops = [p.relative_to(path).parts[0] if p.parent != path else None for p in found]
    classes = sorted({top for top in tops if top is not None})
    if None in tops or len(classes) < 2:
        return Items(path.resolve().name, "images", found)
    labels = np.array([classes.index(str(top)) for top in tops], dtype=np.int64)
    return Items(path.resolve().name, "images", found, labels, tuple(classes))


def _idx_folder(path: Path, images: list[Path]) -> Items:
    train = next((p for p in images if p.name.startswith("train")), images[0])
    labels = train.with_name(train.name.replace("-images-idx3", "-labels-idx1"))
    return idx(path.resolve().name, train, labels if labels.exists() else None)


def idx(name: str, images: Path, labels: Path | None, classes: tuple[str, ...] = ()) -> Items:
    """Pictures and labels in MNIST's idx format, gzipped or not. LeCun et al. 1998.

    Raises:
        InputError: where a file is damaged, or the two do not belong together.
    """
    pictures = _idx_array(images, dimensions=3)
    if labels is None:
        return Items(name, "images", pictures)
    numbers = _idx_array(labels, dimensions=1).astype(np.int64)
    if len(numbers) != len(pictures):
        raise InputError(f"{images} holds {len(pictures)} pictures but {labels} {len(numbers)} labels")
    names = classes or tuple(str(i) for i in range(int(numbers.max()) + 1))
    return Items(name, "images", pictures, numbers, names)


def _idx_array(path: Path, dimensions: int) -> NDArray[np.uint8]:
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError) as error:
        raise InputError(f"cannot read {path}: {error}") from error
    start = 4 + 4 * dimensions
    if len(content) < start or content[:4] != bytes([0, 0, 8, dimensions]):
        raise InputError(f"{path} is not an idx file of bytes in {dimensions} dimensions")
    shape = np.frombuffer(content[4:start], ">u4")
    if len(content) != start + math.prod(int(s) for s in shape):
        raise InputError(f"{path} is cut off or damaged: its header promises {'x'.join(map(str, shape))} bytes")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)

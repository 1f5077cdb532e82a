"""Pictures that lie in arrays: `.npz` and `.npy`, MNIST's idx files, CIFAR's batches."""

from __future__ import annotations

import gzip
import io
import math
import pickle
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparring.data.items import Items
from sparring.data.sources import BROKEN, INFLATION, LARGEST_FILE
from sparring.errors import InputError
from sparring.files import reason

IMAGES = ("images", "x", "arr_0", "x_train", "train_images")  # names that pictures go by in an .npz
SMALLEST = 4  # pixels of a side
ROUNDING = 0.01  # by which floats may leave their range
HELD = ("test_images", "x_test", "val_images", "x_val")
LABELS = {
    "images": "labels", "x": "y", "arr_0": "arr_1", "x_train": "y_train", "train_images": "train_labels",
    "test_images": "test_labels", "x_test": "y_test", "val_images": "val_labels", "x_val": "y_val",
}  # fmt: skip


def npz(path: Path) -> Items:
    """Pictures in an `.npz`, with their labels beside them; see `IMAGES` and `LABELS` for the names.

    Raises:
        InputError: where it holds no pictures, or is damaged.
    """
    content = _loaded(path)
    train = next((name for name in IMAGES if name in content), None)
    if train is None:
        raise InputError(f"{path} holds {', '.join(content) or 'nothing'}; pictures go by {', '.join(IMAGES)}")
    parts = [train, *(name for name in HELD if name in content and train in ("x_train", "train_images"))]
    made = [pictures(content[name], f"{path}, {name}") for name in parts]
    labels = [_labels(content, name, len(array), path) for name, (array, _) in zip(parts, made, strict=True)]
    if len({array.shape[1:] for array, _ in made}) > 1:
        raise InputError(f"{path} holds pictures of several sizes in {' and '.join(parts)}; leave out one of them")
    images = np.concatenate([array for array, _ in made])
    held = np.repeat([name != train for name in parts], [len(array) for array, _ in made]) if len(parts) > 1 else None
    notes = (f"{path.name}: {train} is {made[0][1]}", *([f"held out: {', '.join(parts[1:])}"] if parts[1:] else []))
    if any(part is None for part in labels):
        return Items(path.stem, "images", images, held=held, notes=notes)
    numbers = np.concatenate([part for part in labels if part is not None])
    known, indices = np.unique(numbers, return_inverse=True)
    classes = tuple(str(value) for value in known)
    if len(classes) < 2:
        return Items(path.stem, "images", images, held=held, notes=notes)
    return Items(path.stem, "images", images, indices.astype(np.int64), classes, held=held, notes=notes)


def _loaded(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with zipfile.ZipFile(path) as archive:
            total = sum(member.file_size for member in archive.infolist())
        if total > LARGEST_FILE + INFLATION * path.stat().st_size:
            raise InputError(f"{path} unpacks to {total / 2**20:,.0f} MiB, as a zip bomb does")
        with np.load(path, allow_pickle=False) as content:
            return {name: content[name] for name in content.files if name in LABELS or name in LABELS.values()}
    except OSError as error:
        raise InputError(f"cannot read {path}: {reason(error)}") from error
    except (ValueError, zipfile.BadZipFile, MemoryError, *BROKEN) as error:
        raise InputError(f"{path} is not an .npz of numbers, or is damaged: {error}") from error


def _labels(content: Mapping[str, NDArray[Any]], images: str, n: int, path: Path) -> NDArray[Any] | None:
    found = content.get(LABELS[images])
    if found is None:
        return None
    if found.ndim == 2 and found.shape[1] > 1:
        if not ((found != 0).sum(1) == 1).all():  # several labels at once, or none
            return None
        found = found.argmax(1)  # one-hot
    if found.size != n:
        raise InputError(f"{path} holds {n} pictures but {found.size} labels in {LABELS[images]}")
    return found.reshape(n)


def pictures(array: NDArray[Any], where: str) -> tuple[NDArray[np.uint8], str]:
    """An array of pictures as uint8 (n, h, w, c), and how it was understood.

    Args:
        array: (n, h, w), (n, h, w, c) or (n, c, h, w) with 1, 3 or 4 channels; uint8, or floats in
            [0, 1] or [-1, 1], or any numbers in [0, 255].
        where: it was found, for errors.

    Raises:
        InputError: where it is none of these.
    """
    shape = tuple(array.shape)
    known = (1, 3, 4)
    if array.ndim == 3:
        array, order = array[..., None], "height x width"
    elif array.ndim == 4 and shape[3] in known:
        order = "height x width x channels"
    elif array.ndim == 4 and shape[1] in known:
        array, order = array.transpose(0, 2, 3, 1), "channels x height x width"
    else:
        raise InputError(f"{where} has shape {shape}; pictures are (n, h, w), (n, h, w, c) or (n, c, h, w)")
    if len(array) < 2:
        raise InputError(f"{where} holds one picture only; give at least two")
    if array.dtype == np.uint8 and min(array.shape[1:3]) >= SMALLEST:
        return array, f"uint8, {order}"
    if array.dtype.kind not in "fiub" or not np.isfinite(array).all():
        raise InputError(f"{where} is of {array.dtype} and not all finite numbers; give uint8, or floats in [-1, 1]")
    if min(array.shape[1:3]) < SMALLEST:
        raise InputError(f"{where} has shape {shape}; pictures have at least {SMALLEST} x {SMALLEST} pixels")
    low, high = float(array.min()), float(array.max())
    if low < -1 - ROUNDING or high > 255 or (low < 0 and high > 1 + ROUNDING):
        raise InputError(f"{where} goes from {low:g} to {high:g}; give values in [0, 255], [0, 1] or [-1, 1]")
    if low < 0:
        scaled, ranged = (array.astype(np.float32) + 1) * 127.5, "[-1, 1]"
    elif high <= 1 + ROUNDING:
        scaled, ranged = array.astype(np.float32) * 255, "[0, 1]"
    else:
        scaled, ranged = array.astype(np.float32), "[0, 255]"
    return np.round(scaled).clip(0, 255).astype(np.uint8), f"{array.dtype} in {ranged}, {order}"


def idx(name: str, images: Path, classes: tuple[str, ...] = ()) -> Items:
    """Pictures and labels in MNIST's idx format, gzipped or not. LeCun et al. 1998.

    Args:
        images: the file of the pictures; the labels', and the t10k files that are held out, are
            used where they lie beside it.

    Raises:
        InputError: where a file is damaged, or two do not belong together.
    """
    parts = [images]
    test = images.with_name(images.name.replace("train", "t10k"))
    if test != images and test.exists():
        parts.append(test)
    pictures = [_idx_array(part, dimensions=3) for part in parts]
    if len({part.shape[1:] for part in pictures}) > 1:
        raise InputError(f"{parts[0]} and {parts[1]} hold pictures of different sizes; take one of them away")
    held = np.repeat([False, True], [len(p) for p in pictures]) if len(parts) > 1 else None
    stacked = np.concatenate(pictures)
    files = [part.with_name(part.name.replace("-images-idx3", "-labels-idx1")) for part in parts]
    if not all(file.exists() for file in files):
        return Items(name, "images", stacked, held=held)
    labels = [_idx_array(file, dimensions=1).astype(np.int64) for file in files]
    for part, file, shown, numbers in zip(parts, files, pictures, labels, strict=True):
        if len(numbers) != len(shown):
            raise InputError(f"{part} holds {len(shown)} pictures but {file} {len(numbers)} labels")
    numbers = np.concatenate(labels)
    names = classes or tuple(str(i) for i in range(int(numbers.max()) + 1))
    return Items(name, "images", stacked, numbers, names, held=held)


def _idx_array(path: Path, dimensions: int) -> NDArray[np.uint8]:
    try:
        content = _inflated(path) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, *BROKEN) as error:
        raise InputError(f"cannot read {path}: {error}") from error
    start = 4 + 4 * dimensions
    if len(content) < start or content[:4] != bytes([0, 0, 8, dimensions]):
        raise InputError(f"{path} is not an idx file of bytes in {dimensions} dimensions")
    shape = np.frombuffer(content[4:start], ">u4")
    if len(content) != start + math.prod(int(s) for s in shape):
        raise InputError(f"{path} is cut off or damaged: its header promises {'x'.join(map(str, shape))} bytes")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def _inflated(path: Path) -> bytes:
    most = LARGEST_FILE + INFLATION * path.stat().st_size
    with gzip.open(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise InputError(f"{path} unpacks to more than {most / 2**20:,.0f} MiB, as a bomb does")
    return content


CIFAR_TRAIN = ("data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "train")
CIFAR_TEST = ("test_batch", "test")
CIFAR_NAMES = ("batches.meta", "meta")


def is_cifar(names: set[str]) -> bool:
    """Whether these are the files of CIFAR-10 or CIFAR-100 "for Python"."""
    return names >= {"data_batch_1", "batches.meta"} or names >= {"train", "meta"}


def cifar(path: Path) -> Items:
    """CIFAR-10 or CIFAR-100 in its authors' format "for Python": a folder of its files, or their
    tar archive. Krizhevsky 2009.

    Raises:
        InputError: where a file is damaged, or holds anything but arrays, numbers and text.
    """
    wanted = {*CIFAR_TRAIN, *CIFAR_TEST, *CIFAR_NAMES}
    if path.is_dir():
        files = {p.name: _bytes_of(p) for p in path.iterdir() if p.name in wanted and p.is_file()}
    else:
        with tarfile.open(path) as archive:
            members = [m for m in archive if m.isreg() and m.size < LARGEST_FILE and Path(m.name).name in wanted]
            files = {Path(m.name).name: archive.extractfile(m).read() for m in members}  # type: ignore[union-attr]
    batches = [
        (name, _unpickled(files[name], f"{path}, {name}")) for name in (*CIFAR_TRAIN, *CIFAR_TEST) if name in files
    ]
    names = next((_unpickled(files[name], f"{path}, {name}") for name in CIFAR_NAMES if name in files), {})
    try:
        arrays = [np.asarray(batch[b"data"], np.uint8).reshape(-1, 3, 32, 32) for _, batch in batches]
        key = b"labels" if b"labels" in batches[0][1] else b"fine_labels"
        labels = np.concatenate([np.asarray(batch[key], np.int64) for _, batch in batches])
        found = names.get(b"label_names" if key == b"labels" else b"fine_label_names", ())
        classes = tuple(value.decode() for value in found) or tuple(str(i) for i in range(int(labels.max()) + 1))
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise InputError(f"{path} is not CIFAR for Python, or is damaged: {error!r}") from error
    held = np.repeat([name in CIFAR_TEST for name, _ in batches], [len(array) for array in arrays])
    images = np.concatenate(arrays).transpose(0, 2, 3, 1)
    return Items(path.name.split(".")[0], "images", images, labels, classes, held=held)


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {reason(error)}") from error


class _Dtype:
    """Stands for numpy's own when a pickle is read, and believes only its name."""

    def __init__(self, name: Any, *_: Any) -> None:
        self.name = name.decode() if isinstance(name, bytes) else str(name)

    def __setstate__(self, state: Any) -> None:
        pass


class _Array:
    """Stands for numpy's own when a pickle is read: its state makes whole numbers of plain bytes."""

    values: NDArray[Any] = np.zeros(0, np.uint8)

    def __setstate__(self, state: Any) -> None:
        _, shape, dtype, fortran, raw = state
        if not isinstance(dtype, _Dtype) or dtype.name not in ("u1", "i4", "i8") or not isinstance(raw, bytes):
            raise pickle.UnpicklingError("it holds an array of something else than numbers")
        self.values = np.frombuffer(raw, dtype.name).reshape(shape, order="F" if fortran else "C")


class _Arrays(pickle.Unpickler):
    """Reads a pickle of arrays, numbers and text; whatever else one may hold is refused unread."""

    def find_class(self, module: str, name: str) -> Any:
        if module in ("numpy", "numpy.core.multiarray", "numpy._core.multiarray"):
            known = {"_reconstruct": lambda *_: _Array(), "ndarray": _Array, "dtype": _Dtype}
            if name in known:
                return known[name]
        if (module, name) == ("_codecs", "encode"):  # Python 3's way to keep bytes in an old pickle
            return lambda text, _encoding: text.encode("latin1")
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")


def _unpickled(content: bytes, where: str) -> dict[bytes, Any]:
    try:
        found = _Arrays(io.BytesIO(content), encoding="bytes").load()
    except Exception as error:  # a damaged pickle raises whatever its bytes happen to mean
        raise InputError(f"{where} is damaged, or no plain array: {error}") from error
    if not isinstance(found, dict):
        raise InputError(f"{where} is not CIFAR for Python")
    return {key: value.values if isinstance(value, _Array) else value for key, value in found.items()}

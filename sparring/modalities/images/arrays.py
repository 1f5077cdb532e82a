"""Images in arrays: `.npz` and `.npy` files, MNIST's idx files, CIFAR's batches."""

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
from sparring.data.npy import BAD_HEADER, check_header, open_npy
from sparring.data.sources import BROKEN, MAX_FILE_BYTES, MAX_INFLATION
from sparring.errors import InputError
from sparring.files import describe_error
from sparring.modalities.images.depth import MIN_SHARE, MIN_WHITE, above, depth_of, eight_bits, range_of

IMAGES = ("images", "x", "arr_0", "x_train", "train_images")  # names of images in an .npz
HELD = ("test_images", "x_test", "val_images", "x_val")
LABELS = {
    "images": "labels", "x": "y", "arr_0": "arr_1", "x_train": "y_train", "train_images": "train_labels",
    "test_images": "test_labels", "x_test": "y_test", "val_images": "val_labels", "x_val": "y_val",
}  # fmt: skip
MIN_SIDE = 4  # pixels
BYTES = (0.0, 255.0)  # black and white of plain bytes
ROUNDING = 0.01  # how far floats may exceed their range


def npz(path: Path) -> Items | None:
    """Images in an `.npz`, with their labels; see `IMAGES` and `LABELS` for the names. None if it has no such names.

    Raises:
        InputError: if the arrays cannot be used, or the file is damaged.
    """
    content = _load(path)
    train = next((name for name in IMAGES if name in content), None)
    if train is None:
        return None
    parts = [train, *(name for name in HELD if name in content and train in ("x_train", "train_images"))]
    first, format, levels = as_images(content[train], f"{path}, {train}")
    rest = [as_images(content[name], f"{path}, {name}", levels)[0] for name in parts[1:]]
    converted = [first, *rest]
    labels = [_labels(content, name, len(array), path) for name, array in zip(parts, converted, strict=True)]
    if len({array.shape[1:] for array in converted}) > 1:
        raise InputError(f"{path} holds images of different sizes in {' and '.join(parts)}; remove one of them")
    images = np.concatenate(converted)
    lengths = [len(array) for array in converted]
    held = np.repeat([name != train for name in parts], lengths) if len(parts) > 1 else None
    notes: tuple[str, ...] = (f"{path.name}: {train} is {format}",)
    if len(parts) > 1:
        notes = (*notes, f"held out: {', '.join(parts[1:])}")
    if any(part is None for part in labels):
        return Items(path.stem, "images", images, held=held, notes=notes)
    names, indices = np.unique(np.concatenate([part for part in labels if part is not None]), return_inverse=True)
    if len(names) < 2:
        return Items(path.stem, "images", images, held=held, notes=notes)
    classes = tuple(str(name) for name in names)
    return Items(path.stem, "images", images, indices.astype(np.int64), classes, held=held, notes=notes)


def npy(path: Path) -> Items | None:
    """Images in an `.npy`; None if the array has fewer than three dimensions.

    Raises:
        InputError: if it is not an array of images.
    """
    array = open_npy(path)
    if array.ndim < 3:
        return None
    images, format, _ = as_images(array, str(path))
    return Items(path.stem, "images", images, notes=(f"{path.name} is {format}",))


def _load(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with zipfile.ZipFile(path) as archive:
            total = sum(member.file_size for member in archive.infolist())
            for member in archive.infolist():
                if Path(member.filename).suffix == ".npy":
                    with archive.open(member) as file:
                        check_header(file, member.file_size)
        if total > MAX_FILE_BYTES + MAX_INFLATION * path.stat().st_size:
            raise InputError(f"{path} unpacks to {total / 2**20:,.0f} MiB, like a zip bomb; repack it if it is genuine")
        with np.load(path, allow_pickle=False) as content:
            return {name: content[name] for name in content.files if name in LABELS or name in LABELS.values()}
    except OSError as error:
        raise InputError(f"cannot read {path}: {describe_error(error)}") from error
    except (*BAD_HEADER, zipfile.BadZipFile, RuntimeError, *BROKEN) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} is not an .npz of numbers, or is damaged: {error}") from error


def _labels(content: Mapping[str, NDArray[Any]], images: str, n: int, path: Path) -> NDArray[Any] | None:
    labels = content.get(LABELS[images])
    if labels is None:
        return None
    if labels.ndim == 2 and labels.shape[1] > 1:
        if not ((labels != 0).sum(1) == 1).all():  # several labels for one image, or none
            return None
        labels = labels.argmax(1)  # one-hot
    if labels.size != n:
        raise InputError(f"{path} holds {n} images but {labels.size} labels in {LABELS[images]}; give one per image")
    return labels.reshape(n)


def as_images(
    array: NDArray[Any], where: str, levels: tuple[float, ...] = ()
) -> tuple[NDArray[np.uint8], str, tuple[float, ...]]:
    """An array of images as uint8 (n, h, w, c), how it was interpreted, and its values of black and white.

    Args:
        array: (n, h, w), (n, h, w, c) or (n, c, h, w) with 1, 3 or 4 channels; numbers of any range, which is chosen as
            for files of more than eight bits, see `depth.range_of`.
        where: its file and name, for errors.
        levels: the values of black and white, if another array of the set has been read; chosen unless given.

    Raises:
        InputError: if it is none of these.
    """
    shape = tuple(array.shape)
    counts = (1, 3, 4)
    if array.ndim == 3:
        array, order = array[..., None], "height x width"
    elif array.ndim == 4 and shape[3] in counts:
        order = "height x width x channels"
    elif array.ndim == 4 and shape[1] in counts:
        array, order = array.transpose(0, 2, 3, 1), "channels x height x width"
    else:
        raise InputError(f"{where} has shape {shape}; images are (n, h, w), (n, h, w, c) or (n, c, h, w)")
    if len(array) < 2:
        raise InputError(f"{where} holds only one image; give at least two")
    if array.dtype.kind not in "fiub":
        raise InputError(f"{where} is {array.dtype}; give numbers")
    plain = levels == BYTES or (not levels and array.max(initial=0) >= MIN_WHITE)
    if array.dtype == np.uint8 and min(array.shape[1:3]) >= MIN_SIDE and plain:
        return np.array(array), f"uint8, {order}", BYTES
    if not np.isfinite(array).all():
        raise InputError(f"{where} holds numbers that are not finite; give finite numbers")
    if min(array.shape[1:3]) < MIN_SIDE:
        raise InputError(f"{where} has shape {shape}; images have at least {MIN_SIDE} x {MIN_SIDE} pixels")
    black, white = levels = levels or _range(array)
    return eight_bits(array, levels), f"{array.dtype} in [{black:g}, {white:g}], {order}", levels


def _range(array: NDArray[Any]) -> tuple[float, ...]:
    """The values of black and white."""
    low, high = float(array.min()), float(array.max())
    if low >= -1 - ROUNDING and MIN_SHARE < high <= 1 + ROUNDING:
        return (0.0 if low >= 0 else -1.0), 1.0
    depth = depth_of(array)
    if depth is not None:
        return range_of([depth])
    return low, above(low)  # huge values


def idx(name: str, images: Path, classes: tuple[str, ...] = ()) -> Items:
    """Images and labels in MNIST's idx format, gzipped or not. LeCun et al. 1998.

    Args:
        images: the file of the images. Files of labels, and the t10k files, which are held out, are used if they are in
            the same folder.

    Raises:
        InputError: if a file is damaged, or two files do not belong together.
    """
    parts = [images]
    test = images.with_name(images.name.replace("train", "t10k"))
    if test != images and test.exists():
        parts.append(test)
    arrays = [_idx_array(part, dimensions=3) for part in parts]
    if len({array.shape[1:] for array in arrays}) > 1:
        raise InputError(f"{parts[0]} and {parts[1]} hold images of different sizes; remove one of them")
    held = np.repeat([False, True], [len(array) for array in arrays]) if len(parts) > 1 else None
    stacked = np.concatenate(arrays)
    files = [part.with_name(part.name.replace("-images-idx3", "-labels-idx1")) for part in parts]
    if not all(file.exists() for file in files):
        return Items(name, "images", stacked, held=held)
    labels = [_idx_array(file, dimensions=1).astype(np.int64) for file in files]
    for part, file, array, indices in zip(parts, files, arrays, labels, strict=True):
        if len(indices) != len(array):
            raise InputError(f"{part} holds {len(array)} images but {file} {len(indices)} labels")
    indices = np.concatenate(labels)
    names = classes or tuple(str(i) for i in range(int(indices.max()) + 1))
    return Items(name, "images", stacked, indices, names, held=held)


def _idx_array(path: Path, dimensions: int) -> NDArray[np.uint8]:
    try:
        content = _inflate(path) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, *BROKEN) as error:
        raise InputError(f"cannot read {path}: {error}") from error
    start = 4 + 4 * dimensions
    if len(content) < start or content[:4] != bytes([0, 0, 8, dimensions]):
        raise InputError(f"{path} is not an idx file of bytes in {dimensions} dimensions")
    shape = np.frombuffer(content[4:start], ">u4")
    if len(content) != start + math.prod(int(s) for s in shape):
        raise InputError(f"{path} is cut off or damaged: its header promises {'x'.join(map(str, shape))} bytes")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def _inflate(path: Path) -> bytes:
    limit = MAX_FILE_BYTES + MAX_INFLATION * path.stat().st_size
    with gzip.open(path) as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise InputError(f"{path} unpacks to more than {limit / 2**20:,.0f} MiB, like a zip bomb")
    return content


CIFAR_TRAIN = ("data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "train")
CIFAR_TEST = ("test_batch", "test")
CIFAR_NAMES = ("batches.meta", "meta")
MAX_CIFAR_CLASSES = 100


def is_cifar(names: set[str]) -> bool:
    """True if these are the files of CIFAR-10 or CIFAR-100 "for Python"."""
    return names >= {"data_batch_1", "batches.meta"} or names >= {"train", "meta"}


def cifar(path: Path) -> Items:
    """CIFAR-10 or CIFAR-100 in its authors' format "for Python": a folder of its files, or their tar archive.
    Krizhevsky 2009.

    Raises:
        InputError: if a file is damaged, or holds anything but arrays, numbers and text.
    """
    wanted = {*CIFAR_TRAIN, *CIFAR_TEST, *CIFAR_NAMES}
    if path.is_dir():
        files = {p.name: _bytes_of(p) for p in path.iterdir() if p.name in wanted and p.is_file()}
    else:
        with tarfile.open(path) as archive:
            members = [m for m in archive if m.isreg() and m.size < MAX_FILE_BYTES and Path(m.name).name in wanted]
            files = {Path(m.name).name: archive.extractfile(m).read() for m in members}  # type: ignore[union-attr]
    batches = [
        (name, _unpickle(files[name], f"{path}, {name}")) for name in (*CIFAR_TRAIN, *CIFAR_TEST) if name in files
    ]
    meta = next((_unpickle(files[name], f"{path}, {name}") for name in CIFAR_NAMES if name in files), {})
    try:
        arrays = [np.asarray(batch[b"data"], np.uint8).reshape(-1, 3, 32, 32) for _, batch in batches]
        key = b"labels" if b"labels" in batches[0][1] else b"fine_labels"
        labels = np.concatenate([np.asarray(batch[key], np.int64) for _, batch in batches])
        names = meta.get(b"label_names" if key == b"labels" else b"fine_label_names", ())
        classes = _cifar_classes(names, labels)
        if len(labels) != sum(map(len, arrays)):
            raise ValueError(f"{sum(map(len, arrays))} images and {len(labels)} labels")
    except (KeyError, ValueError, TypeError, IndexError, AttributeError, OverflowError) as error:
        raise InputError(f"{path} is not CIFAR for Python, or is damaged: {error!r}") from error
    held = np.repeat([name in CIFAR_TEST for name, _ in batches], [len(array) for array in arrays])
    images = np.concatenate(arrays).transpose(0, 2, 3, 1)
    return Items(path.name.split(".")[0], "images", images, labels, classes, held=held)


def _cifar_classes(names: Any, labels: NDArray[np.int64]) -> tuple[str, ...]:
    """Names of classes; numbers if the files have none.

    Raises:
        ValueError: if a label has no name.
    """
    known = tuple(name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name) for name in names)
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= (len(known) or MAX_CIFAR_CLASSES):
        raise ValueError(f"labels from {low} to {high}, and {len(known)} names of classes")
    return known or tuple(str(i) for i in range(high + 1))


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {describe_error(error)}") from error


class _Dtype:
    """Takes the place of numpy's dtype when a pickle is read, and uses only its name."""

    def __init__(self, name: Any, *_: Any) -> None:
        self.name = name.decode() if isinstance(name, bytes) else str(name)

    def __setstate__(self, state: Any) -> None:
        pass


class _Array:
    """Takes the place of numpy's array when a pickle is read: makes integers from plain bytes."""

    values: NDArray[Any] = np.zeros(0, np.uint8)

    def __setstate__(self, state: Any) -> None:
        _, shape, dtype, fortran, raw = state
        if not isinstance(dtype, _Dtype) or dtype.name not in ("u1", "i4", "i8") or not isinstance(raw, bytes):
            raise pickle.UnpicklingError("it holds an array of something other than integers")
        self.values = np.frombuffer(raw, dtype.name).reshape(shape, order="F" if fortran else "C")


class _Arrays(pickle.Unpickler):
    """Reads a pickle of arrays, numbers and text; anything else is refused without being created."""

    def find_class(self, module: str, name: str) -> Any:
        if module in ("numpy", "numpy.core.multiarray", "numpy._core.multiarray"):
            allowed = {"_reconstruct": lambda *_: _Array(), "ndarray": _Array, "dtype": _Dtype}
            if name in allowed:
                return allowed[name]
        if (module, name) == ("_codecs", "encode"):  # how Python 3 stores bytes in old pickles
            return lambda text, _encoding: text.encode("latin1")
        raise pickle.UnpicklingError(f"it requires {module}.{name}")


def _unpickle(content: bytes, where: str) -> dict[bytes, Any]:
    try:
        loaded = _Arrays(io.BytesIO(content), encoding="bytes").load()
    except Exception as error:  # a damaged pickle can raise any exception
        raise InputError(f"{where} is damaged, or not a plain array: {error}") from error
    if not isinstance(loaded, dict):
        raise InputError(f"{where} is not CIFAR for Python")
    return {key: value.values if isinstance(value, _Array) else value for key, value in loaded.items()}

"""Arrays in files of NumPy's format."""

from __future__ import annotations

import math
import tokenize
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from sparring.errors import InputError
from sparring.files import describe_error

# Raised when a damaged header of an array is parsed, which is text in Python's syntax.
BAD_HEADER = (
    ValueError,
    EOFError,
    MemoryError,
    TypeError,
    OverflowError,
    SyntaxError,
    RecursionError,
    KeyError,
    tokenize.TokenError,
)


def open_npy(path: Path) -> NDArray[Any]:
    """The array in an `.npy`, mapped into memory.

    Raises:
        InputError: if it cannot be read, or is not an array of numbers.
    """
    try:
        with path.open("rb") as file:
            check_header(file, path.stat().st_size)
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError as error:
        raise InputError(f"cannot read {path}: {describe_error(error)}") from error
    except BAD_HEADER as error:
        raise InputError(f"{path} is not a .npy array of numbers: {error}") from error
    return array


def check_header(file: IO[bytes], size: int) -> None:
    """Check that a `.npy` holds as many numbers as its header says, before memory is reserved for them.

    Args:
        file: at its beginning.
        size: in bytes.

    Raises:
        ValueError: if it does not, or holds objects.
    """
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    if dtype.hasobject:
        raise ValueError(f"it holds {dtype}")
    if not all(type(side) is int and side >= 0 for side in shape) or math.prod(shape) * dtype.itemsize > size:
        raise ValueError(f"its header promises {' x '.join(map(str, shape))} values, more than the file holds")

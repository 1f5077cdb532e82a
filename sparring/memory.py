"""Memory: how much there is, and one line for what needs more."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from sparring.errors import InputError

GIB = 2**30
MAX_TENSORS = 10_000  # that nets may consist of; a large net has a few thousand
NUMBER_BYTES = 4
# Parts of PyTorch's messages about memory, which have no type of their own on every device.
SHORTAGES = (
    "can't allocate memory", "out of memory", "cannot allocate memory", "size calculation overflowed",
    "multiplication overflow", "too large", "invalid buffer size", "unable to mmap",
)  # fmt: skip
FACTORIES = (torch.empty, torch.zeros, torch.ones, torch.randn, torch.rand, torch.full, torch.arange, torch.eye)


def memory(device: torch.device | None = None) -> int:
    """Bytes of this machine's memory, or of the part that this process may use. Of a CUDA device, what is free."""
    if device is not None and device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")] if sys.platform != "win32" else [8 * GIB]
    with suppress(OSError, ValueError):
        limits.append(int(Path("/sys/fs/cgroup/memory.max").read_text()))
    with suppress(ImportError, OSError):  # Windows has no such limits
        import resource

        limits += [limit for limit in (resource.getrlimit(resource.RLIMIT_AS)[0],) if limit != resource.RLIM_INFINITY]
    return min(limits)


def check_size(numbers: int, what: str, remedy: str, there: int | None = None) -> None:
    """Check that numbers of four bytes fit into the memory, before it is asked for.

    Args:
        what: takes them, such as "n=1000000 images".
        remedy: what to do if they do not fit.
        there: bytes that there are; None for `memory`.

    Raises:
        InputError: if they do not fit.
    """
    there = memory() if there is None else there
    if numbers * NUMBER_BYTES > there:
        raise InputError(
            f"{what} would take {amount(numbers * NUMBER_BYTES)} of memory, and there are {amount(there)}; {remedy}"
        )


def amount(size: int) -> str:
    """So many bytes, for messages."""
    if size < GIB:
        return f"{size / 2**20:.1f} MiB"
    whole = size // GIB
    return f"{size / GIB:.1f} GiB" if whole < 100 else f"{whole:,} GiB" if whole < 10**9 else "far too many GiB"


def is_shortage(error: BaseException) -> bool:
    """True for an error that means that there is not enough memory, or that a size is not representable."""
    if isinstance(error, MemoryError | OverflowError):
        return True
    return isinstance(error, RuntimeError) and any(part in str(error).lower() for part in SHORTAGES)


@contextmanager
def within_memory(what: str, remedy: str) -> Iterator[None]:
    """Turns an error about memory or sizes into an `InputError`.

    Args:
        what: takes the memory, such as "recipe gan with batch=64".
        remedy: what to do about it.
    """
    try:
        yield
    except (MemoryError, OverflowError, RuntimeError) as error:
        if not is_shortage(error):
            raise
        raise InputError(f"{what} would take more memory than there is; {remedy}") from error


class Budget(TorchFunctionMode):
    """While active, the tensors that are created must together fit into the memory; the first that does not is refused
    before memory is asked for.

    Args:
        what, remedy: as for `within_memory`.
        copies: how often all of them will be in memory, such as with gradients.
        there: bytes that there are; None for `memory`.
        limit: numbers that the tensors may have together instead, and what has so many, for the message.
    """

    def __init__(
        self,
        what: str,
        remedy: str,
        copies: int = 1,
        there: int | None = None,
        limit: tuple[int, str] | None = None,
    ) -> None:
        super().__init__()
        self.what, self.remedy, self.copies = what, remedy, copies
        self.there = memory() if there is None else there
        self.most, self.limit = limit or (self.there // (NUMBER_BYTES * copies), "")
        self.numbers = self.tensors = 0

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func in FACTORIES:
            self.numbers += _numel(args, kwargs or {})
            self.tensors += 1
            if self.numbers > self.most or self.tensors > MAX_TENSORS:
                raise InputError(f"{self.what} would take {self._too_much()}; {self.remedy}")
        return func(*args, **(kwargs or {}))

    def _too_much(self) -> str:
        if self.numbers <= self.most:
            return f"more than {MAX_TENSORS:,} tensors"
        if self.limit:
            return f"more than {self.limit}"
        of_weights = f", {self.copies} times its weights" if self.copies > 1 else ""
        return (
            f"at least {amount(self.numbers * NUMBER_BYTES * self.copies)} of memory{of_weights}, and there are "
            f"{amount(self.there)}"
        )


def _numel(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> int:
    """Number of elements that the arguments of a factory ask for."""
    size = kwargs.get("size", args[0] if args and isinstance(args[0], tuple | list) else args)
    return math.prod(side for side in size if isinstance(side, int))

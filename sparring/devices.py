"""Devices, precision and ranks."""

from __future__ import annotations

import logging
import os
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Literal, TypeVar

import torch
from torch.multiprocessing.spawn import ProcessRaisedException

from sparring.errors import InputError

if TYPE_CHECKING:
    from lightning_fabric import Fabric


R = TypeVar("R")
MAX_CPU_RANKS = 1024  # more processes than any machine has cores for
START_METHOD: Literal["spawn", "fork"] = "spawn"  # of ranks: a forked process may not use more than one thread
PATIENCE = timedelta(days=1)  # of ranks that wait, such as for the first one to read the data


def resolve(device: str) -> torch.device:
    """The device of a name; "auto" is an accelerator if there is one.

    Raises:
        InputError: if this machine has no such device.
    """
    if device == "auto":
        kind = torch.accelerator.current_accelerator()
        return torch.device("cpu") if kind is None or not torch.accelerator.is_available() else kind
    try:
        resolved = torch.device(device)
        torch.empty(1, device=resolved)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise InputError(f"device {device!r} is not on this machine; use auto, cpu, cuda or mps") from error
    return resolved


def own(device: torch.device, number: int) -> torch.device:
    """The device of one of several processes: each takes another GPU unless one of them was named."""
    unnamed = device.type == "cuda" and device.index is None
    return torch.device("cuda", number % torch.cuda.device_count()) if unnamed else device


def check(device: torch.device, precision: str, ranks: int) -> None:
    """Check that the precision is known and that there are enough devices.

    Raises:
        InputError: otherwise.
    """
    if precision not in ("auto", "fp32", "bf16"):
        raise InputError(
            f"--precision {precision} is not supported; use auto, fp32 or bf16 (fp16 breaks gradient penalties)"
        )
    devices = torch.cuda.device_count() if device.type == "cuda" else MAX_CPU_RANKS
    if not 1 <= ranks <= devices:
        raise InputError(f"ranks={ranks} cannot run here; give from 1 to the number of devices")


def has_bf16(device: torch.device) -> bool:
    """True if a device supports bf16 natively, and thus computes faster in it than in fp32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    # Only newer versions of PyTorch report the capabilities of a CPU.
    found = torch.cpu.get_capabilities() if device.type == "cpu" and hasattr(torch.cpu, "get_capabilities") else {}
    return any(found.get(name) for name in ("avx512_bf16", "amx_bf16"))


def cores() -> int:
    """Number of cores that a run may use on this machine."""
    if given := os.environ.get("SLURM_CPUS_ON_NODE"):  # each of its processes may be bound to a few of them
        return int(given)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def threads(number: int) -> Iterator[None]:
    """Within this context, PyTorch computes with this many threads; 0 for as many as it likes. Sums over many numbers
    depend on it, by rounding.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(number or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def fabric(device: torch.device, precision: str = "fp32", ranks: int = 1, nodes: int = 0) -> Fabric:
    """A Fabric on one device, or on several ranks of its kind.

    Args:
        nodes: number of machines on which a launcher has started the ranks; 0 to start them here.
    """
    from lightning_fabric import Fabric  # takes seconds, and only training needs it
    from lightning_fabric.plugins.environments.lightning import LightningEnvironment
    from lightning_fabric.strategies.ddp import DDPStrategy

    logging.getLogger("lightning.fabric").setLevel(logging.WARNING)  # the run reports its device itself
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    here = not nodes  # whatever a launcher has set for this process is not about the ranks
    devices: int | list[int] = ranks // max(1, nodes)
    if ranks == 1 and device.type == "cuda" and device.index is not None:
        devices = [device.index]
    return Fabric(
        accelerator=device.type,
        devices=devices,
        num_nodes=max(1, nodes),
        strategy=DDPStrategy(start_method="popen" if nodes else START_METHOD, timeout=PATIENCE)
        if ranks > 1
        else "auto",
        plugins=[LightningEnvironment()] if here else None,
        precision="bf16-mixed" if precision == "bf16" else "32-true",
    )


def spread(fabric: Fabric, work: Callable[[Fabric], R]) -> R:
    """Call a function in a process for each rank of a Fabric. Returns the first one's result.

    Raises:
        InputError: of any of them.
    """
    logging.getLogger("torch.multiprocessing.spawn").setLevel(logging.ERROR)  # the error itself says what went wrong
    try:
        result: R = pickle.loads(fabric.launch(partial(_work_and_leave, work)))
    except ProcessRaisedException as error:
        raise _error_of_rank(error) from error
    return result


def _work_and_leave(work: Callable[[Fabric], R], fabric: Fabric) -> bytes:
    result = work(fabric)
    leave(fabric)
    return pickle.dumps(result)  # Fabric looks for tensors in what is not, and refuses frozen dataclasses


def _error_of_rank(error: ProcessRaisedException) -> Exception:
    """The `InputError` of a rank, without its traceback; any other error unchanged."""
    name = f"{InputError.__module__}.{InputError.__name__}: "
    last = str(error).strip().splitlines()[-1]
    return InputError(last.removeprefix(name)) if last.startswith(name) else error


def after_first(fabric: Fabric, local_rank: int, make: Callable[[], R]) -> R:
    """Make something on each machine first in one process, whose cache the others can use then."""
    if local_rank:
        fabric.barrier()
        return make()
    try:
        return make()
    finally:
        fabric.barrier()


def leave(fabric: Fabric) -> None:
    """Shut a rank down together with the others: one that ends early aborts those that still communicate."""
    if torch.distributed.is_initialized():
        fabric.barrier()
        torch.distributed.destroy_process_group()

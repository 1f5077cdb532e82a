"""Where a run computes, in what precision, on how many ranks."""

from __future__ import annotations

import torch
from lightning_fabric import Fabric

from sparring.errors import InputError


def resolve(device: str) -> torch.device:
    """The device of a name; "auto" is an accelerator where there is one.

    Raises:
        InputError: where this machine has no such device.
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


def check(device: torch.device, precision: str, ranks: int) -> None:
    """See that there are such a precision and so many devices.

    Raises:
        InputError: where there are not.
    """
    if precision not in ("fp32", "bf16"):
        raise InputError(f"precision {precision!r} is not known; use fp32 or bf16 (fp16 breaks gradient penalties)")
    if ranks < 1 or (device.type == "cuda" and ranks > torch.cuda.device_count()):
        raise InputError(f"ranks={ranks} cannot run here; give from 1 to the number of devices")


def fabric(device: torch.device, precision: str = "fp32", ranks: int = 1) -> Fabric:
    """A Fabric on one device, or on several ranks of its kind."""
    devices: int | list[int] = ranks
    if ranks == 1 and device.type == "cuda" and device.index is not None:
        devices = [device.index]
    return Fabric(
        accelerator=device.type,
        devices=devices,
        strategy="ddp_spawn" if ranks > 1 else "auto",
        precision="bf16-mixed" if precision == "bf16" else "32-true",
    )


def leave(fabric: Fabric) -> None:
    """Take a rank's leave of the others, all at once: one that ends early aborts those still talking."""
    if torch.distributed.is_initialized():
        fabric.barrier()
        torch.distributed.destroy_process_group()

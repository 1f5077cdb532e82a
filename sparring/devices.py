"""Devices, precision and ranks."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import torch

from sparring.errors import InputError

if TYPE_CHECKING:
    from lightning_fabric import Fabric


MAX_CPU_RANKS = 1024  # more processes than any machine has cores for


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


def fabric(device: torch.device, precision: str = "fp32", ranks: int = 1) -> Fabric:
    """A Fabric on one device, or on several ranks of its kind."""
    from lightning_fabric import Fabric  # takes seconds, and only training needs it

    logging.getLogger("lightning.fabric").setLevel(logging.WARNING)  # the run reports its device itself
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
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
    """Shut a rank down together with the others: one that ends early aborts those that still communicate."""
    if torch.distributed.is_initialized():
        fabric.barrier()
        torch.distributed.destroy_process_group()

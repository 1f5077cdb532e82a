"""Checkpoints: named tensors and a few numbers, each in a folder that is complete or does not exist."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor

from sparring.errors import InputError
from sparring.files import atomic_path, read_json, write_bytes, write_json

KEEP = 2  # the newest one, and the previous one in case that is damaged


def save(folder: Path, step: int, tensors: Mapping[str, Tensor], state: Mapping[str, Any]) -> None:
    """Write a checkpoint of a step, then remove all but the previous one.

    Raises:
        InputError: if it cannot be written; older ones are kept.
    """
    content = safetensors.torch.save({name: t.detach().contiguous() for name, t in tensors.items()})
    checksum = hashlib.blake2b(content).hexdigest()
    place = folder / f"{step:09}"
    with atomic_path(place) as part:
        part.mkdir(parents=True)
        write_bytes(part / "state.safetensors", content)
        write_json(part / "state.json", {"step": step, "checksum": checksum, **state})
    for old in saved(folder)[:-KEEP]:
        shutil.rmtree(old)


def forget(folder: Path, step: int) -> None:
    """Remove the checkpoints of steps after this one."""
    for place in saved(folder):
        if int(place.name) > step:
            shutil.rmtree(place)


def saved(folder: Path) -> list[Path]:
    """The folders of checkpoints, oldest first."""
    return sorted(p for p in folder.glob("[0-9]*") if p.is_dir())


def latest(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any], list[str]] | None:
    """The newest intact checkpoint: its tensors, its state, and the problems of newer ones. None if there are no
    checkpoints.

    Raises:
        InputError: if there are checkpoints, but all are damaged.
    """
    found = saved(folder)
    problems: list[str] = []
    for place in reversed(found):
        with suppress(InputError, OSError, KeyError):
            state = read_json(place / "state.json")
            content = (place / "state.safetensors").read_bytes()
            if hashlib.blake2b(content).hexdigest() == state.pop("checksum"):
                return safetensors.torch.load(content), state, problems
        problems.append(f"checkpoint {place.name} is damaged; using the previous one")
    if found:
        raise InputError(f"all checkpoints in {folder} are damaged; start again with --force")
    return None


def optimizer_tensors(name: str, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """An optimizer's state as named tensors."""
    return {
        f"{name}.{index}.{field}": value
        for index, fields in optimizer.state_dict()["state"].items()
        for field, value in fields.items()
    }


def restore_optimizer(name: str, optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Restore the state that `optimizer_tensors` returned."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith(f"{name}."):
            index, field = key.removeprefix(f"{name}.").split(".")
            state.setdefault(int(index), {})[field] = value
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})

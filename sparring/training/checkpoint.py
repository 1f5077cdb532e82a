"""Checkpoints: named tensors and a few numbers, each in a folder that is whole or not there."""

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
from sparring.files import beside, read_json, write_bytes, write_json

KEPT = 2  # the newest, and the one before in case it is damaged


def save(folder: Path, step: int, tensors: Mapping[str, Tensor], state: Mapping[str, Any]) -> None:
    """Write a checkpoint of a step, then drop those that are older than the one before it.

    Raises:
        InputError: where it cannot be written; the older ones are still there.
    """
    content = safetensors.torch.save({name: t.detach().contiguous() for name, t in tensors.items()})
    checksum = hashlib.blake2b(content).hexdigest()
    place = folder / f"{step:09}"
    with beside(place) as part:
        part.mkdir(parents=True)
        write_bytes(part / "state.safetensors", content)
        write_json(part / "state.json", {"step": step, "checksum": checksum, **state})
    for old in saved(folder)[:-KEPT]:
        shutil.rmtree(old)


def forget(folder: Path, step: int) -> None:
    """Drop the checkpoints of later steps than this one."""
    for place in saved(folder):
        if int(place.name) > step:
            shutil.rmtree(place)


def saved(folder: Path) -> list[Path]:
    """The folders of checkpoints, oldest first."""
    return sorted(p for p in folder.glob("[0-9]*") if p.is_dir())


def latest(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any], list[str]] | None:
    """The newest checkpoint that is whole: its tensors, its state, and what was wrong with newer
    ones; None where there is none at all.

    Raises:
        InputError: where there are checkpoints, but all are damaged.
    """
    found = saved(folder)
    problems: list[str] = []
    for place in reversed(found):
        with suppress(InputError, OSError, KeyError):
            state = read_json(place / "state.json")
            content = (place / "state.safetensors").read_bytes()
            if hashlib.blake2b(content).hexdigest() == state.pop("checksum"):
                return safetensors.torch.load(content), state, problems
        problems.append(f"checkpoint {place.name} is damaged; going back to the one before")
    if found:
        raise InputError(f"all checkpoints in {folder} are damaged; start anew with --force")
    return None


def optimizer_tensors(name: str, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """An optimizer's state as named tensors."""
    return {
        f"{name}.{index}.{field}": value
        for index, fields in optimizer.state_dict()["state"].items()
        for field, value in fields.items()
    }


def restore_optimizer(name: str, optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Give an optimizer back what `optimizer_tensors` took from it."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith(f"{name}."):
            index, field = key.removeprefix(f"{name}.").split(".")
            state.setdefault(int(index), {})[field] = value
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})

"""Checkpoints: named tensors and a few numbers, each in a folder that is complete or does not exist."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from sparring.errors import InputError
from sparring.files import temporary, write_bytes, write_json
from sparring.folders import put, remove
from sparring.json_files import mismatch, read_json

if TYPE_CHECKING:
    from lightning_fabric import Fabric


KEEP = 2  # the newest one, and the previous one in case that is damaged
FILES = "state.safetensors", "state.json"
NAME = re.compile(r"[0-9]{9,}")  # of the folder of a step; other folders are the user's

S = TypeVar("S")
Found = tuple[dict[str, Tensor], S, list[str]] | None  # as of `latest`


def save(folder: Path, step: int, tensors: Mapping[str, Tensor], state: Mapping[str, Any]) -> None:
    """Write a checkpoint of a step, then remove all but the previous one.

    Raises:
        InputError: if it cannot be written; older ones are kept.
    """
    content = safetensors.torch.save({name: t.detach().contiguous() for name, t in tensors.items()})
    state = {"step": step, **state}
    place = folder / f"{step:09}"
    with temporary(place) as part:
        write_bytes(part / FILES[0], content)
        write_json(part / FILES[1], {**state, "digest": _digest(content, state)})
        put(part, place, FILES)
    for old in saved(folder)[:-KEEP]:
        _remove(old)


def _digest(content: bytes, state: Mapping[str, Any]) -> str:
    """A checksum of all that a checkpoint holds."""
    digest = hashlib.blake2b(content)
    digest.update(json.dumps(state, sort_keys=True).encode())
    return digest.hexdigest()


def _remove(place: Path) -> None:
    """Remove a checkpoint. Its folder stays if it holds other files."""
    remove(place, FILES)
    with suppress(OSError):
        place.rmdir()


def forget(folder: Path, step: int) -> None:
    """Remove the checkpoints of steps after this one."""
    for place in saved(folder):
        if int(place.name) > step:
            _remove(place)


def saved(folder: Path) -> list[Path]:
    """The folders of checkpoints, oldest first."""
    found = [p for p in folder.glob("[0-9]*") if NAME.fullmatch(p.name) and any((p / name).is_file() for name in FILES)]
    return sorted(found, key=lambda p: int(p.name))


def latest_for_all(folder: Path, kind: type[S], fabric: Fabric) -> Found[S]:
    """What `latest` returns on the first rank, on all ranks: another machine may see an older state of the folder."""
    found = latest(folder, kind) if fabric.global_rank == 0 else None
    if fabric.world_size == 1:
        return found
    shapes = None if found is None else {name: (t.shape, t.dtype) for name, t in found[0].items()}
    shapes, state, problems = fabric.broadcast((shapes, *(found or (None, None, None))[1:]))
    if shapes is None:
        return None
    tensors = {}
    for name, (shape, dtype) in shapes.items():
        tensor = found[0][name] if found is not None else torch.empty(shape, dtype=dtype)
        tensors[name] = tensor.to(fabric.device)
        torch.distributed.broadcast(tensors[name].reshape(-1).view(torch.uint8), 0)  # not all types can be sent
    return tensors, state, problems


def latest(folder: Path, kind: type[S]) -> Found[S]:
    """The newest intact checkpoint: its tensors, its state, and the problems of newer ones. None if there are no
    checkpoints.

    Args:
        kind: the type of the state, as for `read_json`.

    Raises:
        InputError: if there are checkpoints, but all are damaged.
    """
    found = saved(folder)
    problems: list[str] = []
    for place in reversed(found):
        with suppress(InputError, OSError, SafetensorError):
            tensors, state = _read(place)
            if not mismatch(state, kind):
                return tensors, cast(S, state), problems
        problems.append(f"checkpoint {place.name} is damaged; using the previous one")
    if found:
        raise InputError(f"all checkpoints in {folder} are damaged; start again with --force")
    return None


def _read(place: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors and the state of a checkpoint.

    Raises:
        InputError: if it is damaged.
    """
    state = read_json(place / FILES[1], dict[str, Any])
    content = (place / FILES[0]).read_bytes()
    old, new = state.pop("checksum", None), state.pop("digest", None)  # the old one is that of the tensors alone
    if new != _digest(content, state) and (new is not None or old != hashlib.blake2b(content).hexdigest()):
        raise InputError(f"{place} is damaged: its checksum is another one")
    return safetensors.torch.load(content), state


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

"""Generators of the pix2pix repository, a U-Net: `netG=unet_256` or `unet_128`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from sparring.errors import InputError
from sparring.modalities import Paired
from sparring.recipes.peers.layout import UNUSED, Converted, Peer, State, Taken
from sparring.recipes.pix2pix import Pix2pix

NORM = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")


def generator(state: State) -> tuple[State, dict[str, Any]]:
    """The state of `UNet`, and its fields.

    The published net nests its levels: each holds the next one between its two convolutions.
    """
    taken, prefixes = Taken(state, UNUSED), ["model.model."]
    while any(name.startswith(prefixes[-1] + _inner(prefixes)) for name in state):
        prefixes.append(prefixes[-1] + _inner(prefixes))
    depth = len(prefixes)
    if depth < 2:
        raise InputError("its layout is another one: it has no nested levels")
    norm = "batch" if taken.has(f"{prefixes[-1]}4.weight") else "instance"  # after the innermost convolution
    moved: State = {}
    for i, prefix in enumerate(prefixes):
        moved |= _level(taken, prefix, i, depth, norm == "batch")
    taken.finish()
    width, given = moved["down.0.0.weight"].shape[:2]
    channels = len(moved[f"up.{depth - 1}.1.bias"])
    return moved, {"G": width, "depth": depth, "norm": norm, "given": given, "channels": channels}


def _inner(prefixes: Sequence[str]) -> str:
    """Where a level has the next one: after its convolution, and after its norm if it has one."""
    return "1.model." if len(prefixes) == 1 else "3.model."


def _level(taken: Taken, prefix: str, i: int, depth: int, batch_norm: bool) -> State:
    """The tensors of the convolutions of a level, and of their norms."""
    first, last = i == 0, i == depth - 1
    down, up = ("0", "3") if first else ("1", "3" if last else "5")
    own_down, own_up = f"down.{i}.{0 if first else 1}", f"up.{depth - 1 - i}.1"
    weight = taken.take(f"{prefix}{down}.weight")
    moved = {f"{own_down}.weight": weight, f"{own_up}.weight": _swapped(taken.take(f"{prefix}{up}.weight"), last)}
    if taken.has(f"{prefix}{down}.bias"):
        moved[f"{own_down}.bias"] = taken.take(f"{prefix}{down}.bias")
    elif first or last:  # of `UNet`, which has one where no norm follows
        moved[f"{own_down}.bias"] = torch.zeros(len(weight))
    if first or not batch_norm:
        moved[f"{own_up}.bias"] = taken.take(f"{prefix}{up}.bias")
    if batch_norm and not first:
        moved |= taken.layer(f"{prefix}{int(up) + 1}", f"up.{depth - 1 - i}.2", NORM)
    if batch_norm and not first and not last:
        moved |= taken.layer(f"{prefix}2", f"down.{i}.2", NORM)
    return moved


def _swapped(weight: Tensor, last: bool) -> Tensor:
    """The weights of a transposed convolution, (in, out, h, w). The published net has the skip connection first."""
    return weight if last else torch.cat(weight.chunk(2)[::-1])


def convert(states: Sequence[State], _: Mapping[str, Any]) -> Converted:
    moved, fields = generator(states[0])
    size, given, channels = 2 ** fields["depth"], fields.pop("given"), fields.pop("channels")
    modality = Paired(size=size, channels=channels, given=given, folders=("A", "B"))
    return Converted(Pix2pix().set({**fields, "up": "transposed", "size": size}), modality, {"G": moved})


PEER = Peer(
    name="pix2pix",
    title="pix2pix (unet_256, unet_128)",
    url="https://github.com/junyanz/pytorch-CycleGAN-and-pix2pix",
    does="translate images",
    files=("latest_net_G.pth",),
    convert=convert,
)

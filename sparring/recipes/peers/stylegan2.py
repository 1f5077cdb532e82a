"""Generators of StyleGAN2-ADA and of StyleGAN3's `--cfg=stylegan2`, in PyTorch: the state of `G_ema`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sparring.errors import InputError
from sparring.layers.condition import EMBEDDING_LENGTH
from sparring.modalities import Images
from sparring.recipes.peers.layout import Converted, Peer, State, Taken
from sparring.recipes.stylegan2 import Stylegan2

# Constants, and the moving mean of the styles: `Generator.mean_style` computes it from the weights.
UNUSED = re.compile(r".*\.resample_filter|mapping\.w_avg")


def convert(states: Sequence[State], _: Mapping[str, Any]) -> Converted:
    taken, sizes = Taken(states[0], UNUSED), _sizes(states[0])
    moved, classes = _mapping(taken)
    for i, size in enumerate(sizes):
        block = f"synthesis.b{size}"
        if i:
            moved |= _layer(taken, f"{block}.conv0", f"layers.{2 * i - 1}")
        moved |= _layer(taken, f"{block}.conv1", f"layers.{2 * i}")
        moved |= _to_image(taken, f"{block}.torgb", f"pictures.{i}")
    moved["constant"] = taken.take(f"synthesis.b{sizes[0]}.const")[None]
    taken.finish()
    wide = [len(moved[f"layers.{2 * i}.bias"]) for i in range(len(sizes))]
    channels = len(moved["pictures.0.bias"])
    if channels not in (1, 3, 4):
        raise InputError(f"its images have {channels} channels; only 1, 3 and 4 are supported")
    fields = {
        "z": len(moved["mapping.layers.0.bias"]), "base": wide[-1] * sizes[-1], "most": max(wide),
        "depth": sum(name.endswith("bias") for name in moved if name.startswith("mapping.")),
        "padding": "zeros", "size": sizes[-1],
    }  # fmt: skip
    modality = Images(size=sizes[-1], channels=channels)
    if classes:
        modality = modality.with_classes(tuple(map(str, range(classes))), np.arange(classes))
    return Converted(Stylegan2().set(fields), modality, {"G": moved})


def _sizes(state: State) -> list[int]:
    """Pixels of a side at each resolution: 4, 8, and so on."""
    found = (re.match(r"synthesis\.b(\d+)\.", name) for name in state)
    sizes = sorted({int(match[1]) for match in found if match})
    if not sizes or sizes != [4 * 2**i for i in range(len(sizes))]:
        raise InputError(f"its layout is another one: it has blocks of {sizes or 'no'} pixels, not of 4, 8, ...")
    return sizes


def _mapping(taken: Taken) -> tuple[State, int]:
    """The tensors of the mapping network, and the number of classes."""
    moved, depth = State(), 0
    while taken.has(f"mapping.fc{depth}.weight"):
        moved |= taken.layer(f"mapping.fc{depth}", f"mapping.layers.{depth}")
        depth += 1
    if not depth:
        raise InputError("its layout is another one: it has no mapping network")
    latents = len(moved["mapping.layers.0.bias"])
    classes = 0
    if taken.has("mapping.embed.weight"):
        embedded = taken.layer("mapping.embed", "embed")
        classes = embedded["embed.weight"].shape[1]
        moved |= _classes(moved["mapping.layers.0.weight"], embedded["embed.weight"], embedded["embed.bias"])
    drawn = moved["mapping.layers.0.weight"].shape[1] - (EMBEDDING_LENGTH if classes else 0)
    if drawn != latents:
        raise InputError(f"its latents have {drawn} numbers and its styles {latents}; both must have as many")
    return moved, classes


def _classes(first: Tensor, weight: Tensor, bias: Tensor) -> State:
    """The first layer and the embedding of classes, which is longer in the published net. A class moves the first
    layer's output by a constant: here the column of that class.
    """
    length, classes = weight.shape
    if classes > EMBEDDING_LENGTH:
        raise InputError(f"it has {classes} classes; at most {EMBEDDING_LENGTH} are supported")
    latents = first.shape[1] - length
    embedded = weight.T / sqrt(classes) + bias  # (classes, length)
    embedded = embedded * (embedded.square().mean(1, keepdim=True) + 1e-8).rsqrt()
    columns = torch.zeros(len(first), EMBEDDING_LENGTH)
    columns[:, :classes] = first[:, latents:] @ embedded.T
    scale = sqrt((latents + EMBEDDING_LENGTH) / (latents + length))  # of `Equal`, for another number of inputs
    return {
        "mapping.layers.0.weight": torch.cat([first[:, :latents], columns], 1) * scale,
        "mapping.condition.embedding.weight": torch.eye(classes, EMBEDDING_LENGTH),
    }


def _layer(taken: Taken, name: str, to: str) -> State:
    """A modulated convolution with noise. The published one does not scale its weight."""
    weight = taken.take(f"{name}.weight")
    return {
        **taken.layer(f"{name}.affine", f"{to}.conv.style"),
        f"{to}.conv.conv.weight": weight * sqrt(weight[0].numel()),
        f"{to}.noise": taken.take(f"{name}.noise_const")[None, None],
        f"{to}.strength": taken.take(f"{name}.noise_strength"),
        f"{to}.bias": taken.take(f"{name}.bias"),
    }


def _to_image(taken: Taken, name: str, to: str) -> State:
    return {
        **taken.layer(f"{name}.affine", f"{to}.conv.style"),
        f"{to}.conv.conv.weight": taken.take(f"{name}.weight"),
        f"{to}.bias": taken.take(f"{name}.bias"),
    }


PEER = Peer(
    name="stylegan2",
    title="StyleGAN2-ADA (PyTorch)",
    url="https://github.com/NVlabs/stylegan2-ada-pytorch",
    does="generate images",
    files=("the state_dict of G_ema",),
    convert=convert,
    inside=("G_ema",),
)

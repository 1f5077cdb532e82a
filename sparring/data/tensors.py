"""Named tensors of one length: samples, batches and encoded items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

VALUES = "values"  # the part of a sample that every kind of data has
CONDITION = "condition"  # what a sample is generated for: a class, codes, a given item
REWRITTEN = "rewritten"  # the same items as the values in another form, for nets that read one and write the other
HELD = "held "  # prefix of the parts of held-out items in a batch

Tensors = dict[str, Tensor]


def length(tensors: Mapping[str, Tensor]) -> int:
    """Number of items."""
    return len(next(iter(tensors.values())))


def take(tensors: Mapping[str, Tensor], rows: slice | Tensor) -> Tensors:
    """Some of the items."""
    return {name: tensor[rows] for name, tensor in tensors.items()}


def concatenate(parts: Sequence[Mapping[str, Tensor]]) -> Tensors:
    """Items of several batches, one after the other."""
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def move(tensors: Mapping[str, Tensor], device: torch.device) -> Tensors:
    """The same items on another device."""
    return {name: tensor.to(device) for name, tensor in tensors.items()}

"""Activation checkpointing: the activations inside of blocks are computed again in the backward pass instead of being
kept. Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost", arXiv:1604.06174.

What is computed again is the same, bit for bit: random numbers begin at the same state, and statistics (batch norm,
spectral norm) as they were before the block, without being updated twice. Gradients of gradients work as without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.utils.checkpoint import CheckpointError, checkpoint

from sparring.errors import InputError
from sparring.layers.statistics import layers_with_statistics, set_updates, updates_statistics

REFUSED = "recompute=true does not work with a net of this recipe ({}); remove recompute="
CHANGED = "the weights of a block have changed before its gradient was computed"
IN_PLACE = "modified by an inplace operation"  # part of PyTorch's message about what a gradient needs


def recompute_blocks(net: nn.Module) -> int:
    """Let a net recompute the activations of its blocks, in place. Returns the number of blocks.

    A block is an entry of a list of modules, unless it has such blocks itself. Of a `Sequential` of plain layers, each
    layer with weights begins a block, which ends before the next one. The net's weights keep their names.
    """
    count = 0
    for child in _parts(net):
        if _is_sequence(child) and not any(map(_parts, _parts(child))):
            count += _recompute_layers(child)
        elif _is_list(net) and _parts(child) and not _is_list(child) and not _has_blocks(child):
            _Recomputed.wrap(child)
            count += 1
        else:
            count += recompute_blocks(child)
    return count


@contextmanager
def recomputing() -> Iterator[None]:
    """While nets recompute activations: a block that would not compute the same again is an `InputError`."""
    try:
        yield
    except RuntimeError as error:
        if isinstance(error, CheckpointError):
            raise InputError(REFUSED.format("a block computes something else when it runs again")) from error
        if IN_PLACE in str(error):
            raise InputError(REFUSED.format("the input of a block is changed in place")) from error
        raise


def _is_sequence(module: nn.Module) -> bool:
    return type(module).forward is nn.Sequential.forward


def _is_list(module: nn.Module) -> bool:
    return _is_sequence(module) or isinstance(module, nn.ModuleList | nn.ModuleDict)


def _parts(module: nn.Module) -> list[nn.Module]:
    """What a module consists of, without parametrizations of its weights; nothing if it is one layer."""
    return [part for name, part in module.named_children() if name != "parametrizations"]


def _has_blocks(module: nn.Module) -> bool:
    """True if a module has a list of modules with parts."""
    parts = _parts(module)
    return (_is_list(module) and any(map(_parts, parts))) or any(map(_has_blocks, parts))


def _recompute_layers(sequence: nn.Module) -> int:
    """Let a sequence of plain layers recompute its activations."""
    layers = list(sequence.children())
    starts = [i for i, layer in enumerate(layers) if any(w.ndim > 1 for w in layer.parameters())][1:]
    ends = [*starts, len(layers)]
    segments = [nn.Sequential(*layers[begin:end]) for begin, end in zip([0, *starts], ends, strict=True)]
    for segment in segments:
        _Recomputed.wrap(segment)
    sequence.forward = _Chain(segments)
    return len(segments)


class _Chain:
    """Applies modules one after the other."""

    def __init__(self, modules: Sequence[nn.Module]) -> None:
        self.modules = modules

    def __call__(self, x: Tensor) -> Tensor:
        for module in self.modules:
            x = module(x)
        return x


class _Recomputed:
    """The forward pass of a block, whose activations are not kept."""

    def __init__(self, block: nn.Module) -> None:
        self.block, self.layers = block, layers_with_statistics(block)
        self._forward: Callable[..., Any] = type(block).forward
        self._inside = False

    @classmethod
    def wrap(cls, block: nn.Module) -> None:
        block.forward = cls(block)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._inside or not torch.is_grad_enabled():
            return self._forward(self.block, *args, **kwargs)
        tensors = {**dict(self.block.named_parameters()), **dict(self.block.named_buffers())}
        updated = {id(b) for layer in self.layers if updates_statistics(layer) for b in layer.buffers()}
        before = {name: tensor.clone() for name, tensor in tensors.items() if id(tensor) in updated}
        constant = [tensor for name, tensor in tensors.items() if name not in before]
        versions = [tensor._version for tensor in constant]
        modes = [updates_statistics(layer) for layer in self.layers]
        first = [True]

        def run(*args: Any, **kwargs: Any) -> Any:
            if first:
                first.clear()
                return self._forward(self.block, *args, **kwargs)
            if versions != [tensor._version for tensor in constant]:
                raise InputError(REFUSED.format(CHANGED))
            # Copies, because it may be computed again once more, for gradients of gradients.
            copies = {name: tensor.clone() for name, tensor in before.items()}
            with self._again(modes):
                return functional_call(self.block, {**tensors, **copies}, args, kwargs)

        return checkpoint(run, *args, use_reentrant=False, **kwargs)

    @contextmanager
    def _again(self, modes: Sequence[bool]) -> Iterator[None]:
        """Within this context, layers with statistics are as they were in the first pass."""
        now = [updates_statistics(layer) for layer in self.layers]
        self._inside = True
        for layer, on in zip(self.layers, modes, strict=True):
            set_updates(layer, on)
        try:
            yield
        finally:
            self._inside = False
            for layer, on in zip(self.layers, now, strict=True):
                set_updates(layer, on)

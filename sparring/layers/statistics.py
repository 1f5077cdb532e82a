"""Layers that keep statistics of what passes through them, and how to keep those still."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.instancenorm import _InstanceNorm
from torch.nn.utils.parametrizations import _SpectralNorm

from sparring.layers.minibatch import Mixing


def statistical(net: nn.Module) -> list[nn.Module]:
    """The layers of a net whose buffers move on a forward pass: batch norm, spectral norm.

    Raises:
        ValueError: for an instance norm that tracks statistics, which cannot be kept from moving.
    """
    for module in net.modules():
        if isinstance(module, _InstanceNorm) and module.track_running_stats:
            raise ValueError(f"{module} tracks running statistics, which every pass would move; leave that out")
    keeps = (_BatchNorm, _SpectralNorm)
    return [m for m in net.modules() if isinstance(m, keeps) and any(True for _ in m.buffers())]


def moving(layer: nn.Module) -> bool:
    """Whether a layer's statistics follow what it sees."""
    return bool(layer.track_running_stats if isinstance(layer, _BatchNorm) else layer.training)


@contextmanager
def still(net: nn.Module) -> Iterator[None]:
    """Keep all statistics of a net as they are, for a while: somebody only watches."""
    layers = [layer for layer in statistical(net) if moving(layer)]
    for layer in layers:
        keep(layer, moving=False)
    try:
        yield
    finally:
        for layer in layers:
            keep(layer, moving=True)


def mixes(net: nn.Module) -> bool:
    """Whether what a net makes of a sample depends on the batch around it, as with batch norm."""
    return any(isinstance(module, _BatchNorm | Mixing) for module in net.modules())


def keep(layer: nn.Module, moving: bool) -> None:
    """Let a layer's statistics follow what it sees, or keep them as they are.

    A batch norm that is kept still goes on normalising by its batch in training mode; a spectral
    norm goes on dividing by its present estimate.
    """
    if isinstance(layer, _BatchNorm):
        layer.track_running_stats = moving
    else:
        layer.training = moving

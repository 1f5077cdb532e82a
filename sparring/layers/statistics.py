"""Layers that keep statistics of their input, and how to freeze these."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.instancenorm import _InstanceNorm
from torch.nn.utils.parametrizations import _SpectralNorm

from sparring.layers.minibatch import BatchDependent


def layers_with_statistics(net: nn.Module) -> list[nn.Module]:
    """The layers of a net whose buffers a forward pass updates: batch norm, spectral norm.

    Raises:
        ValueError: for an instance norm that tracks statistics, because its updates cannot be turned off.
    """
    for module in net.modules():
        if isinstance(module, _InstanceNorm) and module.track_running_stats:
            raise ValueError(
                f"{module} tracks running statistics, which every pass would update; set track_running_stats=False"
            )
    kinds = (_BatchNorm, _SpectralNorm)
    return [m for m in net.modules() if isinstance(m, kinds) and any(True for _ in m.buffers())]


def updates_statistics(layer: nn.Module) -> bool:
    """True if a forward pass updates the layer's statistics."""
    return bool(layer.track_running_stats if isinstance(layer, _BatchNorm) else layer.training)


@contextmanager
def frozen_statistics(net: nn.Module) -> Iterator[None]:
    """Within this context, forward passes do not update the statistics of a net."""
    layers = [layer for layer in layers_with_statistics(net) if updates_statistics(layer)]
    for layer in layers:
        set_updates(layer, False)
    try:
        yield
    finally:
        for layer in layers:
            set_updates(layer, True)


def normalizes_spectrum(net: nn.Module) -> bool:
    """True if a part of a net has a spectral norm, whose estimate each pass of its own player improves."""
    return any(isinstance(module, _SpectralNorm) for module in net.modules())


def depends_on_batch(net: nn.Module) -> bool:
    """True if a net's output for a sample depends on the rest of the batch, as with batch norm."""
    return any(isinstance(module, _BatchNorm | BatchDependent) for module in net.modules())


def set_updates(layer: nn.Module, on: bool) -> None:
    """Turn a layer's updates of its statistics on or off.

    With updates off, batch norm in training mode still normalizes by its batch, and spectral norm still divides by
    its current estimate.
    """
    if isinstance(layer, _BatchNorm):
        layer.track_running_stats = on
    else:
        layer.training = on

"""Layers that keep statistics of what passes through them, and how to keep those still."""

from __future__ import annotations

from torch import nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.utils.parametrizations import _SpectralNorm


def statistical(net: nn.Module) -> list[nn.Module]:
    """The layers of a net whose buffers move on a forward pass: batch norm, spectral norm."""
    keeps = (_NormBase, _SpectralNorm)
    return [m for m in net.modules() if isinstance(m, keeps) and any(True for _ in m.buffers())]


def keep(layer: nn.Module, moving: bool) -> None:
    """Let a layer's statistics follow what it sees, or keep them as they are.

    A batch norm that is kept still goes on normalising by its batch in training mode; a spectral
    norm goes on dividing by its present estimate.
    """
    if isinstance(layer, _NormBase):
        layer.track_running_stats = moving
    else:
        layer.training = moving

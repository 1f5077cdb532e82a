"""Initial weights."""

from __future__ import annotations

from torch import nn


def init_he(module: nn.Module) -> None:
    """Weights that preserve the scale of the signal through leaky ReLUs without normalization, for `net.apply`. He et
    al. 2015, arXiv:1502.01852.
    """
    if isinstance(module, nn.Conv1d | nn.Conv2d | nn.Linear):
        nn.init.kaiming_normal_(module.weight, a=0.2)
        if module.bias is not None:
            nn.init.zeros_(module.bias)

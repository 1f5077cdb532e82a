"""Several generators that share all but their first layer."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn


class Several(nn.Module):
    """Latents (n, latents + generators)[, labels (n,)] -> samples; the last numbers say by a one-hot which generator.
    Hoang et al. 2017, arXiv:1708.02556, section 3: parameters are shared but for the input layer's.

    Each generator has rows of its own in the first layer, which sees the latents in its generator's place and zeros in
    the others'.

    Args:
        build: makes a generator of so many latents.
        latents: length of the noise.
        generators: how many.
    """

    def __init__(self, build: Callable[[int], nn.Module], latents: int, generators: int) -> None:
        super().__init__()
        self.latents = latents
        self.net = build((latents + 1) * generators)

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        noise, which = z[:, : self.latents], z[:, self.latents :]
        placed = (which[:, :, None] * noise[:, None]).flatten(1)  # (n, generators * latents)
        samples: Tensor = self.net(torch.cat([placed, which], 1), label)  # and a bias of its own
        return samples

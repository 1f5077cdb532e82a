"""Several generators that share all layers except the first."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn


class MultiGenerator(nn.Module):
    """Latents (n, latents + generators)[, labels (n,)] -> samples; the last values are a one-hot choice of the
    generator. Hoang et al. 2017, arXiv:1708.02556, section 3: parameters are shared except for the input layer.

    The first layer of the shared net has separate weights for each generator: its input is the latents at the
    generator's position and zeros at the others'.

    Args:
        build: builds a generator for a given length of its latent vector.
        latents: length of the noise.
        generators: number of generators.
    """

    def __init__(self, build: Callable[[int], nn.Module], latents: int, generators: int) -> None:
        super().__init__()
        self.latents = latents
        self.net = build((latents + 1) * generators)

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        noise, choice = z[:, : self.latents], z[:, self.latents :]
        placed = (choice[:, :, None] * noise[:, None]).flatten(1)  # (n, generators * latents)
        samples: Tensor = self.net(torch.cat([placed, choice], 1), label)  # the choice acts as a bias per generator
        return samples

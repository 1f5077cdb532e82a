"""Units with learned steepness, by which a continuous net approximates a discontinuous function."""

from __future__ import annotations

import torch
from torch import Tensor, nn

RATE = 5.0  # learning rate of the steepness / that of a weight


class LearnedSteepness(nn.Module):
    """Latents (n, latents) -> (n, latents + units): the latents, then tanh(e^s (w z + b)) of each unit.

    A continuous net cannot map a normal prior to separate modes without samples between them (Khayatkhoei et al. 2018,
    arXiv:1806.00880); the steeper the net, the fewer there are. The steepness is learned as an exponent, so that a unit
    becomes a sharp boundary within a few hundred steps. While boundaries are still smooth, samples can move between
    modes, until the shares of the modes are those of the data.

    Args:
        latents: length of the latent vector.
        units: number of units.
    """

    def __init__(self, latents: int, units: int) -> None:
        super().__init__()
        self.place = nn.Linear(latents, units)
        nn.init.normal_(self.place.weight, std=latents**-0.5)
        nn.init.normal_(self.place.bias)
        self.power = nn.Parameter(torch.zeros(units))

    def forward(self, z: Tensor) -> Tensor:
        boundaries = (self.place(z) * (RATE * self.power).exp()).tanh()
        return torch.cat([z, boundaries], 1)

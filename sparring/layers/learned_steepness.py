"""Units of learnt steepness, by which a continuous net comes close to jumping."""

from __future__ import annotations

import torch
from torch import Tensor, nn

RATE = 5.0  # times as fast as a weight is steepness learnt


class Steep(nn.Module):
    """Latents (n, latents) -> (n, latents + units): the latents, and beside them tanh(e^s (w z + b)) of each unit.

    Data whose modes lie apart cannot be made from a normal prior by a continuous net without something
    in between (Khayatkhoei et al. 2018, arXiv:1806.00880), and the steeper the net the less. A unit's steepness is
    learnt as a power, so that a narrow wall is a few hundred steps away; while the walls are low, samples can
    still move from mode to mode, until there are as many in each as in the data.

    Args:
        latents: length of the latent vector.
        units: how many.
    """

    def __init__(self, latents: int, units: int) -> None:
        super().__init__()
        self.place = nn.Linear(latents, units)
        nn.init.normal_(self.place.weight, std=latents**-0.5)
        nn.init.normal_(self.place.bias)
        self.power = nn.Parameter(torch.zeros(units))

    def forward(self, z: Tensor) -> Tensor:
        walls = (self.place(z) * (RATE * self.power).exp()).tanh()
        return torch.cat([z, walls], 1)

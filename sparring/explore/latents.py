"""Latents that differ in one respect only."""

from __future__ import annotations

import torch
from torch import Tensor

from sparring.games.prior import OneHot, Part, Prior

REACH = 2.0  # largest absolute value that a uniform code is set to: twice the largest in training


def sweep(prior: Prior, z: Tensor, part: Part, index: int, steps: int) -> Tensor:
    """Each latent vector (n, width) with one number of a part from -2 to 2: (n * steps, width)."""
    rows = z.repeat_interleave(steps, 0)
    place = prior.place(part.name).start + index
    rows[:, place] = torch.linspace(-REACH, REACH, steps, device=z.device).repeat(len(z))
    return rows


def every_choice(prior: Prior, z: Tensor, part: OneHot) -> Tensor:
    """Each latent vector (n, width) with every value of a one-hot part: (n * part's width, width)."""
    rows = z.repeat_interleave(part.width, 0)
    rows[:, prior.place(part.name)] = torch.eye(part.width, device=z.device).repeat(len(z), 1)
    return rows

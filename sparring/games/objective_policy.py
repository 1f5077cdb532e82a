"""A language model that learns from D's judgment of its sequences, and from an objective."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from sparring.games.policy import PolicyGame
from sparring.games.rewarded import Objective
from sparring.nets.discriminator import Discriminator
from sparring.nets.sequence import LanguageModel


class ObjectivePolicyGame(PolicyGame):
    """A `PolicyGame` whose reward is a mean of D's probability and of an objective (Guimaraes et al. 2017,
    arXiv:1705.10843). Sequences that a batch repeats share their reward.

    Args:
        G, D, length, rollouts: as for `PolicyGame`.
        balance: weight of D in the reward; the objective has the rest.
        decode: codes -> sequences in the user's units, for the objective.

    Attributes:
        objective: must be set before the game is played, unless D has all of the weight; it is no part of the model.
    """

    def __init__(
        self,
        G: LanguageModel,
        D: Discriminator,
        length: int,
        rollouts: int,
        balance: float,
        decode: Callable[[Tensor], Any],
    ) -> None:
        super().__init__(G, D, length, rollouts)
        self.balance, self.decoded = balance, decode
        self.objective: Objective | None = None

    def rewards(self, codes: Tensor, classes: Tensor | None = None) -> Tensor:
        reward = super().rewards(codes, classes)
        if self.balance < 1:
            assert self.objective is not None
            worth = torch.as_tensor(self.objective(self.decoded(codes)), dtype=torch.float32, device=codes.device)
            reward = self.balance * reward + (1 - self.balance) * worth
        return reward / _repeats(codes)


def _repeats(codes: Tensor) -> Tensor:
    """How often each sequence occurs, (n,)."""
    rows = [tuple(row) for row in codes.tolist()]
    counts = Counter(rows)
    return torch.tensor([counts[row] for row in rows], dtype=torch.float32, device=codes.device)

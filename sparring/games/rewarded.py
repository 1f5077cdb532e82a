"""A GAN whose G also learns to be rewarded by an objective that has no gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from sparring.data.tensors import VALUES
from sparring.games.gan import GAN, OptimizerFactory
from sparring.loop import After, Losses, Player, Round

Objective = Callable[[Any], Any]  # decoded samples -> what they are worth, (n,), in [0, 1]


class RewardedGAN(GAN):
    """A GAN with a net R that learns what samples are worth, of real and of generated ones, and from which G gets its
    gradient (De Cao and Kipf 2018, arXiv:1805.11973, section 3.3).

    Args:
        R: samples (n, ...) -> logits (n,) of what they are worth.
        balance: weight of D in G's loss, lambda; R has the rest.
        decode: values of samples -> samples in the user's units, for the objective.
        settings: as for `GAN`.

    Attributes:
        objective: must be set before the game is played; it is no part of the model.
    """

    def __init__(
        self, R: nn.Module, balance: float, decode: Callable[[Tensor], Any], *settings: Any, **more: Any
    ) -> None:
        super().__init__(*settings, **more)
        self.R, self.balance, self.decoded = R, balance, decode
        self.objective: Objective | None = None

    def players(
        self, D: OptimizerFactory, G: OptimizerFactory, turns: int = 1, after: After | None = None, **both: Any
    ) -> list[Player]:
        """R, with an optimizer like D's, then D and G."""
        first = Player("R", self.R_losses, D(self.R.parameters()), (self.R,), **both)
        return [first, *super().players(D, G, turns, after, **both)]

    def R_losses(self, round: Round) -> Losses:
        """Squared error of R on real and on generated samples."""
        values = torch.cat([round[VALUES], self._fake(round).detach()])
        assert self.objective is not None
        worth = torch.as_tensor(self.objective(self.decoded(values)), dtype=torch.float32, device=values.device)
        round.observe(reward=worth[len(worth) // 2 :].mean())
        return {"reward": (self.R(values).float().sigmoid() - worth).square().mean()}

    def G_losses(self, round: Round) -> Losses:
        """The GAN's losses and what R says."""
        losses = {name: self.balance * loss for name, loss in super().G_losses(round).items()}
        return losses | {"reward": -(1 - self.balance) * self.R(self._fake(round)).float().sigmoid().mean()}

"""A GAN in the code space of an autoencoder of texts."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from sparring.errors import InputError
from sparring.games.gan import OptimizerFactory
from sparring.games.latent import CodeGAN, Coder, Schedule
from sparring.loop import Losses, Player, Round
from sparring.losses.variational import kl_divergence
from sparring.nets.sequence import END, until_end


class LatentTextGAN(CodeGAN):
    """A `CodeGAN` whose R returns logits of tokens, (n, length, tokens + 1), of which the largest are taken. E and R
    learn to predict the tokens of a text from its code.

    Args:
        autoencoder: its nets.
        kl: weight of the divergence of codes from a standard normal distribution, per number of a code.
        settings: as for `GAN`, with a G and a D of codes.
    """

    def __init__(self, autoencoder: Coder, kl: float, *settings: Any, **more: Any) -> None:
        super().__init__(autoencoder, *settings, **more)
        self.kl = kl

    def autoencoding(self, optimizer: OptimizerFactory, schedule: Schedule) -> list[Player]:
        """E with R. They learn the autoencoder."""
        weights = [*self.E.parameters(), *self.R.parameters()]
        return [Player("E", self.E_losses, optimizer(weights), (self.E, self.R, self.scale), schedule=schedule)]

    def E_losses(self, round: Round) -> Losses:
        """Cross-entropy of the tokens up to the end, and the divergence of codes from a normal distribution."""
        codes = round["values"]
        mean, log_variance, logits = self._again(round)
        divergence = kl_divergence(mean.flatten(1), log_variance.flatten(1)) / prod(mean.shape[1:])
        known = until_end(codes)
        losses = F.cross_entropy(logits.float().transpose(1, 2), codes, reduction="none")
        right = (logits.argmax(2) == codes)[known].float().mean()
        round.observe(code_nats=divergence, right=right)
        return {"reconstruction": losses[known].mean(), "divergence": self.kl * divergence}

    def decode(self, code: Tensor, condition: Tensor | None) -> Tensor:
        """Codes of tokens (n, length)."""
        drawn = super().decode(code, condition).argmax(2)
        ended = (drawn == END).cumsum(1) > 0
        return drawn.masked_fill(ended, END)

    def codes(self, z: Tensor, condition: Tensor | None) -> Tensor:
        if condition is not None and condition.ndim > 1:
            raise InputError("a prompt was given, but this recipe generates whole texts; remove prompt")
        return super().codes(z, condition)

    def draw(
        self,
        n: int,
        device: torch.device,
        truncation: float | None = None,
        length: int | None = None,
        every: float = 1.0,
        seeds: Mapping[str, int] | None = None,
    ) -> Tensor:
        if length is not None:
            raise InputError("a length was given, but this recipe generates texts of its own length; remove length")
        return super().draw(n, device, truncation, None, every, seeds)

"""Unrolled GAN: G is trained against future states of D."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call

from sparring.games.gan import GAN
from sparring.loop import Losses, Round
from sparring.losses.adversarial import Logits


class Unrolled(GAN):
    """One generator against one discriminator. G minimizes its loss against D after some further gradient steps of D,
    and differentiates through these steps. Metz et al. 2016, arXiv:1611.02163, eq. 6, 7 and 9.

    Args:
        unroll: number of unrolled steps of D, k; 0 for none.
        rate: their learning rate, eta.
        settings: as for `GAN`, without terms.

    Raises:
        ValueError: for terms, which the unrolled steps do not include.
    """

    def __init__(self, *settings: Any, unroll: int, rate: float, **more: Any) -> None:
        super().__init__(*settings, **more)
        if self.terms:
            raise ValueError("unrolled steps of D do not include terms")
        self.unroll, self.rate = unroll, rate

    def G_losses(self, round: Round) -> Losses:
        real, fake = self._view(round["values"], round), self._view(self._fake(round), round)
        condition = round.get("condition") if self.conditional else None
        weights = {name: weight.detach().requires_grad_() for name, weight in self.D.named_parameters()}
        for _ in range(self.unroll):
            on_real, on_fake = (self._logits(weights, x, condition) for x in (real, fake))
            loss = self.loss.discriminator(on_real, on_fake)
            slopes: Sequence[Tensor] = torch.autograd.grad(loss, list(weights.values()), create_graph=True)
            weights = {name: w - self.rate * slope for (name, w), slope in zip(weights.items(), slopes, strict=True)}
        answered = self._logits(weights, real, condition) if self.loss.needs_real else None
        return {"adversarial": self.loss.generator(answered, self._logits(weights, fake, condition))}

    def _logits(self, weights: dict[str, Tensor], x: Tensor, condition: Tensor | None) -> Logits:
        logits: Logits = functional_call(self.D, weights, (x, condition))
        return logits

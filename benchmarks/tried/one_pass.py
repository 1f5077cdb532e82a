"""The default for images, in which G learns from D's own backward pass.

A relativistic loss compares D's logits on real and generated samples in pairs. The slopes of both players' losses
with respect to a generated sample's logit differ by a factor of this sample, and so do the slopes with respect to its
pixels, because D judges each sample on its own. D's backward pass therefore has everything that G needs, if G moves
against the D that has not moved yet: a step has two passes of D less, and one backward pass.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from lightning_fabric import Fabric

from sparring.games.gan import GAN
from sparring.loop import Losses, Player, Round, Turn
from sparring.modalities import Images
from sparring.recipes.r3gan_strided import R3ganStrided

MAX_LEAD = 20.0  # logits of a real sample above those of a generated one, at most, so that the factor is finite


class OnePass(GAN):
    """D and G move by the gradients of one pass of D."""

    def players(self, *optimizers: Any, **settings: Any) -> list[Player]:
        players = super().players(*optimizers, **settings)
        players[0].gradient = self._backpropagate
        return players

    def D_losses(self, round: Round) -> Losses:
        viewed = self._view(self._fake(round), round)
        fake = viewed.detach().requires_grad_()
        condition = round.get("condition") if self.conditional else None
        both = None if condition is None else torch.cat([condition, condition])
        logits = self.D(torch.cat([self._view(round["values"], round), fake]), both).float()
        on_real, on_fake = logits.chunk(2)
        self._pass = viewed, fake, on_real.detach(), on_fake.detach()
        round.observe(**self._confidence(on_real, on_fake, round))
        return {"adversarial": self.loss.discriminator(on_real, on_fake)}

    def _backpropagate(self, turn: Turn, round: Round, share: float, fabric: Fabric) -> tuple[Losses, Losses]:
        assert share == 1, "one pass serves a batch of one shard"
        player = turn.player
        round.begin(player, turn.later)
        with fabric.autocast():
            terms = player.losses(round)
        torch.autograd.backward(terms["adversarial"], inputs=[*player.weights, self._pass[1]])
        round.end()
        return {name: term.detach() for name, term in terms.items()}, round.observed

    def G_losses(self, round: Round) -> Losses:  # noqa: ARG002
        viewed, fake, on_real, on_fake = self._pass
        # Slopes with respect to the logit: sigmoid(fake - real) for D, -sigmoid(real - fake) for G.
        factor = -(on_real - on_fake).clamp(max=MAX_LEAD).exp()
        pulled = (viewed * fake.grad * factor[:, None, None, None]).sum()
        return {"adversarial": self.loss.generator(on_real, on_fake) + pulled - pulled.detach()}


@dataclass(frozen=True)
class OnePassGan(R3ganStrided):
    """`r3gan_strided` with one pass of D in a step for both players."""

    def game_class(self, modality: Images) -> Callable[..., GAN]:  # noqa: ARG002
        return OnePass

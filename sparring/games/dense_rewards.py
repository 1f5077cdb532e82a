"""A game in which a recurrent D rewards every token of a text, and a language model learns from nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from sparring.games.gan import OptimizerFactory
from sparring.games.sequences import SequenceGame
from sparring.loop import Losses, Player, Round
from sparring.nets.sequence import LanguageModel, until_end

MEAN_DECAY = 0.9  # of the moving average of rewards, per step


class DenseRewardsGame(SequenceGame):
    """D judges each token given those before it. An action is rewarded with D's judgment of its token and, discounted,
    of those that follow, less a moving average. ScratchGAN, de Masson d'Autume et al. 2019, arXiv:1905.09922.

    Args:
        G, length, classes: as for `SequenceGame`.
        D: codes (n, length)[, classes (n,)] -> logits of the codes, (n, length or shorter).
        discount: factor of the reward of the next token.
    """

    mean_return: Tensor

    def __init__(self, G: LanguageModel, D: nn.Module, length: int, discount: float, classes: int = 0) -> None:
        super().__init__(G, length, classes=classes)
        self.D, self.discount = D, discount
        self.register_buffer("mean_return", torch.zeros(()))

    def adversarial(self, D: OptimizerFactory, G: OptimizerFactory, **settings: Any) -> list[Player]:
        """D, then G.

        Args:
            settings: of G.
        """

        def average(observed: Mapping[str, Tensor]) -> None:
            self.mean_return.lerp_(observed["return"].float(), 1 - MEAN_DECAY)

        return [
            Player("D", self.D_losses, D(self.D.parameters()), (self.D,)),
            Player("G", self.G_losses, G(self.G.parameters()), (self.G,), after=average, **settings),
        ]

    def D_losses(self, round: Round) -> Losses:
        """Cross-entropy of real and generated tokens, in the mean over all tokens up to the ends."""
        fake, condition = round.once("fake", lambda: self._fake(round)), round.get("condition")
        (on_real, real_known), (on_fake, fake_known) = (
            self._judged(codes, condition) for codes in (round["values"], fake)
        )
        with torch.no_grad():
            round.observe(D_real=_mean(on_real, real_known), D_fake=_mean(on_fake, fake_known))
        return {"adversarial": _mean(softplus(-on_real), real_known) + _mean(softplus(on_fake), fake_known)}

    def G_losses(self, round: Round) -> Losses:
        """Log likelihoods of actions, weighted by their returns less the average return."""
        codes, condition = round.once("fake", lambda: self._fake(round)), round.get("condition")
        with torch.no_grad():
            logits, known = self._judged(codes, condition)
            returned = returns((2 * logits.sigmoid() - 1) * known, self.discount)
        round.observe(**{"return": _mean(returned, known)})
        losses = self.G.losses(codes, condition)  # 0 after the end
        return {"rewarded": ((returned - self.mean_return)[:, : losses.shape[1]] * losses).sum(1).mean()}

    def _judged(self, codes: Tensor, classes: Tensor | None) -> tuple[Tensor, Tensor]:
        """D's logits of tokens (n, length - 1), and which of them are up to the end; the last one is no action."""
        logits: Tensor = self.D(codes[:, :-1], classes)
        return logits.float(), until_end(codes)[:, :-1]


def returns(rewards: Tensor, discount: float) -> Tensor:
    """Rewards (n, length), each with the discounted ones that follow."""
    total, found = torch.zeros_like(rewards[:, 0]), []
    for reward in rewards.flip(1).unbind(1):
        total = reward + discount * total
        found.append(total)
    return torch.stack(found[::-1], 1)


def _mean(values: Tensor, known: Tensor) -> Tensor:
    return (values * known).sum() / known.sum()

"""A game in which gradients reach a language model through relaxed draws of its tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from sparring.games.gan import OptimizerFactory
from sparring.games.sequences import SequenceGame
from sparring.loop import Losses, Player, Round
from sparring.losses.adversarial import AdversarialLoss
from sparring.nets.discriminator import Discriminator
from sparring.nets.sequence import LanguageModel


class RelaxedGame(SequenceGame):
    """D sees generated texts as shares of codes, by a Gumbel softmax that becomes sharper during the training. RelGAN,
    Nie et al. 2019.

    Args:
        G, length, classes: as for `SequenceGame`.
        D: codes (n, length) or their shares (n, length, tokens + 1)[, classes (n,)] -> logits.
        loss: of D and G.
        sharpest: factor of the logits at the end.
        anneal: steps in which the factor rises from 1 to it, geometrically.
    """

    played: Tensor

    def __init__(
        self,
        G: LanguageModel,
        D: Discriminator,
        loss: AdversarialLoss,
        length: int,
        sharpest: float,
        anneal: int,
        classes: int = 0,
    ) -> None:
        super().__init__(G, length, classes=classes, remembers=True)
        self.D, self.loss, self.sharpest, self.anneal = D, loss, sharpest, anneal
        self.register_buffer("played", torch.zeros(()))

    def adversarial(self, D: OptimizerFactory, G: OptimizerFactory, turns: int, **settings: Any) -> list[Player]:
        """The players of the second phase.

        Args:
            turns: of D per step.
            settings: of both.
        """

        def count(_: Mapping[str, Tensor]) -> None:
            self.played.add_(1)

        return [
            Player("D", self.D_losses, D(self.D.parameters()), (self.D,), turns=turns, after=self.remember, **settings),
            Player("G", self.G_losses, G(self.G.parameters()), (self.G,), after=count, **settings),
        ]

    @property
    def sharpness(self) -> Tensor:
        """Factor of the logits now."""
        return self.sharpest ** (self.played / self.anneal).clamp(max=1)

    def state_metrics(self) -> dict[str, Tensor]:
        return {"sharpness": self.sharpness}

    def D_losses(self, round: Round) -> Losses:
        """The loss of D."""
        real, fake = (
            self.D(round["values"], round.get("condition")),
            self.D(self._soft(round).detach(), round.get("condition")),
        )
        assert isinstance(real, Tensor)
        assert isinstance(fake, Tensor)
        round.observe(D_real=real.mean(), D_fake=fake.mean(), D_accuracy=(real > fake).float().mean())
        return {"adversarial": self.loss.discriminator(real, fake)}

    def G_losses(self, round: Round) -> Losses:
        """The loss of G, by gradients through its relaxed texts."""
        condition = round.get("condition")
        fake = self.D(self._soft(round), condition)
        return {"adversarial": self.loss.generator(self.D(round["values"], condition), fake)}

    def _soft(self, round: Round) -> Tensor:
        """Generated texts as shares of codes."""

        def compute() -> Tensor:
            uniform = torch.rand(round.size, self.length, self.G.start, device=round.device)
            gumbel = -(uniform + 1e-20).log().neg().add(1e-20).log()
            return self.G.relaxed(gumbel, round.get("condition"), self.sharpness)

        return round.once("soft", compute, self.G)

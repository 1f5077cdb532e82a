"""Games in which a language model learns from D's judgment of sequences that it draws, by score-function estimators:
drawing a token has no gradient.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import softplus

from sparring.games.gan import OptimizerFactory
from sparring.games.resampled import shares
from sparring.games.sequences import SequenceGame, evaluating
from sparring.loop import Losses, Player, Round
from sparring.nets.discriminator import Discriminator
from sparring.nets.sequence import LanguageModel, until_end

FREE = -1  # in place of a code that is drawn


class PolicyGame(SequenceGame):
    """A language model whose drawing of a token is an action. D judges whole sequences, and each action is rewarded
    with D's mean probability of several sequences that continue it (SeqGAN, Yu et al. 2016, arXiv:1609.05473). In a
    step, one random action of each sequence is rewarded, which is the same in expectation as all of them.

    Args:
        G, length, classes: as for `SequenceGame`.
        D: codes (n, length)[, classes (n,)] -> logits (n,).
        rollouts: continuations of each action.
    """

    def __init__(self, G: LanguageModel, D: Discriminator, length: int, rollouts: int, classes: int = 0) -> None:
        super().__init__(G, length, classes=classes, remembers=True)
        self.D, self.rollouts = D, rollouts

    def judging(self, optimizer: OptimizerFactory) -> list[Player]:
        """The player of the second phase: D learns while G is fixed."""
        return [Player("D", self.D_losses, optimizer(self.D.parameters()), (self.D,), after=self.remember)]

    def adversarial(self, D: OptimizerFactory, G: OptimizerFactory, turns: int, **settings: Any) -> list[Player]:
        """The players of the last phase.

        Args:
            turns: of D per step.
            settings: of G.
        """
        return [
            Player("D", self.D_losses, D(self.D.parameters()), (self.D,), turns=turns, after=self.remember),
            Player("G", self.G_losses, G(self.G.parameters()), (self.G,), **settings),
        ]

    def D_losses(self, round: Round) -> Losses:
        """Cross-entropy of real and generated sequences."""
        fake = round.once("fake", lambda: self._fake(round))
        on_real, on_fake = (self._judged(codes, round.get("condition")) for codes in (round["values"], fake))
        round.observe(D_real=on_real.mean(), D_fake=on_fake.mean(), D_accuracy=(on_real > on_fake).float().mean())
        return {"adversarial": softplus(-on_real).mean() + softplus(on_fake).mean()}

    def G_losses(self, round: Round) -> Losses:
        """Log likelihoods of actions, weighted by their rewards less the mean reward."""
        codes, condition = round.once("fake", lambda: self._fake(round)), round.get("condition")
        lengths = until_end(codes)[:, :-1].sum(1)
        place = (torch.rand(len(codes), device=codes.device) * lengths).long().clamp(max=lengths - 1)
        with torch.no_grad():
            known = torch.arange(self.length, device=codes.device) <= place[:, None]
            reward = self._continued(codes.masked_fill(~known, FREE), condition, self.rollouts).mean(1)
        round.observe(reward=reward.mean())
        losses = self.G.losses(codes, condition).gather(1, place[:, None])[:, 0]
        return {"rewarded": ((reward - reward.mean()) * losses * lengths).mean()}

    def _continued(self, begun: Tensor, condition: Tensor | None, times: int) -> Tensor:
        """Rewards (n, times) of sequences of which only a part is given, each continued several times."""
        given, repeated = _repeated(condition, times), begun.repeat_interleave(times, 0)
        uniform = torch.rand(repeated.shape, device=begun.device)
        with evaluating(self.G):
            codes = self.G.sample(uniform, given, prompt=repeated)
        return self.rewards(codes, given).view(len(begun), times)

    def rewards(self, codes: Tensor, classes: Tensor | None = None) -> Tensor:
        """What whole sequences are worth, (n,), in [0, 1]: D's probability that they are real."""
        return self._judged(codes, classes).sigmoid()

    def _judged(self, codes: Tensor, classes: Tensor | None) -> Tensor:
        logits = self.D(codes, classes)
        assert isinstance(logits, Tensor)
        return logits.float()


class MaliGame(PolicyGame):
    """Sequences are rewarded with D / (1 - D), normalized over sequences that begin in the same way, less its mean. At
    first they begin with nearly all of a real text, later with less and less of it. MaliGAN, algorithm 2 of Che et al.
    2017, arXiv:1702.07983.

    Args:
        rollouts: sequences with the same beginning.
        anneal: steps in which the given part falls to nothing.
        others: as for `PolicyGame`.
    """

    played: Tensor

    def __init__(
        self, G: LanguageModel, D: Discriminator, length: int, rollouts: int, anneal: int, classes: int = 0
    ) -> None:
        super().__init__(G, D, length, rollouts, classes)
        self.anneal = anneal
        self.register_buffer("played", torch.zeros(()))

    def adversarial(self, D: OptimizerFactory, G: OptimizerFactory, turns: int, **settings: Any) -> list[Player]:
        def count(_: Mapping[str, Tensor]) -> None:
            self.played.add_(1)

        return super().adversarial(D, G, turns, after=count, **settings)

    def G_losses(self, round: Round) -> Losses:
        """Negative log likelihood of generated continuations, with the weights of MaliGAN."""
        begun = max(1, round.size // self.rollouts)  # texts
        real, condition = round["values"][:begun], round.get("condition")
        condition = None if condition is None else condition[:begun]
        lengths = until_end(real).sum(1, keepdim=True)
        kept = (lengths * (1 - self.played / self.anneal).clamp(min=0)).floor().clamp(max=lengths - 1)
        known = torch.arange(self.length, device=real.device) < kept
        repeated = real.masked_fill(~known, FREE).repeat_interleave(self.rollouts, 0)
        given = _repeated(condition, self.rollouts)
        with torch.no_grad(), evaluating(self.G):
            codes = self.G.sample(torch.rand(repeated.shape, device=real.device), given, prompt=repeated)
            logits = self._judged(codes, given).view(begun, self.rollouts)
            weights = shares(logits, torch.ones_like(logits, dtype=torch.bool)) - 1 / self.rollouts
        losses = self.G.losses(codes, given)
        own = losses * (repeated[:, : losses.shape[1]] < 0)
        round.observe(kept=kept.mean())
        return {"rewarded": (weights.flatten() * own.sum(1)).sum() / begun}


def _repeated(condition: Tensor | None, times: int) -> Tensor | None:
    return None if condition is None else condition.repeat_interleave(times, 0)

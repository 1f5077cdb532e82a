"""A language model that learns by likelihood, then by the policy gradient of a reward: D, and an objective."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, NoReturn

import torch
from torch import Tensor
from torch.nn import functional as F

from sparring.data.tensors import VALUES, Tensors
from sparring.games.graph import DataKind
from sparring.games.resampled import ResampledGame, as_uniform
from sparring.loop import Losses, Round
from sparring.nets.discriminator import Discriminator
from sparring.nets.sequence import LanguageModel, until_end

Objective = Callable[[Any], Any]  # decoded sequences -> what they are worth, (n,), in [0, 1]


class PolicyGradientGame(ResampledGame):
    """A language model G that learns by the policy gradient (Yu et al. 2016, arXiv:1609.05473) of a reward, which is a
    mean of D's probability that a sequence is real and of an objective (Guimaraes et al. 2017, arXiv:1705.10843).
    Sequences that a batch repeats share their reward. What a beginning is worth is estimated by continuing it anew.

    Args:
        G: the language model.
        D: codes (n, length) -> logits (n,).
        length: of sequences, their end included.
        rollouts: places at which sequences are continued anew, equally far apart.
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
        super().__init__(G, D, _unchanged, length, candidates=1, taught=1.0, condition=0)
        self.rollouts, self.balance, self.decoded = rollouts, balance, decode
        self.objective: Objective | None = None

    def D_losses(self, round: Round) -> Losses:
        """The non-saturating loss on all sequences."""
        losses = super().D_losses(round)
        del round.observed["valid"]  # it is not checked here
        return losses

    def G_losses(self, round: Round) -> Losses:
        """The policy gradient's loss per sequence, with the batch's mean worth as its baseline."""
        codes = round.once("fake", lambda: self._fake(round))
        known = until_end(codes).float()
        worth = round.once("worth", lambda: self._worth(codes, self._uniform(round)))
        with torch.no_grad():
            mean = (worth * known).sum(0) / known.sum(0).clamp(min=1)
            round.observe(reward=worth[:, -1].mean())
        losses = F.cross_entropy(self.G(codes).float().transpose(1, 2), codes, reduction="none")  # (n, length)
        return {"policy": ((worth - mean) * losses * known).sum(1).mean()}

    def _uniform(self, round: Round) -> Tensor:
        return round.once("uniform", lambda: torch.rand(round.size, self.length, device=round.device))

    def _fake(self, round: Round) -> Tensor:
        return self._sequences(self._uniform(round))

    def _sequences(self, uniform: Tensor) -> Tensor:
        before = self.G.training
        self.G.eval()  # drops no units
        try:
            return self.G.sample(uniform)
        finally:
            self.G.train(before)

    @torch.no_grad()
    def _worth(self, codes: Tensor, uniform: Tensor) -> Tensor:
        """What each token is worth, (n, length): the reward of a sequence that begins with the tokens up to the next of
        the places. A sequence is a function of its uniform numbers, so that it is continued by drawing the later ones
        anew.
        """
        longest = int(until_end(codes).sum(1).amax())
        places = [longest * (i + 1) // (self.rollouts + 1) for i in range(self.rollouts)]
        worth, begin = torch.empty(codes.shape, device=codes.device), 0
        for end in places:
            other = torch.cat([uniform[:, :end], torch.rand_like(uniform[:, end:])], 1)
            worth[:, begin:end] = self.rewards(self._sequences(other))[:, None]
            begin = end
        worth[:, begin:] = self.rewards(codes)[:, None]
        return worth

    def rewards(self, codes: Tensor) -> Tensor:
        """Rewards of sequences, (n,), in [0, 1]."""
        before = self.D.training
        self.D.eval()
        logits = self.D(codes)
        self.D.train(before)
        assert isinstance(logits, Tensor)
        reward = logits.float().sigmoid()
        if self.balance < 1:
            assert self.objective is not None
            worth = torch.as_tensor(self.objective(self.decoded(codes)), dtype=torch.float32, device=codes.device)
            reward = self.balance * reward + (1 - self.balance) * worth
        return reward / _repeats(codes)

    def critic(self) -> None:
        """D sees codes of tokens, which other data may lack."""

    def sample(self, z: Tensor, condition: Tensor | None, requested: Tensor | None = None) -> Tensors:  # noqa: ARG002
        return {VALUES: self.values(z, condition)}

    def sample_truncated(self, z: Tensor, condition: Tensor | None, truncation: float) -> Tensors:
        """Sequences of a temperature: below 1 they are more typical."""
        return {VALUES: self.G.sample(as_uniform(z[:, : self.length]), condition, truncation)}

    def graph(self, kind: DataKind, reverse: bool = False) -> NoReturn:  # noqa: ARG002
        raise ValueError("its sequences are drawn token by token until they end, which no graph can hold")


def _unchanged(codes: Tensor) -> tuple[Tensor, Tensor]:
    """D sees the codes themselves, of valid and of invalid sequences."""
    return codes, torch.ones(len(codes), dtype=torch.bool, device=codes.device)


def _repeats(codes: Tensor) -> Tensor:
    """How often each sequence occurs, (n,)."""
    rows = [tuple(row) for row in codes.tolist()]
    counts = Counter(rows)
    return torch.tensor([counts[row] for row in rows], dtype=torch.float32, device=codes.device)

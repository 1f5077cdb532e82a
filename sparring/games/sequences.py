"""Games of a language model. Sequences are drawn token by token, for conditions, with a prompt, at a temperature."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn

import torch
from torch import Tensor, nn

from sparring.data.tensors import VALUES, Tensors
from sparring.games.game import Game
from sparring.games.gan import OptimizerFactory
from sparring.games.graph import DataKind
from sparring.games.prior import Normal, Path, Prior
from sparring.loop import Losses, Player, Round
from sparring.nets.sequence import LanguageModel

FREE = -1  # in place of a class


class SequenceGame(Game):
    """A language model that is trained by maximum likelihood first.

    A condition is a class (n,), a class and the codes of a prompt (n, 1 + codes), or numbers (n, condition).

    Args:
        G: the language model.
        length: of sequences, their end included.
        condition: numbers that sequences are conditioned on.
        classes: number of classes that they are conditioned on instead.
        candidates: sequences that are drawn for each sample.
        remembers: keep a copy of G as it is after the first phase.
    """

    truncates = False
    remembered: Tensor

    def __init__(
        self,
        G: LanguageModel,
        length: int,
        condition: int = 0,
        classes: int = 0,
        candidates: int = 1,
        remembers: bool = False,
    ) -> None:
        super().__init__()
        self.G, self.length, self.classes = G, length, classes
        # Numbers for each token of each candidate, and for the choice of one.
        self.prior = Prior(Path("z", 0, candidates, 0).stretched(length), Normal("choice", 1))
        self._conditional = condition > 0 or classes > 0
        self._numbers = condition
        self.first = copy.deepcopy(G).requires_grad_(False) if remembers else None
        self.register_buffer("remembered", torch.zeros((), dtype=torch.bool), persistent=remembers)

    @property
    def conditional(self) -> bool:
        return self._conditional

    def likelihood(self, optimizer: OptimizerFactory, **settings: Any) -> list[Player]:
        """The player of the first phase: G learns by maximum likelihood."""
        return [Player("G", self.likelihood_losses, optimizer(self.G.parameters()), (self.G,), **settings)]

    def likelihood_losses(self, round: Round) -> Losses:
        """Negative log likelihood of real sequences, per sequence."""
        loss = self.G.negative_log_likelihood(round["values"], round.get("condition")).mean()
        round.observe(nats=loss)
        return {"likelihood": loss}

    def remember(self, _: Mapping[str, Tensor]) -> None:
        """Copy G if that has not been done, after the first move of D, before G has moved too."""
        assert self.first is not None
        for kept, weight in zip(self.first.parameters(), self.G.parameters(), strict=True):
            kept.copy_(torch.where(self.remembered, kept, weight.detach()))
        self.remembered.fill_(True)

    def without_D(self) -> Game | None:
        if self.first is None:
            return None
        return SequenceGame(self.first, self.length, self._numbers, self.classes)

    def _fake(self, round: Round) -> Tensor:
        uniform = torch.rand(round.size, self.length, device=round.device)
        with evaluating(self.G):
            return self.G.sample(uniform, round.get("condition"))

    def given(self, condition: Tensor | None) -> tuple[Tensor | None, Tensor | None]:
        """What G is conditioned on, and the codes that sequences begin with."""
        if condition is None or self._numbers or condition.ndim == 1:
            return condition, None
        return (condition[:, 0] if self.classes else None), condition[:, 1:]

    def sequences(self, uniform: Tensor, condition: Tensor | None, temperature: float = 1.0) -> Tensor:
        """Sequences (n, length) of G from numbers in [0, 1), (n, length)."""
        known, prompt = self.given(condition)
        return self.G.sample(uniform, known, temperature, prompt)

    def values(self, z: Tensor, condition: Tensor | None) -> Tensor:
        """The first candidate of each sample."""
        return self.sequences(as_uniform(z[:, : self.length]), condition)

    def sample(self, z: Tensor, condition: Tensor | None, requested: Tensor | None = None) -> Tensors:  # noqa: ARG002
        return self.tempered(z, condition, 1.0)

    def sample_truncated(self, z: Tensor, condition: Tensor | None, truncation: float) -> Tensors:
        """Sequences of a temperature: below 1 they are more typical."""
        return self.tempered(z, condition, truncation)

    def graph(self, kind: DataKind, reverse: bool = False) -> NoReturn:  # noqa: ARG002
        raise ValueError("its sequences are drawn token by token until they end, which no graph can hold")

    def tempered(self, z: Tensor, condition: Tensor | None, temperature: float) -> Tensors:
        """Samples from latents whose logits are divided by a temperature."""
        return {VALUES: self.sequences(as_uniform(z[:, :-1]), condition, temperature)}


def as_uniform(z: Tensor) -> Tensor:
    """Normal latents as numbers in [0, 1]: their quantiles."""
    quantiles: Tensor = torch.special.ndtr(z)
    return quantiles


@contextmanager
def evaluating(net: nn.Module) -> Iterator[None]:
    """While active, a net drops no units."""
    before = net.training
    net.eval()
    try:
        yield
    finally:
        net.train(before)

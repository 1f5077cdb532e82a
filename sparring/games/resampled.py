"""A language model that is trained by likelihood, then against a D that sees what sequences stand for.

D's probability that a sequence is real gives the ratio D / (1 - D) of the densities of real and generated sequences.
Samples are drawn by this ratio from several candidates (a residual energy model, Deng et al. 2020, arXiv:2004.11714),
and G learns from its own sequences, weighted by it (Che et al. 2017, arXiv:1702.07983).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import softplus

from sparring.data.tensors import VALUES, Tensors
from sparring.games.game import Game
from sparring.games.gan import OptimizerFactory
from sparring.games.sequences import SequenceGame, as_uniform
from sparring.loop import Losses, Player, Round
from sparring.nets.discriminator import Discriminator
from sparring.nets.sequence import LanguageModel

CANDIDATES, VALID = "candidates", "valid"  # parts of samples: how many were drawn for each, and the share that is valid
MAX_LOG_RATIO = 10.0  # of densities, so that a single candidate does not decide alone

View = Callable[[Tensor], tuple[Tensor, Tensor]]  # codes -> what D sees (n, width), and which sequences are valid (n,)


class ResampledGame(SequenceGame):
    """One language model against one discriminator of what its sequences stand for.

    Args:
        G, length, classes, condition: as for `SequenceGame`.
        D: what sequences stand for (n, ...)[, classes (n,)] -> logits (n,).
        view: codes of sequences -> D's input, and which of them are valid; draws nothing.
        candidates: sequences that are drawn for each sample.
        taught: weight of G's loss on its own weighted sequences; with 0, G is fixed while D learns.
    """

    def __init__(
        self,
        G: LanguageModel,
        D: Discriminator,
        view: View,
        length: int,
        candidates: int,
        taught: float,
        condition: int = 0,
        classes: int = 0,
    ) -> None:
        super().__init__(G, length, condition, classes, candidates)
        self.D, self.view = D, view
        self.candidates, self.taught = candidates, taught

    def critic(self) -> Discriminator | None:
        return self.D

    def adversarial(self, D: OptimizerFactory, G: OptimizerFactory, **settings: Any) -> list[Player]:
        """The players of the second phase: D, then G, which goes on learning by likelihood too, if it is taught.

        Args:
            settings: of G.
        """
        judge = Player("D", self.D_losses, D(self.D.parameters()), (self.D,))
        taught = Player("G", self.G_losses, G(self.G.parameters()), (self.G,), **settings)
        return [judge, taught] if self.taught else [judge]

    def D_losses(self, round: Round) -> Losses:
        """The non-saturating loss on valid sequences. Invalid ones are never handed out, so D need not know them."""
        seen, valid = self._seen(round)
        real, _ = round.once("seen real", lambda: self.view(round["values"]))
        classes = round.get("condition") if self.classes else None
        on_real, on_fake = self._judged(real, classes), self._judged(seen, classes)
        share = valid.float() / valid.float().sum().clamp(min=1)
        with torch.no_grad():
            round.observe(
                D_real=on_real.mean(),
                D_fake=(on_fake * share).sum(),
                D_accuracy=((on_real > on_fake).float() * share).sum(),
                valid=valid.float().mean(),
            )
        return {"adversarial": softplus(-on_real).mean() + (softplus(on_fake) * share).sum()}

    def G_losses(self, round: Round) -> Losses:
        """Likelihood of real sequences, and of G's own ones with the weights of MaliGAN less their mean."""
        losses = self.likelihood_losses(round)
        codes, condition = round.once("fake", lambda: self._fake(round)), round.get("condition")
        seen, valid = self._seen(round)
        with torch.no_grad():
            logits = self._judged(seen, condition if self.classes else None)
            weights = shares(logits[None], valid[None])[0] - 1 / len(codes)
        own = self.G.negative_log_likelihood(codes, condition)
        return {**losses, "taught": self.taught * (weights * own).sum()}

    def without_D(self) -> Game | None:
        return SequenceGame(self.G, self.length, self._numbers, self.classes)

    def _judged(self, seen: Tensor, classes: Tensor | None) -> Tensor:
        logits = self.D(seen, classes)
        assert isinstance(logits, Tensor)
        return logits.float()

    def _seen(self, round: Round) -> tuple[Tensor, ...]:
        codes = round.once("fake", lambda: self._fake(round))
        return round.once("seen", lambda: self.view(codes))

    def begun(self, z: Tensor, condition: Tensor | None, beginnings: Tensor, truncation: float | None) -> Tensor:
        """Of every second sample, each candidate begins with one of the sequences. A token is the quantile of its
        distribution at a number, so that a number within a token's quantiles gives this token.
        """
        n, k, m = len(z), self.candidates, len(beginnings)
        uniform = as_uniform(z[:, :-1]).reshape(n * k, self.length)
        chosen = (uniform[:, -1] * m).long().clamp(max=m - 1)  # the last number is free: the last code is always 0
        codes = torch.full((n * k, self.length), -1, device=z.device)
        codes[:, : beginnings.shape[1]] = beginnings[chosen][:, : self.length]
        conditions = None if condition is None else condition.repeat_interleave(k, 0)
        shares = (self.G(codes.clamp(min=0), conditions).float() / (truncation or 1.0)).softmax(2).cumsum(2)
        place = codes.clamp(min=0)[..., None]
        high, low = shares.gather(2, place)[..., 0], shares.roll(1, 2).gather(2, place)[..., 0]
        low = torch.where(place[..., 0] > 0, low, 0.0)
        within = low + (high - low) * (0.25 + uniform / 2)
        every_second = (torch.arange(n, device=z.device) % 2 == 0).repeat_interleave(k)[:, None]
        begins = ((codes >= 0) & every_second).reshape(n, -1)
        latents = torch.where(begins, torch.special.ndtri(within).reshape(n, -1), z[:, :-1])
        return torch.cat([latents, z[:, -1:]], 1)

    def tempered(self, z: Tensor, condition: Tensor | None, temperature: float) -> Tensors:
        """Of several candidates one each, drawn by D's ratio among the valid ones."""
        n, k = len(z), self.candidates
        given = None if condition is None else condition.repeat_interleave(k, 0)
        uniform = as_uniform(z[:, :-1]).reshape(n * k, -1)
        codes = self.sequences(uniform, given, temperature).view(n, k, -1)
        seen, valid = self.view(codes.flatten(0, 1))
        classes = None if given is None or not self.classes else self.given(given)[0]
        logits, known = self._judged(seen, classes).view(n, k), valid.view(n, k)
        below = shares(logits, known).cumsum(1) < as_uniform(z[:, -1:])
        chosen = below.sum(1).clamp(max=k - 1)
        return {
            VALUES: codes[torch.arange(n, device=z.device), chosen],
            CANDIDATES: torch.full((n,), k, device=z.device),
            VALID: known.float().mean(1),
        }


def shares(logits: Tensor, valid: Tensor) -> Tensor:
    """Probabilities (n, k) of candidates, proportional to D / (1 - D) among the valid ones; uniform if none is valid.

    Args:
        logits: of D, (n, k).
        valid: which candidates are, (n, k).
    """
    limited = logits - logits.masked_fill(~valid, -torch.inf).amax(1, keepdim=True)
    limited = limited.clamp(min=-MAX_LOG_RATIO).masked_fill(~valid, -torch.inf)
    return torch.where(valid.any(1, keepdim=True), limited, 0.0).softmax(1)

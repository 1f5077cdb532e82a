"""The game of one generator and one discriminator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from sparring.games.game import Game
from sparring.layers.statistics import mixes
from sparring.loop import After, Losses, Player, Round
from sparring.losses import penalties
from sparring.losses.adversarial import AdversarialLoss, Logits


@dataclass(frozen=True)
class Judged:
    """What D has seen and said in its turn; what its extra terms are computed from.

    Attributes:
        D: gives the logits of further samples under the same conditions.
        real, fake: (n, ...), as D saw them; they require gradients where a term asks for that.
        on_real, on_fake: D's logits.
    """

    D: Callable[[Tensor], Logits]
    real: Tensor
    fake: Tensor
    on_real: Logits
    on_fake: Logits


@dataclass(frozen=True)
class Term:
    """A named, weighted extra term of D's loss.

    Attributes:
        name: its name in the logs.
        weight: a number, or a function of the run's progress (0-d, in [0, 1]) for a schedule.
        value: the term without its weight.
        inputs: whether it differentiates the logits with respect to what D saw.
    """

    name: str
    weight: float | Callable[[Tensor], Tensor]
    value: Callable[[Judged], Tensor]
    inputs: bool = False

    def weighted(self, judged: Judged, progress: Tensor) -> Tensor:
        weight = self.weight(progress) if callable(self.weight) else self.weight
        return weight * self.value(judged)


def R1(gamma: float | Callable[[Tensor], Tensor]) -> Term:
    """`penalties.zero_centred` on real samples, weight gamma."""
    return Term("R1", gamma, lambda j: penalties.zero_centred(j.on_real, j.real), inputs=True)


def R2(gamma: float | Callable[[Tensor], Tensor]) -> Term:
    """`penalties.zero_centred` on generated samples, weight gamma."""
    return Term("R2", gamma, lambda j: penalties.zero_centred(j.on_fake, j.fake), inputs=True)


def GP(weight: float) -> Term:
    """`penalties.gradient_penalty` with weight lambda."""
    return Term("GP", weight, lambda j: penalties.gradient_penalty(j.D, j.real, j.fake))


def Dragan(weight: float) -> Term:
    """`penalties.dragan` with weight lambda."""
    return Term("dragan", weight, lambda j: penalties.dragan(j.D, j.real))


View = Callable[[Tensor, Round], Tensor]


def instance_noise(sigma: float) -> View:
    """Normal noise on all that D sees, of standard deviation sigma that falls to 0 with the run's
    progress, so that real and generated samples overlap. Sønderby et al. 2016, arXiv:1610.04490.
    """
    return lambda x, round: x + sigma * (1 - round.progress) * torch.randn_like(x)


class GAN(Game):
    """One generator against one discriminator.

    Args:
        G: (n, latents)[, labels (n,)] -> samples (n, ...).
        D: samples (n, ...)[, labels (n,)] -> logits.
        loss: the pair of formulas.
        latents: length of G's latent vector.
        classes: number of labels, 0 for none.
        terms: extra terms of D's loss.
        views: what is done to samples, real and generated, before D sees them.
    """

    def __init__(
        self,
        G: nn.Module,
        D: nn.Module,
        loss: AdversarialLoss,
        latents: int,
        classes: int = 0,
        terms: Sequence[Term] = (),
        views: Sequence[View] = (),
    ) -> None:
        super().__init__()
        self.G, self.D = G, D
        self.loss = loss
        self.latents, self.classes = latents, classes
        self.terms, self.views = tuple(terms), tuple(views)

    def players(
        self, D: Optimizer, G: Optimizer, turns: int = 1, after: After | None = None, **both: Any
    ) -> list[Player]:
        """D, then G.

        Args:
            D, G: the optimizers of their nets' weights.
            turns: moves of D for each of G.
            after: what is done to D once it has moved.
            both: further settings of either `Player`: clip, schedule.
        """
        return [
            Player("D", self.D_losses, D, (self.D,), turns=turns, after=after, **both),
            Player("G", self.G_losses, G, (self.G,), **both),
        ]

    def generate(self, z: Tensor, label: Tensor | None) -> Tensor:
        sample: Tensor = self.G(z, *self._condition(label))
        return sample

    def D_losses(self, round: Round) -> Losses:
        inputs = any(term.inputs for term in self.terms)
        real = self._view(round["real"], round).detach().requires_grad_(inputs)
        fake = self._view(self._fake(round), round).detach().requires_grad_(inputs)
        label = round.get("label")
        judged = Judged(partial(self._judge, label=label), real, fake, *self._judge_both(real, fake, label))
        round.observe(**_confidence("real", judged.on_real), **_confidence("fake", judged.on_fake))
        losses = {"adversarial": self.loss.discriminator(judged.on_real, judged.on_fake)}
        for term in self.terms:
            losses[term.name] = term.weighted(judged, round.progress)
        return losses

    def G_losses(self, round: Round) -> Losses:
        label = round.get("label")
        fake = self._view(self._fake(round), round)
        if not self.loss.needs_real:
            return {"adversarial": self.loss.generator(None, self._judge(fake, label))}
        real = self._view(round["real"], round)
        return {"adversarial": self.loss.generator(*self._judge_both(real, fake, label))}

    def _fake(self, round: Round) -> Tensor:
        z = round.once("z", lambda: self.draw(round.size, round.device))
        return round.once("fake", lambda: self.generate(z, round.get("label")), self.G)

    def _view(self, x: Tensor, round: Round) -> Tensor:
        for view in self.views:
            x = view(x, round)
        return x

    def _judge(self, x: Tensor, label: Tensor | None) -> Logits:
        logits: Logits = self.D(x, *self._condition(label))
        return logits

    def _judge_both(self, real: Tensor, fake: Tensor, label: Tensor | None) -> tuple[Logits, Logits]:
        """D's logits on real and on generated samples, in one pass where that changes nothing.

        Where a term differentiates logits by their inputs, each half has its own pass, or its
        gradient would be computed through both.
        """
        if mixes(self.D) or real.requires_grad:
            return self._judge(real, label), self._judge(fake, label)
        both = self._judge(torch.cat([real, fake]), None if label is None else torch.cat([label, label]))
        if isinstance(both, Tensor):
            on_real, on_fake = both.chunk(2)
            return on_real, on_fake
        halves = [logits.chunk(2) for logits in both]
        return [half[0] for half in halves], [half[1] for half in halves]

    def _condition(self, label: Tensor | None) -> tuple[Tensor, ...]:
        if not self.classes:
            return ()
        if label is None:
            raise ValueError("this game is conditional: it needs labels")
        return (label,)


def _confidence(name: str, logits: Logits) -> Losses:
    """The mean logit, and the share of samples taken for real, over the first logits."""
    first = logits if isinstance(logits, Tensor) else logits[0]
    first = first.detach()
    return {f"D_{name}": first.mean(), f"taken_{name}": (first > 0).float().mean()}

"""The game of one generator and one discriminator."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from sparring.games.game import Game
from sparring.games.views import Ada, View
from sparring.layers.statistics import mixes, still
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


class GAN(Game):
    """One generator against one discriminator.

    Args:
        G: (n, latents)[, labels (n,)] -> samples (n, ...).
        D: samples (n, ...)[, labels (n,)] -> logits.
        loss: the pair of formulas.
        latents: length of G's latent vector.
        classes: number of labels, 0 for none.
        terms: extra terms of D's loss.
        views: what is done to samples, real and generated, before D sees them, one after the other.
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
        self.terms, self.views = tuple(terms), nn.ModuleList(views)

    def players(
        self, D: Optimizer, G: Optimizer, turns: int = 1, lazy: int = 1, after: After | None = None, **both: Any
    ) -> list[Player]:
        """D, then G.

        Args:
            D, G: the optimizers of their nets' weights.
            turns: moves of D for each of G.
            lazy: where above 1, the extra terms are minimised by a move of their own every so many
                steps, which counts so many times. Karras et al. 2019, arXiv:1912.04958, appendix B.
            after: what is done to D once it has moved.
            both: further settings of either `Player`: clip, schedule.
        """
        after = partial(self._after_D, after)
        losses = self.D_losses if lazy == 1 else self.D_adversarial
        players = [Player("D", losses, D, (self.D,), turns=turns, after=after, **both)]
        if lazy > 1:
            players.append(Player("D_reg", self.D_terms, D, (self.D,), every=lazy, **both))
        return [*players, Player("G", self.G_losses, G, (self.G,), **both)]

    def _after_D(self, after: After | None, observed: Mapping[str, Tensor]) -> None:
        for view in self.views:
            assert isinstance(view, View)
            view.after(observed)
        if after is not None:
            after(observed)

    def generate(self, z: Tensor, label: Tensor | None) -> Tensor:
        sample: Tensor = self.G(z, *self._condition(label))
        return sample

    def watched(self) -> dict[str, Tensor]:
        adaptive = [view for view in self.views if isinstance(view, Ada)]
        return {"ada_p": adaptive[0].p} if adaptive else {}

    def D_losses(self, round: Round) -> Losses:
        """All that D minimises."""
        judged = self._judged(round, inputs=any(term.inputs for term in self.terms))
        return self._adversarial(judged, round) | self._extra(judged, round)

    def D_adversarial(self, round: Round) -> Losses:
        """What D minimises in every step, where its extra terms are lazy."""
        return self._adversarial(self._judged(round, inputs=False), round)

    def D_terms(self, round: Round) -> Losses:
        """D's extra terms alone."""
        return self._extra(self._judged(round, inputs=any(term.inputs for term in self.terms)), round)

    def _judged(self, round: Round, inputs: bool) -> Judged:
        real = self._view(round["real"], round).detach().requires_grad_(inputs)
        fake = self._view(self._fake(round), round).detach().requires_grad_(inputs)
        label = round.get("label")
        return Judged(partial(self._judge, label=label), real, fake, *self._judge_both(real, fake, label))

    def _adversarial(self, judged: Judged, round: Round) -> Losses:
        round.observe(**self._confidence(judged, round))
        return {"adversarial": self.loss.discriminator(judged.on_real, judged.on_fake)}

    def _extra(self, judged: Judged, round: Round) -> Losses:
        return {term.name: term.weighted(judged, round.progress) for term in self.terms}

    @torch.no_grad()
    def _confidence(self, judged: Judged, round: Round) -> Losses:
        """D's mean logits, and the share of pairs in which it takes the real sample for more real."""
        real, fake = _first(judged.on_real), _first(judged.on_fake)
        said = {"D_real": real.mean(), "D_fake": fake.mean(), "D_accuracy": (real > fake).float().mean()}
        held = round.get("held")
        if held is not None:
            with still(self.D):
                said["D_held"] = _first(self._judge(self._view(held, round), round.get("held label"))).mean()
        return said

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


def _first(logits: Logits) -> Tensor:
    return logits if isinstance(logits, Tensor) else logits[0]

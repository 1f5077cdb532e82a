"""The game of one generator and one discriminator."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from sparring.games.discriminator_pass import DiscriminatorPass, Side
from sparring.games.game import Game
from sparring.games.prior import Prior
from sparring.games.terms import Term
from sparring.games.views import Ada, View
from sparring.layers.statistics import mixes, still
from sparring.loop import After, Losses, Player, Round
from sparring.losses.adversarial import AdversarialLoss, Logits
from sparring.nets.discriminator import Discriminator

Optimiser = Callable[[Iterable[nn.Parameter]], Optimizer]  # makes one for some weights


class GAN(Game):
    """One generator against one discriminator.

    Args:
        G: (n, width)[, labels (n,)] -> samples (n, ...).
        D: samples (n, ...)[, labels (n,)] -> logits.
        loss: the pair of formulas.
        prior: what samples are made from.
        classes: number of labels, 0 for none.
        conditional: whether samples are made for labels that are no classes, as rows of tables for given values.
        terms: extra terms of either side's loss.
        views: what is done to samples, real and generated, before D sees them, one after the other.
    """

    def __init__(
        self,
        G: nn.Module,
        D: Discriminator,
        loss: AdversarialLoss,
        prior: Prior,
        classes: int = 0,
        terms: Sequence[Term] = (),
        views: Sequence[View] = (),
        conditional: bool = False,
    ) -> None:
        super().__init__()
        self.G, self.D = G, D
        self.loss = loss
        self.prior, self.classes = prior, classes
        self._conditional = conditional
        self.terms, self.views = nn.ModuleList(terms), nn.ModuleList(views)

    @property
    def conditional(self) -> bool:
        return self._conditional or self.classes > 0

    def players(
        self, D: Optimiser, G: Optimiser, turns: int = 1, after: After | None = None, **both: Any
    ) -> list[Player]:
        """D, then G; a side's terms that are minimised now and then have a player of their own.

        Args:
            D, G: make the optimizers of their weights.
            turns: moves of D for each of G.
            after: what is done to D once it has moved.
            both: further settings of every `Player`: clip, schedule.
        """
        weights = [*self.D.parameters(), *self.terms.parameters()]
        return [
            *self._side("D", D(weights), (self.D, self.terms), after, turns, both),
            *self._side("G", G(self.G.parameters()), (self.G,), None, 1, both),
        ]

    def _side(
        self,
        side: Side,
        optimizer: Optimizer,
        nets: tuple[nn.Module, ...],
        after: After | None,
        turns: int,
        settings: Mapping[str, Any],
    ) -> list[Player]:
        always, *now_and_then = (1, *sorted({t.every for t in self._terms(side)} - {1}))
        losses = {"D": self.D_losses, "G": self.G_losses}[side]
        noted = partial(self._after, side, always, after)
        players = [Player(side, losses, optimizer, nets, turns=turns, after=noted, **settings)]
        for every in now_and_then:
            name = f"{side}_reg" if len(now_and_then) == 1 else f"{side}_reg{every}"
            losses, noted = partial(self._lazy, side, every), partial(self._after, side, every, None)
            players.append(Player(name, losses, optimizer, nets, every=every, after=noted, **settings))
        return players

    def _terms(self, side: Side, every: int | None = None) -> list[Term]:
        """Those that a side minimises, every so many steps."""
        mine = [term for term in self.terms if isinstance(term, Term) and side in term.of]
        return [term for term in mine if every is None or term.every == every]

    def _after(self, side: Side, every: int, after: After | None, observed: Mapping[str, Tensor]) -> None:
        for term in self._terms(side, every):
            term.after(observed)
        if side == "D" and every == 1:
            for view in self.views:
                assert isinstance(view, View)
                view.after(observed)
        if after is not None:
            after(observed)

    def values(self, z: Tensor, condition: Tensor | None) -> Tensor:
        if self.conditional and condition is None:
            raise ValueError("this game is conditional: it needs labels")
        sample: Tensor = self.G(z, condition)
        return sample

    def discriminator(self) -> Discriminator:
        return self.D

    def state_metrics(self) -> dict[str, Tensor]:
        adaptive = [view for view in self.views if isinstance(view, Ada)]
        return {"ada_p": adaptive[0].p} if adaptive else {}

    def D_losses(self, round: Round) -> Losses:
        """What D minimises in every step."""
        terms = self._terms("D", 1)
        judged = self._judged("D", round, terms)
        real, fake = judged.on_real.logits, judged.on_fake.logits
        round.observe(**self._confidence(real, fake, round))
        return {"adversarial": self.loss.discriminator(real, fake)} | self._extra(terms, judged, round)

    def G_losses(self, round: Round) -> Losses:
        """What G minimises in every step."""
        terms = self._terms("G", 1)
        judged = self._judged("G", round, terms)
        real = judged.on_real.logits if self.loss.needs_real else None
        return {"adversarial": self.loss.generator(real, judged.on_fake.logits)} | self._extra(terms, judged, round)

    def _lazy(self, side: Side, every: int, round: Round) -> Losses:
        """What a side minimises now and then."""
        terms = self._terms(side, every)
        return self._extra(terms, self._judged(side, round, terms), round)

    def _extra(self, terms: Sequence[Term], judged: DiscriminatorPass, round: Round) -> Losses:
        return {term.name: term.weighted(judged, round.progress) for term in terms}

    def _judged(self, turn: Side, round: Round, terms: Sequence[Term]) -> DiscriminatorPass:
        """D's view of a round.

        Real and generated samples are seen in one pass where that changes nothing: not where D mixes a
        batch, nor where logits are differentiated by their inputs, since each half's gradient would then be
        computed through both.
        """
        inputs = any(term.inputs for term in terms)
        both = turn == "D" or self.loss.needs_real
        return DiscriminatorPass(
            self.D,
            turn,
            self._latents(round),
            round.get("condition") if self.conditional else None,
            real=lambda: self._view(round["values"], round),
            fake=lambda: self._view(self._fake(round), round),
            observe=round.observe,
            inputs=inputs,
            together=both and not inputs and not mixes(self.D),
        )

    @torch.no_grad()
    def _confidence(self, on_real: Logits, on_fake: Logits, round: Round) -> Losses:
        """D's mean logits, and the share of pairs in which it takes the real sample for more real."""
        real, fake = _first(on_real), _first(on_fake)
        said = {"D_real": real.mean(), "D_fake": fake.mean(), "D_accuracy": (real > fake).float().mean()}
        held = round.get("held values")
        if held is not None:
            with still(self.D):
                condition = round.get("held condition") if self.conditional else None
                said["D_held"] = _first(self.D(self._view(held, round), condition)).mean()
        return said

    def _latents(self, round: Round) -> Tensor:
        return round.once("z", lambda: self.draw(round.size, round.device))

    def _fake(self, round: Round) -> Tensor:
        z = self._latents(round)
        return round.once("fake", lambda: self.values(z, round.get("condition")), self.G)

    def _view(self, x: Tensor, round: Round) -> Tensor:
        for view in self.views:
            x = view(x, round)
        return x


def _first(logits: Logits) -> Tensor:
    return logits if isinstance(logits, Tensor) else logits[0]

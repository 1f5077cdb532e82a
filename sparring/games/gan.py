"""The game of one generator and one discriminator."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from sparring.data.tensors import CONDITION, HELD, VALUES
from sparring.games.discriminator_pass import DiscriminatorPass, Side
from sparring.games.game import Game
from sparring.games.prior import Prior
from sparring.games.terms import Term
from sparring.games.views import Ada, View, Viewed
from sparring.layers.statistics import depends_on_batch, frozen_statistics
from sparring.loop import After, Losses, Player, Round
from sparring.losses.adversarial import AdversarialLoss, Logits
from sparring.nets.discriminator import Discriminator

OptimizerFactory = Callable[[Iterable[nn.Parameter]], Optimizer]


class GAN(Game):
    """One generator against one discriminator.

    Args:
        G: (n, width)[, labels (n,)] -> samples (n, ...).
        D: samples (n, ...)[, labels (n,)] -> logits.
        loss: the adversarial loss of D and of G.
        prior: distribution of the latents.
        classes: number of classes, 0 for none.
        conditional: True if samples are generated for conditions other than classes, such as values of columns.
        terms: extra loss terms of either player.
        views: transformations of D's input, real and generated, in order.
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
        self, D: OptimizerFactory, G: OptimizerFactory, turns: int = 1, after: After | None = None, **both: Any
    ) -> list[Player]:
        """D, then G. Terms that are minimized only every few steps have a player of their own.

        Args:
            D, G: create the optimizers.
            turns: moves of D per move of G.
            after: called after each move of D.
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
        always, *lazy = (1, *sorted({t.every for t in self._terms(side)} - {1}))
        losses = {"D": self.D_losses, "G": self.G_losses}[side]
        after_move = partial(self._after, side, always, after)
        players = [Player(side, losses, optimizer, nets, turns=turns, after=after_move, **settings)]
        for every in lazy:
            name = f"{side}_reg" if len(lazy) == 1 else f"{side}_reg{every}"
            losses, after_move = partial(self._lazy, side, every), partial(self._after, side, every, None)
            players.append(Player(name, losses, optimizer, nets, every=every, after=after_move, **settings))
        return players

    def _terms(self, side: Side, every: int | None = None) -> list[Term]:
        """Terms that a player minimizes; only those of one interval, if given."""
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
            raise ValueError("this game is conditional: it needs conditions")
        sample: Tensor = self.G(z, condition)
        return sample

    def discriminator(self) -> Discriminator:
        lasting = [view for view in self.views if isinstance(view, View) and view.lasts]
        return Viewed(self.D, lasting) if lasting else self.D

    def state_metrics(self) -> dict[str, Tensor]:
        adaptive = [view for view in self.views if isinstance(view, Ada)]
        return {"ada_p": adaptive[0].p} if adaptive else {}

    def D_losses(self, round: Round) -> Losses:
        """Losses that D minimizes in every step."""
        terms = self._terms("D", 1)
        outputs = self._outputs("D", round, terms)
        real, fake = outputs.on_real.logits, outputs.on_fake.logits
        round.observe(**self._confidence(real, fake, round))
        return {"adversarial": self.loss.discriminator(real, fake)} | self._extra(terms, outputs, round)

    def G_losses(self, round: Round) -> Losses:
        """Losses that G minimizes in every step."""
        terms = self._terms("G", 1)
        outputs = self._outputs("G", round, terms)
        real = outputs.on_real.logits if self.loss.needs_real else None
        return {"adversarial": self.loss.generator(real, outputs.on_fake.logits)} | self._extra(terms, outputs, round)

    def _lazy(self, side: Side, every: int, round: Round) -> Losses:
        """Terms that a player minimizes only every few steps."""
        terms = self._terms(side, every)
        return self._extra(terms, self._outputs(side, round, terms), round)

    def _extra(self, terms: Sequence[Term], outputs: DiscriminatorPass, round: Round) -> Losses:
        return {term.name: term.weighted(outputs, round.progress) for term in terms}

    def _outputs(self, turn: Side, round: Round, terms: Sequence[Term]) -> DiscriminatorPass:
        """D's outputs on a round.

        In D's turn, real and generated samples share one pass of D if that gives the same result. It does not if D's
        output depends on the batch, or if logits are differentiated with respect to their inputs: the gradient of each
        half would then be computed through both. In G's turn, only generated samples need a gradient.
        """
        inputs = any(term.inputs for term in terms)
        return DiscriminatorPass(
            self.D,
            turn,
            self._latents(round),
            self._condition(round),
            real=lambda: self._view(self._real(round), round),
            fake=lambda: self._view(self._fake(round), round),
            observe=round.observe,
            inputs=inputs,
            together=turn == "D" and not inputs and not depends_on_batch(self.D),
        )

    @torch.no_grad()
    def _confidence(self, on_real: Logits, on_fake: Logits, round: Round) -> Losses:
        """D's mean logits, and the fraction of pairs in which the real sample has the higher logit."""
        real, fake = _first(on_real), _first(on_fake)
        metrics = {"D_real": real.mean(), "D_fake": fake.mean(), "D_accuracy": (real > fake).float().mean()}
        if round.get(HELD + VALUES) is not None:
            with frozen_statistics(self.D):
                held = self._view(self._real(round, HELD), round)
                metrics["D_held"] = _first(self.D(held, self._condition(round, HELD))).mean()
        return metrics

    def _condition(self, round: Round, held: str = "") -> Tensor | None:
        """What D receives next to samples.

        Args:
            held: the prefix of held-out items, or "".
        """
        return round.get(held + CONDITION) if self.conditional else None

    def _real(self, round: Round, held: str = "") -> Tensor:
        """Real samples as D compares them with generated ones.

        Args:
            held: as for `_condition`.
        """
        return round[held + VALUES]

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

"""The game of a D that learns from real records by private gradients, and a G that learns from D alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from sparring.data.tensors import CONDITION
from sparring.errors import InputError
from sparring.games.gan import GAN
from sparring.games.views import Ada
from sparring.layers.minibatch import BatchDependent
from sparring.layers.statistics import depends_on_batch, normalizes_spectrum
from sparring.loop import Losses, Round
from sparring.losses.adversarial import Logits

Draw = Callable[[int, torch.device], Tensor | None]


class PrivateGAN(GAN):
    """A GAN of which D alone sees real records.

    In D's turn, the generated sample that a record is compared with depends on this record's condition and on nothing
    else of the data. In G's turn, neither the number of samples nor their conditions come from the data: everything
    that G learns has passed through D's private gradients. G's terms may use what is private already, and say so by
    `Term.private`.

    Args:
        batch: samples of G's turn.
        conditions: draws them, (n, ...); None for no condition.
        weight: of the adversarial loss in G's loss. The other arguments are those of `GAN`.

    Raises:
        InputError: if samples of a batch depend on each other, or G would see real records.
    """

    def __init__(self, *args: Any, batch: int, conditions: Draw, weight: float = 1.0, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.batch, self._draw_conditions, self.weight = batch, conditions, weight
        refuse_coupling(self)

    def drawn(self, round: Round) -> Mapping[str, Tensor]:
        """What D compares real records with, by the names that a round knows it by."""
        z = self._latents(round)
        return {"z": z, "fake": round.once("fake", lambda: self.values(z, round.get(CONDITION)))}  # without G's graph

    def G_losses(self, round: Round) -> Losses:
        losses = super().G_losses(self._apart(round))
        return losses | {"adversarial": self.weight * losses["adversarial"]}

    def _apart(self, round: Round) -> Round:
        """A round of as many samples as G learns from, without anything real."""
        z, condition = self.draw(self.batch, round.device), self._draw_conditions(self.batch, round.device)
        given = {} if condition is None else {CONDITION: condition}
        return round.part({"latents": z, **given}, {"z": z})

    def _confidence(self, on_real: Logits, on_fake: Logits, round: Round) -> Losses:  # noqa: ARG002
        return {}  # it would be published without noise


def refuse_coupling(game: GAN) -> None:
    """Check that the gradient of D for a record depends on this record alone, and that G sees no record.

    Raises:
        InputError: if not, with the reason and what to do.
    """
    if reason := _coupled(game) or _seen_by_G(game):
        raise InputError(f"a private run bounds what each record adds to the weights, but {reason}")


def _coupled(game: GAN) -> str:
    """Why samples of a batch depend on each other in D's turn; "" if they do not."""
    for name, net in (("D", game.D), ("G", game.G)):
        if depends_on_batch(net):
            compares = any(isinstance(part, BatchDependent) for part in net.modules())
            kind, remedy = ("minibatch statistics", "remove them") if compares else ("batch norm", "give norm=layer")
            return f"{name} has {kind}, by which samples depend on the rest of their batch; {remedy}"
    if (pack := game.D.pack) > 1:
        return f"D judges pack={pack} samples together; give pack=1"
    if normalizes_spectrum(game.D):
        return "each pass of D updates its spectral norm; choose another normalization"
    if whole := [term.name for term in game._terms("D") if not term.per_sample]:
        return f"the term {whole[0]!r} is computed from the whole batch; set its weight to 0"
    if any(isinstance(view, Ada) for view in game.views):
        return "augment=ada adapts to how D judges real and held-out samples; give augment=places or none"
    return ""


def _seen_by_G(game: GAN) -> str:
    """Why G, or a move of D beside the counted ones, would see records; "" if none does."""
    if game.loss.needs_real:
        return "the loss trains G on real samples, too; choose a loss that compares no pairs"
    for term in game._terms("G"):
        if not term.private:
            return f"the term {term.name!r} of G's loss uses real samples; set its weight to 0"
    if lazy := [term.name for term in game._terms("D") if term.every > 1]:
        return f"the term {lazy[0]!r} has moves of its own, which are not accounted for; let it act in every step"
    return ""

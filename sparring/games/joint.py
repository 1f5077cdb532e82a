"""The game of items that consist of several parts, and its terms."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from sparring.data.tensors import CONDITION, VALUES
from sparring.games.discriminator_pass import DiscriminatorPass
from sparring.games.gan import GAN
from sparring.games.terms import Term, Weighting
from sparring.layers.parts import Parts
from sparring.loop import Losses, Round
from sparring.nets import joint
from sparring.nets.choices import Choices
from sparring.nets.joint import Discriminator

TEMPERATURE = 0.1
DRAWS = 4  # in which the columns of a row are drawn in training; samples take one for each column


class PartPenalty(Term):
    """R1 on real or R2 on generated items, with a strength for each part. Mescheder et al. 2018, arXiv:1801.04406, eq.
    9 and 10.

    Args:
        name: "R1" or "R2".
        weight: gamma.
        parts: the layout of an item.
        strengths: for each part, the factor of gamma.
        every: as for `Term`.
    """

    strengths: Tensor

    def __init__(self, name: str, weight: Weighting, parts: Parts, strengths: Sequence[float], every: int) -> None:
        super().__init__(name, weight, every=every, inputs=True)
        self.register_buffer("strengths", torch.tensor(strengths)[parts.part_of_values()], persistent=False)

    def forward(self, outputs: DiscriminatorPass) -> Tensor:
        judged, x = (outputs.on_real, outputs.real) if self.name == "R1" else (outputs.on_fake, outputs.fake)
        logits = [judged.logits] if isinstance(judged.logits, Tensor) else judged.logits
        total = torch.stack([own.float().sum() for own in logits]).sum()
        (gradient,) = torch.autograd.grad(total, x, create_graph=True)
        return (gradient.float().square() * self.strengths).sum(1).mean() / 2


class Contrast(Term):
    """The parts of one item are told from those of the others in the batch by D's vectors of them: D minimizes the
    error on real items, G on generated ones, as far as to that of the real items. Zhang et al. 2021, arXiv:2101.04702,
    with the loss of Oord et al. 2018, arXiv:1807.03748.

    Below the error of real items there are only parts that are more typical than real ones: a G that went on would lose
    the diversity of items that are alike, as it does with a classifier in place of this term (Gong et al. 2019,
    arXiv:1907.02690).

    Args:
        parts: the layout of an item.
        weight: of the term.
    """

    def __init__(self, parts: Parts, weight: float) -> None:
        super().__init__("contrast", weight, of=("D", "G"))
        self.parts = parts

    def forward(self, outputs: DiscriminatorPass) -> Tensor:
        assert isinstance(outputs.net, Discriminator)
        assert outputs.condition is not None
        present = self.parts.given(outputs.condition).present
        of_real = contrast(outputs.net.embeddings(outputs.on_real.features), present)
        if outputs.turn == "D":
            return of_real
        of_fake = contrast(outputs.net.embeddings(outputs.on_fake.features), present)
        return F.relu(of_fake - of_real.detach())


def contrast(vectors: Sequence[Tensor], present: Tensor) -> Tensor:
    """Mean cross-entropy of finding an item's other part among those of the batch, over all pairs of parts.

    Args:
        vectors: for each part, (n, d).
        present: 1 for the parts that an item has, (n, parts).
    """
    units = [F.normalize(vector.float(), dim=1) for vector in vectors]
    losses = []
    for i, j in combinations(range(len(units)), 2):
        both = present[:, i] * present[:, j]
        logits = units[i] @ units[j].T / TEMPERATURE
        absent = torch.where(both > 0, 0.0, -1e4)  # items that lack a part are no candidates
        place = torch.arange(len(logits), device=logits.device)
        for scores in (logits, logits.T):
            each = F.cross_entropy(scores + absent, place, reduction="none")
            losses.append((each * both).sum() / both.sum().clamp(min=1))
    return torch.stack(losses).mean()


class JointGAN(GAN):
    """A `GAN` of items of several parts whose G also learns rows and texts by maximum likelihood, given the other parts
    of every item: what a picture shows need not be learned from D. The game of tables does the same with single
    columns (`games.filled`). Rows are drawn column by column; D teaches their numbers only. With D's gradients into
    choices, the most frequent values of a column displace all others.

    Args:
        read: weight of that likelihood, in G's loss. The other arguments are those of `GAN`.
    """

    def __init__(self, *nets: Any, read: float, **settings: Any) -> None:
        super().__init__(*nets, **settings)
        self.read = read

    def values(self, z: Tensor, condition: Tensor | None) -> Tensor:
        assert condition is not None
        sample: Tensor = self.G(z, *self._net.with_rows(z, condition))
        return sample

    def _fake(self, round: Round) -> Tensor:
        z, condition, encoded = self._latents(round), round[CONDITION], self._encoded(round)

        def items() -> Tensor:
            item: Tensor = self._net(z, *self._net.with_rows(z, condition, encoded, DRAWS))
            return item

        fake: Tensor = round.once("fake", items, self.G)
        return fake

    def _encoded(self, round: Round) -> tuple[Tensor, ...]:
        """The vectors of the parts of real items, by G's encoders."""
        return round.once("encoded", lambda: tuple(self._net.encoded(round[VALUES])), self.G)

    @property
    def _net(self) -> joint.Generator:
        assert isinstance(self.G, joint.Generator)
        return self.G

    def G_losses(self, round: Round) -> Losses:
        losses = super().G_losses(round)
        return losses | ({"read": self.read * self._surprise(round)} if self.read else {})

    def _surprise(self, round: Round) -> Tensor:
        """Mean negative log likelihood of the free columns of rows, and of the tokens of texts, given other parts."""
        net, condition, encoded = self._net, round[CONDITION], self._encoded(round)
        real, z = net.parts.split(round[VALUES]), self._latents(round)
        total, count = z.new_zeros(()), z.new_zeros(())
        for i, head in enumerate(net.heads):
            if not isinstance(head, Choices):
                continue
            code, unknown = net.code_given_others(i, z, condition, encoded, real[i])
            cost, chosen = head.surprise(code, real[i])
            weight = net.per_value(i, unknown).view(cost.shape)
            total, count = total + (cost * weight).sum(), count + (chosen * weight).sum()
        return total / count.clamp(min=1)

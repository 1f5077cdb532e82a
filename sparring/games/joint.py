"""Terms of items that consist of several parts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import torch
from torch import Tensor
from torch.nn import functional as F

from sparring.games.discriminator_pass import DiscriminatorPass
from sparring.games.terms import Term, Weighting
from sparring.layers.parts import Parts
from sparring.nets.joint import Discriminator

TEMPERATURE = 0.1


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
    error on real items, G on generated ones. Zhang et al. 2021, arXiv:2101.04702, with the loss of Oord et al. 2018,
    arXiv:1807.03748.

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
        judged = outputs.on_real if outputs.turn == "D" else outputs.on_fake
        present = self.parts.given(outputs.condition).present
        return contrast(outputs.net.embeddings(judged.features), present)


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

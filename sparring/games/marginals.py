"""A term by which a G of rows fits noisy marginals of pairs of columns."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from sparring.games.discriminator_pass import DiscriminatorPass
from sparring.games.terms import Term
from sparring.nets.table import Generator

# Two columns, the shares of their pairs of codes, and the standard deviation of the noise in these.
Pair = tuple[int, int, Sequence[float], float]


class Marginals(Term):
    """Mean squared distance of the shares of pairs of codes from those that were measured, in units of their noise.

    Given its latents, the columns of a row are independent, so that the share of a pair is the mean product of two
    probabilities, which can be differentiated without sampling. As in GEM, Liu et al. 2021, arXiv:2106.07153, section
    4.2, with all pairs at once. A square is the product of the distances in two halves of the batch: its mean does not
    contain the variance of the batch, which would reward columns that do not depend on the latents.

    Args:
        G: the generator.
        pairs: what was measured.
        weight: of the term.
    """

    private = True
    target: Tensor
    precision: Tensor

    def __init__(self, G: Generator, pairs: Sequence[Pair], weight: float) -> None:
        super().__init__("marginals", weight, of=("G",))
        self._G = (G,)  # in a tuple, so that its weights stay its own
        target = torch.zeros(G.spans.places, G.spans.places)
        precision = torch.zeros_like(target)
        for i, j, shares, deviation in pairs:
            block = G.spans.places_of(i), G.spans.places_of(j)
            target[block] = torch.tensor(shares).view(G.spans.widths[i], G.spans.widths[j])
            precision[block] = 1 / deviation
        cells = max(1, int((precision > 0).sum()))
        self.register_buffer("target", target, persistent=False)
        self.register_buffer("precision", precision / cells**0.5, persistent=False)

    def forward(self, outputs: DiscriminatorPass) -> Tensor:
        (G,), asked = self._G, outputs.condition
        assert asked is not None
        spans = G.spans
        chances = spans.softmax(G.logits(outputs.z, asked).float()[:, : spans.places])
        given = (asked >= 0)[:, spans.span]
        chances = torch.where(given, spans.onehot(asked), chances)
        halves = [(half.T @ half / len(half) - self.target) * self.precision for half in chances.chunk(2)]
        return (halves[0] * halves[-1]).sum()

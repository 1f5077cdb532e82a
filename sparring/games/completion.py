"""The game of clips of which some frames are given: G generates the others, and D judges the whole clip."""

from __future__ import annotations

import torch
from torch import Tensor

from sparring.games.discriminator_pass import DiscriminatorPass
from sparring.games.graph import DataKind, Graph, Spec
from sparring.games.terms import Formula, Term, Weighting
from sparring.games.translation import PairedTranslation
from sparring.nets.completion import Generator


class CompletionGAN(PairedTranslation):
    """A `PairedTranslation` from given frames and noise (n, given, h, w) to clips (n, channels, frames, h, w)."""

    def graph(self, kind: DataKind, reverse: bool = False) -> Graph:
        """The adversarially trained net, for frames of the size that it was trained on."""
        source = kind.source
        assert source is not None
        net = self.mapping(reverse, 1.0)
        description = f"{source.words.items}, frame by frame, then constant maps of noise,"
        given = Spec(source.words.item, ("n", *source.shape), description, source.values)
        output = Spec("sample", ("n", *kind.shape), kind.words.items, kind.describe_values())

        def draw(n: int, variation: int = 0) -> tuple[Tensor, ...]:  # noqa: ARG001
            return (2 * torch.rand(n, *source.shape) - 1,)

        return Graph(net, (given,), output, draw)


def Squared(weight: Weighting) -> Term:
    """Mean squared difference from the true clip. Without D, its minimum is the mean of all futures."""
    return Formula("L2", weight, lambda j: (j.fake - j.real).square().mean(), of=("G",))


class Variety(Term):
    """Mean absolute difference from the true clip of the better one of two futures, which leaves the other one free to
    differ. Gupta et al. 2018, arXiv:1803.10892, section 3.3.

    Args:
        G: the generator.
        weight: of the term.
    """

    def __init__(self, G: Generator, weight: float) -> None:
        super().__init__("variety", weight, of=("G",))
        self._G = (G,)  # in a tuple, so that its weights stay its own

    def forward(self, outputs: DiscriminatorPass) -> Tensor:
        (G,), given = self._G, outputs.condition
        assert given is not None
        # The noise of the next clip of the batch.
        other = G(torch.cat([given[:, : -G.z], given[:, -G.z :].roll(1, 0)], 1))
        errors = [(clips - outputs.real).abs().flatten(1).mean(1) for clips in (outputs.fake, other)]
        return torch.minimum(*errors).mean()

"""Terms of the game of clips from given frames, by hand."""

from types import SimpleNamespace

import pytest
import torch

from sparring.games.completion import Squared, Variety


class Constant(torch.nn.Module):
    """Generates clips whose values are the noise."""

    z = 1

    def forward(self, x):
        return x[:, -1:, None].expand(-1, 1, 3, -1, -1)


def test_variety_is_the_error_of_the_better_of_two_futures():
    G = Constant()
    noise = torch.tensor([0.0, 1.0])[:, None, None, None].expand(2, 1, 4, 4)
    condition = torch.cat([torch.zeros(2, 1, 4, 4), noise], 1)
    real = torch.full((2, 1, 3, 4, 4), 0.75)
    outputs = SimpleNamespace(fake=G(condition), real=real, condition=condition)
    # Each clip has futures of 0 and 1; that of 1 is nearer to 0.75, whichever of the two was drawn for it.
    assert Variety(G, 1.0)(outputs).item() == pytest.approx(0.25)
    # The futures of 0 and 1 are off by 0.75 and 0.25.
    assert Squared(1.0)(outputs).item() == pytest.approx((0.75**2 + 0.25**2) / 2)

"""Layers that depend on the batch, against manual arithmetic."""

from math import exp

import pytest
import torch

from sparring.layers.minibatch import MinibatchDeviation, MinibatchDiscrimination, MinibatchHead
from sparring.layers.statistics import depends_on_batch


def test_minibatch_discrimination_by_hand():
    layer = MinibatchDiscrimination(2, kernels=2, width=1)
    with torch.no_grad():
        layer.project.weight[:] = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
    h = torch.tensor([[0.0, 0.0], [1.0, 0.5], [3.0, 0.0]])
    out = layer(h)
    assert torch.equal(out[:, :2], h)
    # The first projection is 0, 1, 3; the second 0, 1, 0.
    assert out[:, 2].tolist() == pytest.approx([exp(-1) + exp(-3), exp(-1) + exp(-2), exp(-3) + exp(-2)], rel=1e-4)
    assert out[:, 3].tolist() == pytest.approx([exp(-1) + 1, 2 * exp(-1), 1 + exp(-1)], rel=1e-4)


def test_deviation_by_hand():
    """A group is every (n/g)-th sample; the value is the mean standard deviation over maps and positions."""
    x = torch.zeros(8, 1, 1, 2)
    x[[0, 2, 4, 6], 0, 0, 0] = torch.tensor([1.0, -1.0, 1.0, -1.0])  # deviation 1 at one of two positions
    out = MinibatchDeviation()(x)
    assert out.shape == (8, 2, 1, 2)
    assert torch.equal(out[:, :1], x)
    assert out[:, 1, 0, 0].tolist() == pytest.approx([0.5, 0.0] * 4, abs=1e-3)
    assert MinibatchDeviation()(torch.randn(6, 1, 2, 2)).shape == (6, 2, 2, 2)  # groups of 3
    assert MinibatchDeviation()(torch.randn(1, 1, 2, 2)).shape == (1, 2, 2, 2)


def test_dependence_on_the_batch():
    assert depends_on_batch(MinibatchHead(4, 2, 2))
    assert depends_on_batch(MinibatchDeviation())
    assert not depends_on_batch(torch.nn.Linear(2, 2))

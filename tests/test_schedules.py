"""How hyperparameters go from one value to another."""

import pytest
import torch

from sparring.schedules import cosine, geometric


@pytest.mark.parametrize("schedule", [cosine, geometric])
def test_ends_and_middle(schedule):
    """From start to end over its share, then still; the middle is the mean of its kind."""
    middle = {cosine: 5.0, geometric: 10**-0.5 * 10}[schedule]
    low = {cosine: 0.0, geometric: 1.0}[schedule]
    high = 10.0
    assert schedule(high, low, 0.0, 0.5) == pytest.approx(high)
    assert schedule(high, low, 0.25, 0.5) == pytest.approx(middle)
    assert schedule(high, low, 0.5, 0.5) == pytest.approx(low)
    assert schedule(high, low, 1.0, 0.5) == pytest.approx(low)


@pytest.mark.parametrize("schedule", [cosine, geometric])
def test_tensors_stay_tensors(schedule):
    for progress in (0.0, 0.1, 0.7, 1.0):
        assert float(schedule(3.0, 0.5, torch.tensor(progress))) == pytest.approx(schedule(3.0, 0.5, progress))

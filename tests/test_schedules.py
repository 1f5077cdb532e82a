"""Schedules have the given start and end values, and are monotonic."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sparring.schedules import cosine, geometric

values = st.floats(1e-6, 10)
shares = st.floats(0, 1)


@given(values, values, shares, shares, shares)
def test_geometric(start: float, end: float, after: float, a: float, b: float) -> None:
    assert geometric(start, end, 0.0, after) == start
    if after < 0.99:
        assert geometric(start, end, 1.0, after) == pytest.approx(end)
        middle = geometric(start, end, (1 + after) / 2, after)
        assert middle == pytest.approx(math.sqrt(start * end))
    first, second = (geometric(start, end, p, after) for p in sorted((a, b)))
    assert (second - first) * (end - start) >= -1e-12


@given(values, values, st.floats(0.1, 1), shares)
def test_cosine(start: float, end: float, share: float, progress: float) -> None:
    assert cosine(start, end, 0.0, share) == pytest.approx(start)
    assert cosine(start, end, 1.0, share) == pytest.approx(end)
    assert cosine(start, end, share / 2, share) == pytest.approx((start + end) / 2)
    on_device = cosine(start, end, torch.tensor(progress, dtype=torch.float64), share)
    assert float(on_device) == pytest.approx(cosine(start, end, progress, share))

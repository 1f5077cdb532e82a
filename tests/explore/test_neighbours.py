"""The nearest training items, against plain loops."""

import numpy as np
import torch

from sparring.explore.neighbours import nearest_rows, neighbours
from sparring.metrics.tables import Rows, nearest


def test_against_all_at_once():
    """Part by part as if at once, with distances as root mean squares."""
    torch.manual_seed(0)
    items, samples = torch.randn(50, 1, 4, 4), torch.randn(6, 1, 4, 4)
    distances, found = neighbours(samples, items.split(7), k=3)
    whole = (samples[:, None] - items[None]).square().mean((2, 3, 4)).sqrt().sort(dim=1)
    torch.testing.assert_close(distances, whole.values[:, :3], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found, items[whole.indices[:, :3]])


def test_a_planted_copy_is_found():
    torch.manual_seed(0)
    items = torch.randn(30, 5)
    sample = items[17:18].clone()
    distances, found = neighbours(sample, items.split(4), k=2)
    assert distances[0, 0] < 1e-6
    assert torch.equal(found[0, 0], items[17])
    assert distances[0, 1] > 0.1


def test_fewer_items_than_asked():
    distances, found = neighbours(torch.zeros(2, 3), [torch.ones(1, 3), torch.zeros(1, 3)], k=5)
    assert distances.tolist() == [[0, 1], [0, 1]]
    assert found.shape == (2, 2, 3)


def test_rows():
    """Levels, numbers, and what is missing; the nearest as the metric of copies has it."""
    nan = float("nan")
    train = Rows(np.array([[0, 1.0], [1, 1.0], [0, nan], [0, 9.0]]), np.array([True, False]))
    deviation = np.nanstd(train.values[:, 1])
    made = Rows(np.array([[0, 1.0], [1, nan], [0, 1.0 + deviation]]), train.category)
    distances, places = nearest_rows(made, train, 4)
    assert places[0, 0] == 0
    assert distances[0].tolist() == [0, 0.5, 0.5, 0.5]  # a level, a missing number, two deviations and more
    assert (places[1, 0], distances[1, 0]) == (1, 0.5)
    assert places[2, 0] == 0
    assert distances[2, 0] == 0.25
    random = np.random.default_rng(0)
    many, few = (
        Rows(np.stack([random.integers(0, 3, n), random.normal(size=n)], 1).astype(float), train.category)
        for n in (200, 20)
    )
    np.testing.assert_allclose(nearest_rows(few, many, 1)[0][:, 0] * 2, nearest(few, many, many), atol=1e-5)

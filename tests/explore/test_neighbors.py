"""The nearest training items, compared with plain loops."""

import numpy as np
import torch

from sparring.metrics import tables
from sparring.metrics.tables import Rows
from sparring.modalities.exploring import nearest
from sparring.modalities.tables.exploring import nearest_rows


def values(batch):
    return batch["values"].flatten(1)


def batches(items, size):
    return ({"values": part} for part in items.split(size))


def test_batches_give_the_same_as_all_items_at_once():
    """Distances are root mean squares."""
    torch.manual_seed(0)
    items, samples = torch.randn(50, 1, 4, 4), torch.randn(6, 1, 4, 4)
    distances, near = nearest({"values": samples}, batches(items, 7), 3, values)
    whole = (samples[:, None] - items[None]).square().mean((2, 3, 4)).sqrt().sort(dim=1)
    torch.testing.assert_close(distances, whole.values[:, :3], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(near["values"], items[whole.indices[:, :3]])


def test_all_parts_of_an_item_are_returned():
    """Items are compared by the given vectors only, and the other parts come along."""
    samples = {"values": torch.zeros(1, 2), "length": torch.tensor([1.0])}
    items = [{"values": torch.tensor([[3.0, 0.0], [0.0, 9.0]]), "length": torch.tensor([7.0, 8.0])}]
    distances, near = nearest(samples, items, 1, lambda batch: batch["values"][:, :1])
    assert distances.tolist() == [[0]]
    assert near["length"].tolist() == [[8]]


def test_a_planted_copy_is_found():
    torch.manual_seed(0)
    items = torch.randn(30, 5)
    sample = items[17:18].clone()
    distances, near = nearest({"values": sample}, batches(items, 4), 2, values)
    assert distances[0, 0] < 1e-6
    assert torch.equal(near["values"][0, 0], items[17])
    assert distances[0, 1] > 0.1


def test_fewer_items_than_requested():
    items = [{"values": torch.ones(1, 3)}, {"values": torch.zeros(1, 3)}]
    distances, near = nearest({"values": torch.zeros(2, 3)}, items, 5, values)
    assert distances.tolist() == [[0, 1], [0, 1]]
    assert near["values"].shape == (2, 2, 3)


def test_rows():
    """Levels, numbers and missing values; the nearest row agrees with the metric of copies."""
    nan = float("nan")
    train = Rows(np.array([[0, 1.0], [1, 1.0], [0, nan], [0, 9.0]]), np.array([True, False]))
    deviation = np.nanstd(train.values[:, 1])
    samples = Rows(np.array([[0, 1.0], [1, nan], [0, 1.0 + deviation]]), train.category)
    distances, indices = nearest_rows(samples, train, 4)
    assert indices[0, 0] == 0
    assert distances[0].tolist() == [0, 0.5, 0.5, 0.5]  # another level, a missing number, two deviations or more
    assert (indices[1, 0], distances[1, 0]) == (1, 0.5)
    assert indices[2, 0] == 0
    assert distances[2, 0] == 0.25
    random = np.random.default_rng(0)
    many, few = (
        Rows(np.stack([random.integers(0, 3, n), random.normal(size=n)], 1).astype(float), train.category)
        for n in (200, 20)
    )
    expected = tables.nearest(few, many, many)
    np.testing.assert_allclose(nearest_rows(few, many, 1)[0][:, 0] * 2, expected, atol=1e-5)

"""Numbers about rows see what they are meant to see, and agree with the plainest way to compute them."""

from itertools import product

import numpy as np
import pytest

from sparring.metrics import tables
from sparring.metrics.tables import Rows

CATEGORY = np.array([False, False, True, True])


def drawn(n, seed, link=1.0):
    """Two linked numbers and two linked levels."""
    random = np.random.default_rng(seed)
    x = random.normal(size=n)
    y = link * x + random.normal(size=n)
    level = (link * x + random.normal(size=n) > 0).astype(float)
    other = np.where(random.random(n) < 0.2 + 0.6 * level * link, 2.0, random.integers(0, 2, n))
    return Rows(np.stack([x, y, level, other], 1), CATEGORY)


def shuffled(rows, seed=0):
    random = np.random.default_rng(seed)
    return Rows(np.stack([random.permutation(column) for column in rows.values.T], 1), rows.category)


def test_other_draws_of_the_same_are_alike():
    real, made = drawn(4000, 0), drawn(4000, 1)
    assert tables.shapes(real, made).min() > 0.95
    assert tables.trends(real, made).min() > 0.93
    assert tables.told_apart(real, made) == pytest.approx(0.5, abs=0.04)
    assert tables.closer(Rows(made.values[:500], CATEGORY), real, drawn(4000, 2)) == pytest.approx(0.5, abs=0.06)
    assert tables.copied(made, real) == 0


def test_independent_columns_have_the_shapes_but_no_trends():
    real = drawn(4000, 0)
    made = shuffled(real)
    assert tables.shapes(real, made).min() > 0.999
    assert tables.trends(real, made).mean() < 0.9
    assert tables.told_apart(drawn(4000, 1), made) > 0.7
    assert tables.useful(made, drawn(4000, 1), 2)["auc"] < 0.6
    assert tables.useful(real, drawn(4000, 1), 2)["auc"] > 0.8


def test_a_copy_is_closer_to_what_it_copies():
    real, held = drawn(1000, 0), drawn(1000, 1)
    assert tables.copied(real, real) == 1
    assert tables.closer(real.of(np.arange(300)), real, held) > 0.99


def test_shapes_by_counting():
    a = Rows(np.array([[0.0, 0], [1, 0], [2, 1], [np.nan, 1]]), np.array([False, True]))
    b = Rows(np.array([[0.0, 0], [1, 0], [1, 0], [1, 2]]), np.array([False, True]))
    assert tables.shapes(a, b) == pytest.approx([1 - 1 / 3, 1 - 0.5])


def test_trends_by_counting():
    random = np.random.default_rng(0)
    a, b = (Rows(random.integers(0, 3, (200, 2)).astype(float), np.array([True, True])) for _ in range(2))
    shares = [np.mean((rows.values == pair).all(1)) for pair in product(range(3), repeat=2) for rows in (a, b)]
    expected = 1 - sum(abs(p - q) for p, q in zip(shares[::2], shares[1::2], strict=True)) / 2
    assert tables.trends(a, b) == pytest.approx([expected])


def test_correlations_are_those_of_numpy():
    real, made = drawn(500, 0), drawn(500, 1, link=0.2)
    apart = np.corrcoef(real.values[:, :2].T)[0, 1] - np.corrcoef(made.values[:, :2].T)[0, 1]
    assert tables.trends(real, made)[0] == pytest.approx(1 - abs(apart) / 2)


def test_nearest_by_a_loop():
    made, others = drawn(20, 0), drawn(30, 1)
    deviation = others.values.std(0)
    weights = np.where(CATEGORY, 1e9, 1 / (2 * deviation))
    for row, found in zip(made.values, tables.nearest(made, others, others), strict=True):
        apart = np.where(row == others.values, 0.0, np.minimum(1, np.abs(row - others.values) * weights)).sum(1)
        assert found == pytest.approx(apart.min(), abs=1e-5)


def test_numbers_and_many_classes_as_targets():
    real, held = drawn(2000, 0), drawn(2000, 1)
    assert tables.useful(real, held, 1)["r2"] == pytest.approx(0.45, abs=0.1)
    assert tables.useful(real, held, 3)["auc"] > 0.6
    one = Rows(np.where(CATEGORY, 0.0, real.values), CATEGORY)
    assert tables.useful(one, held, 2) == {"auc": 0.5, "f1": 0.0}

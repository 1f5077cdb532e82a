"""Metrics of tables: on data with known properties, and compared with direct computation."""

from itertools import product

import numpy as np
import pytest

from sparring.metrics import tables
from sparring.metrics.tables import Rows

CATEGORY = np.array([False, False, True, True])


def drawn(n, seed, link=1.0):
    """Two dependent numbers and two dependent categories."""
    random = np.random.default_rng(seed)
    x = random.normal(size=n)
    y = link * x + random.normal(size=n)
    level = (link * x + random.normal(size=n) > 0).astype(float)
    other = np.where(random.random(n) < 0.2 + 0.6 * level * link, 2.0, random.integers(0, 2, n))
    return Rows(np.stack([x, y, level, other], 1), CATEGORY)


def shuffled(rows, seed=0):
    random = np.random.default_rng(seed)
    return Rows(np.stack([random.permutation(column) for column in rows.values.T], 1), rows.category)


def test_samples_of_the_same_distribution_are_similar():
    real, generated = drawn(4000, 0), drawn(4000, 1)
    assert tables.column_shapes(real, generated).min() > 0.95
    assert tables.column_pair_trends(real, generated).min() > 0.93
    assert tables.c2st_auc(real, generated) == pytest.approx(0.5, abs=0.04)
    assert tables.dcr_share(Rows(generated.values[:500], CATEGORY), real, drawn(4000, 2)) == pytest.approx(
        0.5, abs=0.06
    )
    assert tables.exact_copy_share(generated, real) == 0


def test_independent_columns_have_the_same_shapes_but_other_trends():
    real = drawn(4000, 0)
    generated = shuffled(real)
    assert tables.column_shapes(real, generated).min() > 0.999
    assert tables.column_pair_trends(real, generated).mean() < 0.9
    assert tables.c2st_auc(drawn(4000, 1), generated) > 0.7
    assert tables.tstr(generated, drawn(4000, 1), 2)["auc"] < 0.6
    assert tables.tstr(real, drawn(4000, 1), 2)["auc"] > 0.8


def test_copies_are_closer_to_the_training_rows():
    real, held = drawn(1000, 0), drawn(1000, 1)
    assert tables.exact_copy_share(real, real) == 1
    assert tables.dcr_share(real.take(np.arange(300)), real, held) > 0.99


def test_shapes_by_counting():
    a = Rows(np.array([[0.0, 0], [1, 0], [2, 1], [np.nan, 1]]), np.array([False, True]))
    b = Rows(np.array([[0.0, 0], [1, 0], [1, 0], [1, 2]]), np.array([False, True]))
    assert tables.column_shapes(a, b) == pytest.approx([1 - 1 / 3, 1 - 0.5])


def test_trends_by_counting():
    random = np.random.default_rng(0)
    a, b = (Rows(random.integers(0, 3, (200, 2)).astype(float), np.array([True, True])) for _ in range(2))
    shares = [np.mean((rows.values == pair).all(1)) for pair in product(range(3), repeat=2) for rows in (a, b)]
    expected = 1 - sum(abs(p - q) for p, q in zip(shares[::2], shares[1::2], strict=True)) / 2
    assert tables.column_pair_trends(a, b) == pytest.approx([expected])


def test_correlations_are_those_of_numpy():
    real, generated = drawn(500, 0), drawn(500, 1, link=0.2)
    apart = np.corrcoef(real.values[:, :2].T)[0, 1] - np.corrcoef(generated.values[:, :2].T)[0, 1]
    assert tables.column_pair_trends(real, generated)[0] == pytest.approx(1 - abs(apart) / 2)


def test_nearest_by_a_loop():
    generated, others = drawn(20, 0), drawn(30, 1)
    deviation = others.values.std(0)
    weights = np.where(CATEGORY, 1e9, 1 / (2 * deviation))
    for row, distance in zip(generated.values, tables.nearest(generated, others, others), strict=True):
        apart = np.where(row == others.values, 0.0, np.minimum(1, np.abs(row - others.values) * weights)).sum(1)
        assert distance == pytest.approx(apart.min(), abs=1e-5)


def test_numbers_and_many_classes_as_targets():
    real, held = drawn(2000, 0), drawn(2000, 1)
    assert tables.tstr(real, held, 1)["r2"] == pytest.approx(0.45, abs=0.1)
    assert tables.tstr(real, held, 3)["auc"] > 0.6
    one = Rows(np.where(CATEGORY, 0.0, real.values), CATEGORY)
    assert tables.tstr(one, held, 2) == {"auc": 0.5, "f1": 0.0}

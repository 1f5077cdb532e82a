"""Attribute inference finds values that samples give away, and nothing else."""

import numpy as np
import pytest

from sparring.metrics.attributes import Column, difference, infer


def rows(n, seed):
    """Two numbers, and a secret that does not depend on them."""
    random = np.random.default_rng(seed)
    return random.random(n), random.random(n), random.choice(["a", "b", "c"], n).astype(object)


def columns(samples, members, others):
    names = ("first", "second", "secret")
    return [Column(name, *values) for name, *values in zip(names, samples, members, others, strict=True)]


def test_copies_give_values_away_and_other_samples_do_not():
    members, others, fresh = rows(300, 0), rows(300, 1), rows(300, 2)
    found = {one.name: one for one in infer(columns(members, members, others))}
    assert (found["secret"].members, found["first"].members) == (1, 1)
    assert found["secret"].advantage.low > 0.5
    assert all(one.advantage.excludes(0) is False for one in infer(columns(fresh, members, others)))


def test_what_is_known_of_everybody_is_no_leak():
    def dependent(seed):
        first = np.random.default_rng(seed).integers(0, 5, 200).astype(float)
        return first, np.zeros(200), first.astype(int).astype(str).astype(object)

    (secret,) = [one for one in infer(columns(*map(dependent, range(3)))) if one.name == "secret"]
    assert (secret.members, secret.others, secret.advantage.value) == (1, 1, 0)
    assert secret.advantage.low < 0


def test_missing_numbers_and_tolerance():
    column = Column("age", np.array([10.0, np.nan, 20.0]), np.array([np.nan, 10.0]), np.array([0.0]))
    distances = column.distances(column.members)
    assert distances[0].tolist() == [1, 0, 1]
    assert distances[1, 1] == 1
    assert distances[1, 0] == 0
    guessed = column.guessed(np.array([100.0, 100.0, np.nan, 0.0]), np.array([104.0, 106.0, np.nan, 0.1]))
    assert guessed.tolist() == [True, False, True, False]
    nothing = Column("empty", np.full(3, np.nan), np.full(2, np.nan), np.full(1, np.nan))
    assert (nothing.distances(nothing.members) == 0).all()


def test_the_interval_by_hand():
    found = difference(np.array([True, True, True, False]), np.array([True, False]), 0.95)
    assert found.value == pytest.approx(0.25)
    first, second = 4 / 6, 2 / 4
    reach = 1.959964 * np.sqrt(first * (1 - first) / 6 + second * (1 - second) / 4)
    assert (found.low, found.high) == pytest.approx((first - second - reach, first - second + reach), abs=1e-4)

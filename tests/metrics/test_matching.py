"""Agreement of codes and classes."""

from itertools import permutations

import numpy as np

from sparring.metrics.matching import agreement


def test_agreement():
    labels = np.array([0, 0, 1, 1, 2, 2])
    assert agreement(np.array([2, 2, 0, 0, 1, 1]), labels) == 1.0  # the values of codes do not matter
    assert agreement(np.zeros(6, int), labels) == 2 / 6  # a single code is one class
    assert agreement(np.array([0, 0, 0, 0, 1, 1]), labels) == 4 / 6  # a code is assigned to one class only


def test_agreement_is_the_best_of_all_matchings():
    random = np.random.default_rng(0)
    codes, labels = random.integers(0, 4, (2, 200))
    best = max(np.mean(np.array(order)[codes] == labels) for order in permutations(range(4)))
    assert agreement(codes, labels) == best

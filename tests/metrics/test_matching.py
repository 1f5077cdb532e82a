"""Codes against classes."""

from itertools import permutations

import numpy as np

from sparring.metrics.matching import agreement


def test_agreement():
    labels = np.array([0, 0, 1, 1, 2, 2])
    assert agreement(np.array([2, 2, 0, 0, 1, 1]), labels) == 1.0  # names do not matter
    assert agreement(np.zeros(6, int), labels) == 2 / 6  # one code for all is one class
    assert agreement(np.array([0, 0, 0, 0, 1, 1]), labels) == 4 / 6  # a code has one class only


def test_agreement_is_the_best_of_all_matchings():
    random = np.random.default_rng(0)
    codes, labels = random.integers(0, 4, (2, 200))
    best = max(np.mean(np.array(order)[codes] == labels) for order in permutations(range(4)))
    assert agreement(codes, labels) == best

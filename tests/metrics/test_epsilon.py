"""The lower bound of epsilon stays below the epsilon of mechanisms that have one, and comes near to it."""

import math

import numpy as np
import pytest
import torch

from sparring.metrics import epsilon as bounds
from sparring.metrics.epsilon import lower_bound, refuted


def randomized_response(epsilon, n, seed):
    """Scores of a mechanism that tells whether an item is a member, and lies as often as epsilon asks for."""
    random = np.random.default_rng(seed)
    honest = 1 / (1 + math.exp(-epsilon))
    member = np.where(random.random(n) < honest, 1.0, -1.0) + 0.01 * random.random(n)
    other = np.where(random.random(n) < honest, -1.0, 1.0) + 0.01 * random.random(n)
    return torch.tensor(member), torch.tensor(other)


def test_it_never_exceeds_what_the_mechanism_has():
    for epsilon in (0.0, 0.5, 2.0):
        found = [lower_bound(*randomized_response(epsilon, 1000, seed), seed=seed + 1000) for seed in range(20)]
        assert sum(bound > epsilon for bound in found) <= 3  # 1 is allowed on average
    assert np.mean(found) > 1.5


def test_sure_recognition_refutes_more_with_more_candidates():
    found = [lower_bound(torch.ones(n), torch.zeros(n)) for n in (20, 200, 2000)]
    assert found == sorted(found)
    assert found[0] > 0
    assert found[2] > 4.5
    assert lower_bound(torch.zeros(2), torch.zeros(2)) == 0


def test_no_candidate_is_guessed_both_ways(monkeypatch):
    made = []
    monkeypatch.setattr(bounds, "refuted", lambda guesses, *_: made.append(guesses) or 0.0)
    for n in (3, 7, 8, 41):
        made.clear()
        lower_bound(torch.ones(n), torch.zeros(n))
        assert n - 1 <= max(made) <= n


def test_the_bound_by_hand():
    # All of 10 guesses are right with probability p^10, which is the level at p = level^(1 / 10).
    p = 0.05**0.1
    assert refuted(10, 10, 0.05) == pytest.approx(math.log(p / (1 - p)), abs=1e-6)
    assert refuted(10, 5, 0.05) == 0

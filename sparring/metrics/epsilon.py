"""A lower bound of epsilon from one run: how large it is at least, as an attacker recognizes so many training items."""

from __future__ import annotations

import numpy as np
from torch import Tensor

SHARES = (0.02, 0.1, 0.3, 1.0)  # of the candidates that are guessed, the surest first
STEPS = 40  # of the bisection
MAX_EPSILON = 20.0


def lower_bound(members: Tensor, others: Tensor, confidence: float = 0.95, seed: int = 0) -> float:
    """Largest epsilon that an attack refutes: a training with (epsilon, 0)-differential privacy would let it guess so
    well with a probability below 1 - confidence. Steinke et al. 2023, arXiv:2305.08846, with delta = 0.

    Neighboring data sets differ in the replacement of one record. Replacing one is removing it and adding another, so
    that with neighbors of which one has a record more, half of this epsilon is refuted.

    Each candidate must have been a member by the toss of a fair coin. Each member is paired with another item, and a
    coin decides which of the two is the candidate. In a random split of fixed size, the other one might as well have
    been the member. The bound holds for the data as they are; canaries, which are made to be recognized, would give a
    larger one.

    Args:
        members, others: scores (n,) and (m,) of the items of a random split, higher for items that are taken for
            members.
        seed: of the coins.

    Returns:
        Epsilon; 0 if the attack refutes none.
    """
    count = min(len(members), len(others))
    is_member = np.random.default_rng(seed).random(count) < 0.5
    scores = np.where(is_member, members.numpy()[:count], others.numpy()[:count])
    order = np.argsort(scores, kind="stable")
    level = (1 - confidence) / len(SHARES)
    bounds = [0.0]
    for share in SHARES:
        each = round(share * (count // 2))  # nobody is taken for a member and for another
        if each:
            right = int(is_member[order[-each:]].sum() + (~is_member[order[:each]]).sum())
            bounds.append(refuted(2 * each, right, level))
    return max(bounds)


def refuted(guesses: int, right: int, level: float) -> float:
    """Largest epsilon for which so many right guesses have a probability of at most `level`: each is right with a
    probability of at most e^epsilon / (1 + e^epsilon), whatever the others are.
    """
    from scipy.stats import binom

    def chance(epsilon: float) -> float:
        return float(binom.sf(right - 1, guesses, 1 / (1 + np.exp(-epsilon))))

    if chance(0.0) > level:
        return 0.0
    low, high = 0.0, MAX_EPSILON
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if chance(middle) <= level else (low, middle)
    return low

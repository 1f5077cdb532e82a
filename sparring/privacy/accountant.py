"""What noisy releases cost, all together.

The accountant is that of Opacus (Apache 2.0), which composes privacy loss random variables numerically (Gopi et al.
2021, arXiv:2106.02848) and depends on nothing but PyTorch, numpy, scipy and opt-einsum. A release of all records is a
Gaussian mechanism without subsampling; several of them are exactly one with less noise (Dong et al. 2019,
arXiv:1905.02383, corollary 3.3).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from sparring.errors import InputError, needs

MAX_NOISE = 1e5  # relative to the sensitivity
PRECISION = 1e-3  # of the noise, relative
MIN_NOISE = 1e-2
USELESS_NOISE = 128.0  # above which D would learn from noise alone


@dataclass(frozen=True)
class Release:
    """Numbers computed from the data and published with normal noise.

    Attributes:
        what: in words.
        noise: standard deviation, relative to how far one record can move the numbers (L2).
        rate: probability with which each record takes part.
        times: how often, each time with new noise and a new Poisson sample.
    """

    what: str
    noise: float
    rate: float = 1.0
    times: int = 1

    def __post_init__(self) -> None:
        if not self.noise > 0 or not 0 < self.rate <= 1 or self.times < 0:
            raise ValueError(f"{self} is no noisy release")


def pooled(releases: Sequence[Release]) -> list[Release]:
    """The same releases; those of all records as one."""
    whole = [r for r in releases if r.rate == 1 and r.times]
    others = [r for r in releases if r.rate < 1 and r.times]
    if not whole:
        return others
    precision = sum(r.times / r.noise**2 for r in whole)
    return [Release("releases of all records", precision**-0.5), *others]


def epsilon(releases: Sequence[Release], delta: float) -> float:
    """The smallest epsilon, up to numerical error above it, of all releases together.

    Raises:
        InputError: if Opacus is not installed.
    """
    found = pooled(releases)
    if not found:
        return 0.0
    if len(found) == 1 and found[0].rate == 1:
        return _gaussian_epsilon(1 / found[0].noise, delta)
    return _spent(tuple(found), delta)


def noise_for(target: float, delta: float, before: Sequence[Release], rate: float, times: int) -> float:
    """The least noise of further releases such that all together keep an epsilon.

    Args:
        target: epsilon.
        before: releases that have been made.
        rate, times: of the further ones.

    Raises:
        InputError: if the earlier ones leave nothing, or Opacus is not installed.
    """

    def spent(noise: float) -> float:
        return _spent(tuple(pooled([*before, Release("", noise, rate, times)])), delta)

    low = high = 1.0
    at_low = at_high = spent(high)
    while not at_high <= target:
        low, at_low, high = high, at_high, 2 * high
        if high > USELESS_NOISE:
            already = "what was measured before has spent nearly all of it; " if before else ""
            raise InputError(
                f"privacy={target:g} leaves too little for {times:,} steps: {already}give a larger epsilon or delta, "
                "fewer steps, or smaller shares of the budget to what comes before"
            )
        at_high = spent(high)
    while at_low <= target and low > MIN_NOISE:
        high, at_high, low = low, at_low, low / 2
        at_low = spent(low)
    while high - low > PRECISION * high:  # epsilon is close to a power of the noise
        between = math.isfinite(at_low) and at_low > at_high > 0
        share = math.log(at_low / target) / math.log(at_low / at_high) if between else 0.5
        least, most = low * (1 + PRECISION / 2), high * (1 - PRECISION / 2)
        guess = min(max(low * (high / low) ** share, least), most)
        at_guess = spent(guess)
        if at_guess <= target:
            high, at_high = guess, at_guess
        else:
            low, at_low = guess, at_guess
    return high


def gaussian_noise(target: float, delta: float) -> float:
    """The least noise of a single release of all records that keeps an epsilon. Balle and Wang 2018, arXiv:1805.06530,
    theorem 8.
    """
    return _bisected(lambda noise: _gaussian_epsilon(1 / noise, delta) <= target, 1e-3, MAX_NOISE)


def _gaussian_epsilon(mu: float, delta: float) -> float:
    """Epsilon of a Gaussian mechanism with noise 1 / mu."""

    def enough(value: float) -> bool:
        return bool(_gaussian_delta(mu, value) <= delta)

    if enough(0.0):
        return 0.0
    high = 1.0
    while not enough(high):
        high *= 2
    return _bisected(enough, 0.0, high)


def _gaussian_delta(mu: float, value: float) -> float:
    from scipy.special import log_ndtr, ndtr

    tail = math.exp(value + log_ndtr(-mu / 2 - value / mu))
    return float(ndtr(mu / 2 - value / mu) - tail)


def _bisected(enough: Any, low: float, high: float) -> float:
    """The smallest number that is enough, from above."""
    while high - low > PRECISION * high:
        middle = (low * high) ** 0.5 if low > 0 else high / 2
        low, high = (low, middle) if enough(middle) else (middle, high)
        if high < 1e-6:
            break
    return high


@lru_cache(100)
def _spent(releases: tuple[Release, ...], delta: float) -> float:
    if sum(r.rate * r.times for r in releases) <= delta:  # that likely any record is used at all
        return 0.0
    accountants = needs("opacus.accountants", "private", "accounts for differential privacy")
    counter = accountants.PRVAccountant()
    counter.history = [(r.noise, r.rate, r.times) for r in releases]
    with warnings.catch_warnings(), np.errstate(divide="ignore"):
        warnings.simplefilter("ignore")  # about orders and about log(1 - rate) of releases of all records
        return float(counter.get_epsilon(delta))

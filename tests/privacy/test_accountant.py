"""What releases cost, by independent formulas."""

import math

import numpy as np
import pytest
from scipy.stats import norm

from sparring.errors import InputError
from sparring.privacy import Release, epsilon, gaussian_noise, noise_for, planned, pooled

pytest.importorskip("opacus")


def delta_of_gaussian(noise, value):
    """The delta of one Gaussian release, by integrating its definition: the largest excess of one density over exp(eps)
    times the other.
    """
    x = np.linspace(-12 * noise, 12 * noise + 1, 400_001)
    excess = norm.pdf(x, 1, noise) - math.exp(value) * norm.pdf(x, 0, noise)
    return np.trapezoid(excess.clip(0), x)


@pytest.mark.parametrize(("noise", "delta"), [(1.0, 1e-5), (4.0, 1e-6), (0.5, 1e-3)])
def test_a_single_release(noise, delta):
    value = epsilon([Release("", noise)], delta)
    assert delta_of_gaussian(noise, value) == pytest.approx(delta, rel=0.02)
    assert gaussian_noise(value, delta) == pytest.approx(noise, rel=0.01)


def test_releases_of_all_records_are_one_with_less_noise():
    """Four answers with noise 2 about the same record say as much as one with noise 1."""
    assert epsilon([Release("", 2.0, times=4)], 1e-5) == pytest.approx(epsilon([Release("", 1.0)], 1e-5), rel=1e-6)
    assert [r.noise for r in pooled([Release("", 3.0), Release("", 4.0)])] == pytest.approx([2.4])


def delta_of_subsampled(noise, rate, value):
    """The delta of one release of a Poisson sample, for a record that is removed."""
    x = np.linspace(-12 * noise, 12 * noise + 1, 400_001)
    without = norm.pdf(x, 0, noise)
    with_it = (1 - rate) * without + rate * norm.pdf(x, 1, noise)
    return np.trapezoid((with_it - math.exp(value) * without).clip(0), x)


def test_a_poisson_sample_costs_less():
    value = epsilon([Release("", 1.0, 0.1)], 1e-5)
    assert delta_of_subsampled(1.0, 0.1, value) <= 1e-5  # the accountant's numbers are upper bounds
    assert delta_of_subsampled(1.0, 0.1, value - 0.05) > 1e-5
    assert value < epsilon([Release("", 1.0)], 1e-5) / 2


def test_the_noise_keeps_epsilon_and_not_much_less():
    before = [Release("columns", 8.0)]
    noise = noise_for(3.0, 1e-5, before, 0.02, 1000)
    assert epsilon([*before, Release("", noise, 0.02, 1000)], 1e-5) == pytest.approx(3.0, rel=0.01)  # not less noise
    with pytest.raises(InputError, match="leaves too little for 1,000 steps: what was measured before"):
        noise_for(3.0, 1e-5, [Release("columns", gaussian_noise(3.0, 1e-5))], 0.02, 1000)
    assert 2.9 < epsilon([*before, Release("", noise, 0.02, 1000)], 1e-5) <= 3.0
    assert noise > noise_for(3.0, 1e-5, [], 0.02, 1000)  # the columns are paid for


def test_published_noise():
    """Abadi et al. 2016, section 4: rate 0.01, noise 4, 10,000 steps, delta 1e-5: epsilon 1.26."""
    assert epsilon([Release("", 4.0, 0.01, 10_000)], 1e-5) == pytest.approx(1.26, abs=0.35)
    assert epsilon([Release("", 4.0, 0.01, 10_000)], 1e-5) < 1.26


def test_impossible_promises():
    with pytest.raises(InputError, match=r"batch=64 exceeds the 50 rows that are trained on; give a smaller one"):
        planned(1.0, 1e-5, 1.0, 64, 10, 50, "row")
    with pytest.raises(InputError, match=r"delta=0.1 lets one of 50 rows be published as it is; give less than 0.02"):
        planned(1.0, 0.1, 1.0, 10, 10, 50, "row")
    with pytest.raises(InputError, match=r"privacy=1 leaves too little for 10 steps: what was measured before"):
        planned(1.0, 1e-5, 1.0, 10, 10, 50, "row", fitted=[Release("", 0.5)])


def test_releases_that_hardly_use_a_record_cost_nothing():
    """Opacus has no answer for them; the search for the noise must not divide by such an epsilon."""
    assert epsilon([Release("", 0.5, 1e-4, 5)], 1e-3) == 0.0
    assert noise_for(0.3, 1e-3, [], 1e-4, 5) <= 1.0

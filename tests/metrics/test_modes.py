"""Coverage of mixtures."""

import numpy as np
import pytest

from sparring.metrics.modes import modes

CENTERS = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0], [10.0, 10.0]])


def draw(weights, sd=0.1, n=20_000):
    random = np.random.default_rng(0)
    return CENTERS[random.choice(4, n, p=weights)] + sd * random.standard_normal((n, 2))


def test_a_perfect_sampler():
    covered = modes(draw([0.25] * 4), CENTERS, 0.1)
    assert (covered.hit, covered.total) == (4, 4)
    assert covered.quality == pytest.approx(0.989, abs=0.003)
    assert covered.kl == pytest.approx(0, abs=1e-3)
    assert covered.spread == pytest.approx(1, abs=0.02)
    assert covered.width == pytest.approx(1, abs=0.02)


def test_a_dropped_mode_and_uneven_ones():
    covered = modes(draw([0.5, 0.25, 0.25, 0]), CENTERS, 0.1)
    assert covered.hit == 3
    assert covered.kl == pytest.approx(0.5 * np.log(2), abs=0.02)


def test_modes_that_are_points():
    """A generator that has learned the centers but not the spread."""
    assert modes(draw([0.25] * 4, sd=0.01), CENTERS, 0.1).spread == pytest.approx(0.1, abs=0.02)


def test_a_narrow_mode_next_to_its_center_has_spread_but_no_width():
    covered = modes(draw([0.25] * 4, sd=0.01) + 0.1, CENTERS, 0.1)
    assert covered.spread > 1
    assert covered.width == pytest.approx(0.1, abs=0.02)


def test_a_blur_hits_every_mode_with_little_quality():
    blur = np.random.default_rng(0).uniform(-2, 12, (5000, 2))
    covered = modes(blur, CENTERS, 0.1)
    assert covered.hit >= 3
    assert covered.quality < 0.02


def test_no_mode_is_covered():
    covered = modes(np.full((5, 2), 5.0), CENTERS, 0.1)
    assert (covered.hit, covered.quality, covered.spread, covered.width) == (0, 0, 0, 0)
    assert covered.kl == float("inf")

import numpy as np
import pytest

from sparring.metrics.modes import modes

CENTRES = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0], [10.0, 10.0]])


def drawn(weights, sd=0.1, n=20_000):
    random = np.random.default_rng(0)
    return CENTRES[random.choice(4, n, p=weights)] + sd * random.standard_normal((n, 2))


def test_a_perfect_sampler():
    found = modes(drawn([0.25] * 4), CENTRES, 0.1)
    assert (found.hit, found.total) == (4, 4)
    assert found.quality == pytest.approx(0.989, abs=0.003)
    assert found.kl == pytest.approx(0, abs=1e-3)
    assert found.spread == pytest.approx(1, abs=0.02)
    assert found.width == pytest.approx(1, abs=0.02)


def test_a_dropped_mode_and_uneven_ones():
    found = modes(drawn([0.5, 0.25, 0.25, 0]), CENTRES, 0.1)
    assert found.hit == 3
    assert found.kl == pytest.approx(0.5 * np.log(2), abs=0.02)


def test_modes_that_are_points():
    """A generator that has found the centres, but not the spread, is seen."""
    assert modes(drawn([0.25] * 4, sd=0.01), CENTRES, 0.1).spread == pytest.approx(0.1, abs=0.02)


def test_a_narrow_mode_beside_its_place_has_spread_but_no_width():
    found = modes(drawn([0.25] * 4, sd=0.01) + 0.1, CENTRES, 0.1)
    assert found.spread > 1
    assert found.width == pytest.approx(0.1, abs=0.02)


def test_a_blur_hits_every_mode_with_little_quality():
    blur = np.random.default_rng(0).uniform(-2, 12, (5000, 2))
    found = modes(blur, CENTRES, 0.1)
    assert found.hit >= 3
    assert found.quality < 0.02


def test_nothing_is_hit():
    found = modes(np.full((5, 2), 5.0), CENTRES, 0.1)
    assert (found.hit, found.quality, found.spread, found.width) == (0, 0, 0, 0)
    assert found.kl == float("inf")

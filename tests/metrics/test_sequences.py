"""Metrics of time series: compared with other implementations, and on series with known properties."""

import numpy as np
import pytest
from scipy.stats import kurtosis

from sparring.metrics import sequences

RANDOM = np.random.default_rng(0)


def garch(paths, steps, alpha=0.1, beta=0.85):
    """Returns of GARCH(1, 1) with a variance of 1, (paths, steps, 1)."""
    random = np.random.default_rng(1)
    variance, out = np.ones(paths), []
    for _ in range(steps):
        out.append(random.normal(size=paths) * np.sqrt(variance))
        variance = 1 - alpha - beta + alpha * out[-1] ** 2 + beta * variance
    return np.stack(out, 1)[..., None]


def test_the_wasserstein_distance_of_a_shift_is_its_size():
    real = np.zeros((1, 1001, 1))
    real[0, 1:, 0] = RANDOM.normal(size=1000).cumsum()
    drift = np.arange(1001)[None, :, None] * 0.5
    deviation = np.diff(real[0, :, 0]).std()
    assert sequences.wasserstein(real, real, 1) == 0
    assert sequences.wasserstein(real, real + drift, 1) == pytest.approx(0.5 / deviation)
    assert sequences.wasserstein(real, real + drift, 20) == pytest.approx(
        10 / (real[0, 20:, 0] - real[0, :-20, 0]).std()
    )
    assert np.isnan(sequences.wasserstein(real, real[:, :50], 100))


def test_autocorrelation_of_an_autoregression():
    x = np.zeros((20, 5000, 1))
    for t in range(1, 5000):
        x[:, t] = 0.7 * x[:, t - 1] + RANDOM.normal(size=(20, 1))
    computed = sequences.autocorrelation(x, 5)[:, 0]
    assert computed == pytest.approx(0.7 ** np.arange(1, 6), abs=0.02)
    one = np.corrcoef(x[0, 1:, 0], x[0, :-1, 0])[0, 1]
    assert sequences.autocorrelation(x[:1], 1)[0, 0] == pytest.approx(one, abs=0.002)


def test_leverage_of_losses_followed_by_larger_moves():
    x = RANDOM.normal(size=(50, 4000, 1))
    for t in range(1, 4000):
        x[:, t] *= np.where(x[:, t - 1] < 0, 2.0, 1.0)
    computed = sequences.leverage(x, 3)[:, 0]
    assert computed[0] < -0.1
    assert abs(computed[1]) < 0.05
    direct = np.corrcoef(x[0, :-1, 0], x[0, 1:, 0] ** 2)[0, 1]
    assert sequences.leverage(x[:1], 1)[0, 0] == pytest.approx(direct, abs=0.005)


def test_kurtosis_is_scipys():
    x = RANDOM.standard_t(5, size=(3, 2000, 2))
    assert sequences.kurtosis(x) == pytest.approx(kurtosis(x.reshape(-1, 2), axis=0).mean())


def test_coverage_is_the_level_for_equal_distributions():
    real, generated = RANDOM.normal(size=(1, 20_000, 1)), RANDOM.normal(size=(10, 20_000, 1))
    assert sequences.var_coverage(real, generated, 0.05) == pytest.approx(0.05, abs=0.005)
    assert sequences.var_coverage(2 * real, generated, 0.05) > 0.15  # the risk is underestimated


def test_correlations_of_channels():
    a = RANDOM.normal(size=(2, 5000))
    x = np.stack([a, a + RANDOM.normal(size=a.shape), RANDOM.normal(size=a.shape)], -1)
    assert sequences.cross_correlations(x) == pytest.approx([2**-0.5, 0, 0], abs=0.03)
    assert sequences.cross_correlations(x[..., :1]).shape == (0,)


def test_nearest_finds_scaled_copies():
    others = RANDOM.normal(size=(300, 24, 1))
    windows = np.concatenate([7 * others[5:6] + 3, RANDOM.normal(size=(1, 24, 1))])
    computed = sequences.nearest(windows, others)
    assert computed[0] == pytest.approx(0, abs=1e-2)
    assert computed[1] > 1


def test_the_discriminative_score_is_small_for_equal_distributions_only():
    clustered = garch(600, 24, 0.5, 0.45)
    halves = clustered[:300], clustered[300:]
    same = garch(1200, 24, 0.5, 0.45)[600:]
    wide = RANDOM.normal(size=(600, 24, 1)) * 3
    assert sequences.discriminative_score(halves, (same[:300], same[300:])) < 0.12
    assert sequences.discriminative_score(halves, (wide[:300], wide[300:])) > 0.3


def test_rms_difference_of_curves():
    assert sequences.rms_difference(np.zeros((4, 1)), np.full((4, 1), 0.3)) == pytest.approx(0.3)

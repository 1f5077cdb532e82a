"""Attacks recognize what was copied, and nothing else; their intervals are right."""

import numpy as np
import pytest
import torch
from scipy.stats import gaussian_kde
from sklearn.metrics import roc_auc_score

from sparring.metrics import membership


def scores(n, shift, seed):
    return torch.randn(n, generator=torch.Generator().manual_seed(seed)) + shift


def test_auc_equals_that_of_scikit_learn():
    members, others = scores(50, 0.5, 0).round(decimals=1), scores(70, 0, 1).round(decimals=1)  # with ties
    truth = [1] * 50 + [0] * 70
    expected = roc_auc_score(truth, torch.cat([members, others]).numpy())
    assert membership.auc(members, others).value == pytest.approx(expected)


def test_intervals_hold_the_truth_as_often_as_they_say():
    """Scores of members and others are from one distribution: the AUC is 0.5."""
    inside = 0
    for seed in range(400):
        found = membership.auc(scores(40, 0, 2 * seed), scores(60, 0, 2 * seed + 1))
        inside += found.low <= 0.5 <= found.high
    assert 0.91 < inside / 400 < 0.98


def test_true_positives_at_one_percent():
    others = torch.arange(200.0)  # two may be above the threshold: 198 and 199
    members = torch.tensor([197.0, 197.5, 198.0, 500.0])
    found = membership.true_positive_rate(members, others)
    assert found.value == 3 / 4
    assert (found.low, found.high) == pytest.approx((0.1941, 0.9937), abs=1e-4)  # Clopper and Pearson 1934
    assert membership.true_positive_rate(others, others + 1000).value == 0
    assert membership.true_positive_rate(others, others + 1000).low == 0


@pytest.fixture(scope="module")
def sets():
    random = torch.Generator().manual_seed(0)
    return [torch.randn(n, 6, generator=random) for n in (300, 300, 300, 300)]


@pytest.mark.parametrize("attack", [membership.gan_leaks, membership.domias])
def test_copies_are_recognized_and_fair_samples_reveal_nothing(sets, attack):
    members, others, reference, fresh = sets
    copied = members + 0.01 * torch.randn(members.shape, generator=torch.Generator().manual_seed(1))
    assert membership.auc(attack(members, copied, reference), attack(others, copied, reference)).low > 0.7
    fair = membership.auc(attack(members, fresh, reference), attack(others, fresh, reference))
    assert fair.low < 0.5 < fair.high


def test_calibration_discounts_items_that_are_near_everything():
    samples = torch.tensor([[0.0], [10.1]])
    reference = torch.tensor([[0.0]])
    usual, copied = torch.tensor([[0.05]]), torch.tensor([[10.0]])
    assert membership.gan_leaks(usual, samples) > membership.gan_leaks(copied, samples)
    assert membership.gan_leaks(usual, samples, reference) < membership.gan_leaks(copied, samples, reference)


def test_densities_are_those_of_scipy():
    random = np.random.default_rng(0)
    centers, points = random.normal(size=(80, 1)), random.normal(size=(10, 1))
    ours = membership._log_density(torch.tensor(points), torch.tensor(centers)).numpy()
    expected = gaussian_kde(centers.T).logpdf(points.T)  # Scott's bandwidth, too
    assert ours - 0.5 * np.log(2 * np.pi) == pytest.approx(expected, rel=1e-6)

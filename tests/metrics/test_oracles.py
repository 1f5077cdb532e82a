"""The metrics agree with independent implementations, on the same features."""

import time
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from prdc import compute_prdc
from scipy.stats import mannwhitneyu
from sklearn.metrics.pairwise import polynomial_kernel
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.inception import InceptionScore
from torchmetrics.image.kid import KernelInceptionDistance

from sparring.metrics import classes, copies
from sparring.metrics.frechet import Summed, frechet, moments
from sparring.metrics.kernel import kernel_distance, kernel_distance_of_few
from sparring.metrics.neighbours import neighbours, radii

D = 12


class Identity(torch.nn.Module):
    """Returns its input: the given images are features."""

    num_features = D

    def forward(self, x):
        return x.flatten(1)


@pytest.fixture
def sets():
    random = torch.Generator().manual_seed(0)
    mix = torch.randn(D, D, generator=random) / 3
    return torch.randn(700, D, generator=random), torch.randn(600, D, generator=random) @ mix + 0.2


def computed(metric, real, fake):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        metric.update(real[:, None, None], real=True)
        metric.update(fake[:, None, None], real=False)
        return metric.compute()


def test_frechet_distance(sets):
    theirs = computed(FrechetInceptionDistance(feature=Identity(), normalize=True, input_img_size=(1, 1, D)), *sets)
    assert frechet(moments(sets[0]), moments(sets[1])) == pytest.approx(float(theirs), rel=1e-3)


def test_kernel_distance(sets):
    metric = KernelInceptionDistance(feature=Identity(), subsets=1, subset_size=600, normalize=True)
    theirs, _ = computed(metric, sets[0][:600], sets[1])
    assert kernel_distance(sets[0][:600], sets[1], 600).value == pytest.approx(float(theirs), rel=1e-3)


def test_inception_score(sets):
    metric = InceptionScore(feature=Identity(), splits=1)
    metric.update(sets[1])
    assert classes.inception_score(sets[1].softmax(1), 1).value == pytest.approx(float(metric.compute()[0]), rel=1e-3)


@pytest.mark.parametrize("k", [3, 5])
def test_neighbours(sets, k):
    theirs = compute_prdc(sets[0].numpy(), sets[1].numpy(), k)
    assert vars(neighbours(*sets, k)) == pytest.approx(theirs, abs=2e-3)
    assert neighbours(*sets, k, reach=radii(sets[0], k)) == neighbours(*sets, k)


def test_memorization_is_the_statistic_of_mann_and_whitney(sets):
    a, b = sets[0][:, 0].round(decimals=1), sets[1][:, 0].round(decimals=1)  # with ties
    theirs = mannwhitneyu(b.numpy(), a.numpy()).statistic / (len(a) * len(b))
    assert copies.memorization(a, b) == pytest.approx(theirs, abs=1e-6)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=6), st.floats(-1e4, 1e4))
def test_moments_in_parts_are_those_of_all(sizes, offset):
    """For any sizes of the parts, and for features far from 0."""
    random = torch.Generator().manual_seed(1)
    parts = [torch.randn(n, 3, generator=random).double() + offset for n in [2, *sizes]]
    summed, appended = Summed(), Summed()
    for part in parts:
        summed.add(part)
        alone = Summed()
        alone.add(part)
        appended.append(alone)
    whole = np.concatenate([part.numpy() for part in parts])
    for each in (summed, appended):
        assert each.moments().mean.numpy() == pytest.approx(whole.mean(0))
        assert each.moments().covariance.numpy() == pytest.approx(np.cov(whole.T), abs=1e-9)


def test_kernel_distance_is_unbiased_and_so_is_its_error():
    """For two sets of one distribution its mean is 0 within its error."""
    random = torch.Generator().manual_seed(2)
    distances = [kernel_distance(*torch.randn(2, 400, D, generator=random)) for _ in range(40)]
    values = torch.tensor([each.value for each in distances])
    assert abs(values.mean()) < 3 * values.std() / 40**0.5
    assert 0.6 < values.std() / np.mean([each.error for each in distances]) < 1.6


def test_kernel_distance_of_few(sets):
    """It equals a computation with scikit-learn's kernel; its mean is 0 for equal distributions."""
    a, b = sets[0][:200].double(), sets[1][:30].double()
    settings = {"degree": 3, "gamma": 1 / D, "coef0": 1}

    def by_hand(a, b):
        of_a, of_b, across = (polynomial_kernel(x, y, **settings) for x, y in ((a, a), (b, b), (a, b)))
        return sum((k.sum() - k.trace()) / (len(k) * (len(k) - 1)) for k in (of_a, of_b)) - 2 * across.mean()

    distance = kernel_distance_of_few(a, b)
    assert distance.value == pytest.approx(by_hand(a, b), rel=1e-6)
    without = np.array([by_hand(a, np.delete(b, i, 0)) for i in range(30)])
    assert distance.error == pytest.approx(np.sqrt(29 / 30 * ((without - without.mean()) ** 2).sum()), rel=1e-6)
    random = torch.Generator().manual_seed(4)
    drawn = [kernel_distance_of_few(*torch.randn(2, 50, D, generator=random)) for _ in range(60)]
    values = np.array([each.value for each in drawn])
    assert abs(values.mean()) < 3 * values.std() / 60**0.5


def test_the_root_of_two_thousand_features_takes_seconds():
    x = torch.randn(2100, 2048, generator=torch.Generator().manual_seed(3))
    both = moments(x), moments(x + 0.1)
    began = time.monotonic()
    assert frechet(*both) == pytest.approx(20.48, rel=1e-3)
    assert time.monotonic() - began < 30


def test_mode_coverage():
    assert classes.mode_coverage(torch.tensor([5, 5, 5, 5])) == classes.ModeCoverage(4, 4, 0.0)
    half = classes.mode_coverage(torch.tensor([7, 7, 0, 0]))
    assert (half.modes, half.kl) == (2, pytest.approx(np.log(2)))
    assert classes.mode_coverage(torch.tensor([0, 0])).kl == float("inf")
    assert classes.imbalance(torch.tensor([3, 1]), torch.tensor([100, 100])) == pytest.approx(0.25)


def test_a_perfect_sampler_of_a_thousand_modes():
    """The floor of the divergence on Stacked-MNIST: (modes - 1) / (2 n) nats."""
    counts = torch.bincount(torch.randint(1000, (26_000,), generator=torch.Generator().manual_seed(4)), minlength=1000)
    assert classes.mode_coverage(counts).kl == pytest.approx(999 / 52_000, rel=0.1)


def test_class_diversity():
    """Two items in one class, one in another, and none in the others."""
    features = torch.tensor([[0.0], [1.0], [3.0]])
    distances = classes.class_diversity(features, torch.tensor([1, 1, 3]))
    assert distances[1] == 1
    assert distances[[0, 2, 3]].isnan().all()

"""Distances, copies and features against independent arithmetic."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm

from sparring.metrics.copies import diversity, near_copy_share, nearest
from sparring.metrics.frechet import frechet, moments
from sparring.metrics.patches import patches
from sparring.modalities import find


@given(d=st.integers(1, 12), n=st.integers(13, 60), seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_frechet_against_scipy(d, n, seed):
    random = np.random.default_rng(seed)
    a, b = random.normal(size=(n, d)), random.normal(1, 2, size=(n, d)) @ random.normal(size=(d, d))
    ca, cb = np.atleast_2d(np.cov(a.T)), np.atleast_2d(np.cov(b.T))
    expected = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(ca + cb - 2 * sqrtm(ca @ cb).real)
    assert frechet(moments(torch.from_numpy(a)), moments(torch.from_numpy(b))) == pytest.approx(expected, rel=1e-5)


def test_frechet_distance_of_equal_sets_is_zero():
    """Also for covariances without full rank."""
    x = moments(torch.randn(5, 40, generator=torch.Generator().manual_seed(0)))
    assert frechet(x, x) == pytest.approx(0, abs=1e-4)


def test_copies_against_loops():
    torch.manual_seed(0)
    items, samples = torch.rand(30, 2, 3), torch.rand(7, 2, 3)
    samples[2] = items[11] + 0.01
    distances, indices = nearest(samples, items)
    for i, sample in enumerate(samples):
        by_hand = [float((sample - item).square().mean().sqrt()) for item in items]
        assert distances[i] == pytest.approx(min(by_hand), abs=1e-5)
        assert indices[i] == int(np.argmin(by_hand))
    assert near_copy_share(samples, items, threshold=0.05) == pytest.approx(1 / 7)
    assert diversity(items[:2].flatten(1), items[2:4].flatten(1)) == pytest.approx(
        sum(float((items[i] - items[i + 2]).square().sum().sqrt()) for i in range(2)) / 2
    )


@pytest.mark.parametrize(("channels", "side"), [(1, 4), (3, 8), (4, 33)])
def test_patches_are_deterministic_and_finite(channels, side):
    x = torch.rand(6, channels, side, side, generator=torch.Generator().manual_seed(0)) * 2 - 1
    features = patches(x)
    assert features.shape[0] == 6
    assert torch.isfinite(features).all()
    assert torch.equal(features, patches(x))
    torch.testing.assert_close(patches(x[:2]), features[:2])  # independent of the rest of the batch


def test_patches_show_defects():
    """Noise, blur, missing classes and a wrong contrast each have a larger distance from real digits than other real
    digits have.
    """
    digits = find("digits")
    x = torch.from_numpy(digits.items).float()[:, None] / 127.5 - 1
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    reference, rest, labels = moments(patches(x[order[:900]])), x[order[900:]], digits.labels[order[900:]]
    floor = frechet(moments(patches(rest)), reference)
    defects = {
        "noise": rest + 0.2 * torch.randn(rest.shape, generator=torch.Generator().manual_seed(1)),
        "blur": torch.nn.functional.avg_pool2d(rest, 3, 1, 1),
        "half the classes": rest[labels < 5],
        "contrast": rest * 0.8,
    }
    for x in defects.values():
        assert frechet(moments(patches(x)), reference) > 1.5 * floor

"""Baselines of restored images against PIL, SciPy, brute force, and the identity."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy import ndimage

from sparring.layers.degrade import parse
from sparring.modalities.translation.baselines import bicubic, diffused, identity, median, restorer, thresholded

CHAINS = [
    (["x2"], "bicubic"),
    (["blur1", "x4", "noise10", "jpeg50"], "bicubic"),
    (["boxes"], "diffusion"),
    (["x2", "strokes"], "diffusion and bicubic"),
    (["grey", "freeform"], "diffusion"),
    (["noise25"], "median"),
    (["grey", "jpeg30"], "median"),
    (["dose0.1"], "median"),
    (["grey"], "gray"),
    (["edges"], "identity"),
    (["noise5", "edges"], "identity"),
    (["edges", "x2"], "bicubic"),
    ([], "identity"),
]


def clean(n=4, channels=3, height=48, width=64):
    """Smooth images."""
    coarse = torch.rand(n, channels, 6, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    return torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic").clamp(-1, 1)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("words", "name"), CHAINS)
def test_every_chain_has_one_that_fits(words, name, channels):
    torch.manual_seed(0)
    chain, x = parse(words), clean(2, channels)
    found, restored = restorer(chain, channels)
    made = restored(chain(x))
    assert found == name
    assert made.shape == x.shape
    assert made.dtype == torch.float32
    assert made.abs().max() <= 1


@pytest.mark.parametrize("word", ["noise25", "dose0.05", "boxes", "strokes", "freeform"])
def test_they_are_better_than_nothing(word):
    torch.manual_seed(0)
    chain, x = parse([word]), clean()
    spoilt = chain(x)
    _, restored = restorer(chain, 3)
    assert (restored(spoilt) - x).square().mean() < (spoilt[:, :3] - x).square().mean() / 2


@pytest.mark.parametrize("times", [2, 3, 4, 8])
def test_bicubic_is_pils(times):
    x = torch.rand(2, 3, 7, 9, generator=torch.Generator().manual_seed(0)) * 2 - 1
    for picture, large in zip(x.flatten(0, 1), bicubic(x, times).flatten(0, 1), strict=True):
        size = (9 * times, 7 * times)
        theirs = np.asarray(Image.fromarray(picture.numpy()).resize(size, Image.Resampling.BICUBIC))
        assert np.abs(large.numpy() - theirs.clip(-1, 1)).max() < 1e-5


def test_median_is_of_the_pixels_around_each():
    x = clean(2)
    spoilt = x.clone()
    spoilt[:, :, 10, 10] = 1.0
    assert median(spoilt)[0, 1, 20, 30] == x[0, 1, 19:22, 29:32].median()
    assert (median(spoilt) - x)[:, :, 10, 10].abs().max() < 0.1


masks = st.lists(st.booleans(), min_size=30, max_size=30)


@settings(max_examples=40, deadline=None)
@given(hidden=masks, seed=st.integers(0, 99))
def test_diffusion_solves_laplaces_equation(hidden, seed):
    """Every filled pixel is the mean of its neighbors in the image, and within the range of the known ones."""
    hole = torch.tensor(hidden).view(1, 1, 5, 6)
    known = torch.rand(1, 2, 5, 6, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    made = diffused(torch.cat([known.masked_fill(hole, 0), hole.float() * 2 - 1], 1))
    assert torch.equal(made.masked_select(~hole), known.masked_select(~hole))
    if hole.all():
        assert (made == 0).all()
        return
    cross = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]])
    neighbours = ndimage.convolve(np.ones((5, 6)), cross, mode="constant")
    for channel, before in zip(made[0].numpy(), known[0], strict=True):
        means = ndimage.convolve(channel.astype(np.float64), cross, mode="constant") / neighbours
        assert np.abs(means - channel)[hole[0, 0]].max(initial=0) < 1e-5
        seen = before[~hole[0, 0]]
        assert channel.min() >= seen.min() - 1e-5
        assert channel.max() <= seen.max() + 1e-5


def test_diffusion_fills_a_slope_without_a_trace():
    slope = torch.linspace(-1, 1, 64).expand(1, 3, 64, 64)
    hole = torch.zeros(1, 1, 64, 64)
    hole[..., 20:40, 20:44] = 1
    made = diffused(torch.cat([slope * (1 - hole), hole * 2 - 1], 1))
    assert torch.allclose(made, slope, atol=1e-5)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 999), channels=st.sampled_from([1, 3]))
def test_threshold_is_otsus(seed, channels):
    random = np.random.default_rng(seed)
    values = np.where(random.random((7, 8)) < random.random(), random.integers(0, 120, (7, 8)), 200)
    x = torch.from_numpy(values / 127.5 - 1).float().expand(1, channels, 7, 8)
    made = thresholded(x)[0, 0].numpy()
    assert thresholded(x).shape == (1, 1, 7, 8)

    def between(above):
        if above.all() or not above.any():
            return 0.0
        return above.mean() * (1 - above.mean()) * (values[above].mean() - values[~above].mean()) ** 2

    best = max(between(values > threshold) for threshold in range(256))
    assert between(made > 0) == pytest.approx(best, rel=1e-3)
    assert set(np.unique(made)) <= {-1.0, 1.0}
    assert made.size == 1 or (made > 0).any() == (len(np.unique(values)) > 1)


def test_each_image_has_its_own_threshold():
    x = torch.tensor([[-1.0, -0.8], [0.2, 0.4], [0.3, 0.3]]).view(3, 1, 1, 2)
    assert thresholded(x).flatten(1).tolist() == [[-1, 1], [-1, 1], [-1, -1]]


def test_identity_changes_nothing():
    x = clean()
    assert torch.equal(identity(x), x)

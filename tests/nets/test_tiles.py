"""A picture in tiles is the picture at once."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from sparring.nets import tiles
from sparring.nets.tiles import Mapper, as_input, bands, mapped


@pytest.fixture(autouse=True)
def _small_tiles(monkeypatch):
    monkeypatch.setattr(tiles, "INNER", 72)
    monkeypatch.setattr(tiles, "WHOLE", 64)


def noise(height, width, channels=3):
    return np.random.default_rng(height * 1000 + width).integers(0, 256, (height, width, channels), dtype=np.uint8)


def seeded(net):
    torch.manual_seed(0)
    for parameter in net.parameters():
        nn.init.normal_(parameter, std=0.3)
    return net.eval()


def deep():
    """Convolutions that reach 4 pixels: 1 + 1 + 2."""
    return seeded(nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.Tanh(), nn.Conv2d(8, 8, 3, padding=1, padding_mode="reflect"), nn.Tanh(),
        nn.Conv2d(8, 3, 5, padding=2), nn.Tanh(),
    ))  # fmt: skip


def strided():
    """Down twice, and up again: reaches 1 + 2 + 4 + ... pixels, and takes multiples of 4."""
    return seeded(nn.Sequential(
        nn.Conv2d(3, 8, 4, 2, 1), nn.ReLU(), nn.Conv2d(8, 8, 4, 2, 1), nn.ReLU(), nn.Conv2d(8, 8, 3, 1, 1), nn.ReLU(),
        nn.ConvTranspose2d(8, 8, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(8, 3, 4, 2, 1), nn.Tanh(),
    ))  # fmt: skip


def larger():
    """Twice the pixels, with a neighbourhood of 1 before and 2 after."""
    return seeded(nn.Sequential(
        nn.Conv2d(3, 12, 3, padding=1), nn.PixelShuffle(2), nn.Tanh(), nn.Conv2d(3, 1, 5, padding=2), nn.Tanh(),
    ))  # fmt: skip


def normed():
    return seeded(nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.InstanceNorm2d(8), nn.Conv2d(8, 3, 1), nn.Tanh()))


def at_once(net, picture):
    with torch.no_grad():
        return net(as_input(picture))[0]


MAPPERS = {
    "deep": lambda: Mapper(deep(), 3, 3, reach=4),
    "strided": lambda: Mapper(strided(), 3, 3, stride=4, reach=20),
    "larger": lambda: Mapper(larger(), 3, 1, times=2, reach=2),
}


@pytest.mark.parametrize("kind", MAPPERS)
@pytest.mark.parametrize("size", [(100, 68), (32, 200), (16, 16), (64, 64), (36, 132)])
def test_tiles_are_the_whole(kind, size):
    mapper, picture = MAPPERS[kind](), noise(*size)
    made = torch.cat(list(mapped(mapper, picture)), 1)
    whole = at_once(mapper.net, picture)
    assert made.shape == whole.shape
    assert (made - whole).abs().max() < 1e-5


@pytest.mark.parametrize("kind", MAPPERS)
def test_too_short_a_reach_shows(kind):
    """The test above would see a halo that is too small, so its nets do look as far as they say."""
    mapper, picture = MAPPERS[kind](), noise(96, 96)
    near = Mapper(mapper.net, 3, mapper.made, mapper.times, mapper.stride, reach=0)
    made = torch.cat(list(mapped(near, picture)), 1)
    assert (made - at_once(mapper.net, picture)).abs().max() > 1e-3


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(1, 120), width=st.integers(1, 120), times=st.sampled_from([1, 2, 3]),
    stride=st.sampled_from([1, 3, 8, 64]), reach=st.sampled_from([0, 1, 10, 50, None]),
    channels=st.sampled_from([1, 3, 4]),
)  # fmt: skip
def test_any_size_any_stride(height, width, times, stride, reach, channels):
    """Every pixel comes out once, at its place, whatever the sides, the stride and the halo."""
    seen = []

    def enlarge(x):
        seen.append(x.shape[-2:])
        return F.interpolate(x, scale_factor=times, mode="nearest")

    picture = noise(height, width, channels)
    mapper = Mapper(enlarge, channels, channels, times, stride, reach)
    made = np.concatenate(list(bands(mapper, picture)))
    assert made.dtype == np.uint8
    assert np.array_equal(made, picture.repeat(times, 0).repeat(times, 1))
    assert all(side % stride == 0 for shape in seen for side in shape)


@pytest.mark.parametrize("size", [(1, 1), (2, 40), (17, 3)])
def test_tiny_pictures_have_something_to_reflect(size):
    net = seeded(nn.Sequential(nn.ReflectionPad2d(3), nn.Conv2d(3, 3, 7), nn.AvgPool2d(4), nn.ReflectionPad2d(1)))
    mapper = Mapper(lambda x: F.interpolate(net(x)[..., 1:-1, 1:-1], scale_factor=4), 3, 3, stride=4, reach=8)
    assert torch.cat(list(mapped(mapper, noise(*size))), 1).shape == (3, *size)


def test_bytes_return():
    """Of a net that leaves everything as it is, each of the 256 levels comes back, and none wraps around."""
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    assert np.array_equal(np.concatenate(list(bands(Mapper(lambda x: x, 1, 1), levels))), levels)
    beyond = np.concatenate(list(bands(Mapper(lambda x: 3 * x, 1, 1), levels)))
    assert beyond.min() == 0
    assert beyond.max() == 255
    assert np.all(np.diff(beyond.ravel().astype(int)) >= 0)


def test_a_net_of_the_whole_gets_it_whole():
    mapper, picture = Mapper(normed(), 3, 3, reach=None), noise(40, 50)
    made = torch.cat(list(mapped(mapper, picture)), 1)
    assert (made - at_once(mapper.net, picture)).abs().max() < 1e-6


def test_larger_ones_are_blended():
    """No seams: tiles whose nets disagree by a constant give a slope, not a step."""
    shifts = iter(np.linspace(-0.5, 0.5, 100))
    mapper = Mapper(lambda x: torch.full_like(x, float(next(shifts))), 1, 1, reach=None)
    made = torch.cat(list(mapped(mapper, noise(40, 300, 1))), 1)[0]
    steps = made.diff(dim=1).abs()
    apart = 1 / 99
    assert steps.max() < 1.01 * apart / (tiles.WHOLE // tiles.OVERLAP)
    assert made[0, -1] > made[0, 0]


def test_progress_and_gradients():
    told = []
    mapper = Mapper(deep(), 3, 3, reach=4)
    made = list(mapped(mapper, noise(200, 90), lambda done, of: told.append((done, of))))
    assert told == [(i + 1, 6) for i in range(6)]
    assert not any(band.requires_grad for band in made)
    assert len(made) > 1  # in bands, not whole

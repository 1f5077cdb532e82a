"""The output for an image in tiles is equal to that for the whole image."""

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
    monkeypatch.setattr(tiles, "TILE_SIDE", 72)
    monkeypatch.setattr(tiles, "MAX_WHOLE_SIDE", 64)


def noise(height, width, channels=3):
    return np.random.default_rng(height * 1000 + width).integers(0, 256, (height, width, channels), dtype=np.uint8)


def seeded(net):
    torch.manual_seed(0)
    for parameter in net.parameters():
        nn.init.normal_(parameter, std=0.3)
    return net.eval()


def deep():
    """Convolutions with a reach of 4 pixels: 1 + 1 + 2."""
    return seeded(nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.Tanh(), nn.Conv2d(8, 8, 3, padding=1, padding_mode="reflect"), nn.Tanh(),
        nn.Conv2d(8, 3, 5, padding=2), nn.Tanh(),
    ))  # fmt: skip


def strided():
    """Two halvings and two doublings: a reach of 1 + 2 + 4 + ... pixels; sides must be multiples of 4."""
    return seeded(nn.Sequential(
        nn.Conv2d(3, 8, 4, 2, 1), nn.ReLU(), nn.Conv2d(8, 8, 4, 2, 1), nn.ReLU(), nn.Conv2d(8, 8, 3, 1, 1), nn.ReLU(),
        nn.ConvTranspose2d(8, 8, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(8, 3, 4, 2, 1), nn.Tanh(),
    ))  # fmt: skip


def larger():
    """Doubles the size, with a reach of 1 pixel before and 2 after."""
    return seeded(nn.Sequential(
        nn.Conv2d(3, 12, 3, padding=1), nn.PixelShuffle(2), nn.Tanh(), nn.Conv2d(3, 1, 5, padding=2), nn.Tanh(),
    ))  # fmt: skip


def normalized():
    return seeded(nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.InstanceNorm2d(8), nn.Conv2d(8, 3, 1), nn.Tanh()))


def whole(net, image):
    with torch.no_grad():
        return net(as_input(image))[0]


MAPPERS = {
    "deep": lambda: Mapper(deep(), 3, 3, reach=4),
    "strided": lambda: Mapper(strided(), 3, 3, stride=4, reach=20),
    "larger": lambda: Mapper(larger(), 3, 1, times=2, reach=2),
}


@pytest.mark.parametrize("kind", MAPPERS)
@pytest.mark.parametrize("size", [(100, 68), (32, 200), (16, 16), (64, 64), (36, 132)])
def test_tiles_equal_the_whole(kind, size):
    mapper, image = MAPPERS[kind](), noise(*size)
    output = torch.cat(list(mapped(mapper, image)), 1)
    expected = whole(mapper.net, image)
    assert output.shape == expected.shape
    assert (output - expected).abs().max() < 1e-5


@pytest.mark.parametrize("kind", MAPPERS)
def test_too_short_a_reach_is_detected(kind):
    """The test above would fail with a halo that is too small."""
    mapper, image = MAPPERS[kind](), noise(96, 96)
    near = Mapper(mapper.net, 3, mapper.out_channels, mapper.times, mapper.stride, reach=0)
    output = torch.cat(list(mapped(near, image)), 1)
    assert (output - whole(mapper.net, image)).abs().max() > 1e-3


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(1, 120), width=st.integers(1, 120), times=st.sampled_from([1, 2, 3]),
    stride=st.sampled_from([1, 3, 8, 64]), reach=st.sampled_from([0, 1, 10, 50, None]),
    channels=st.sampled_from([1, 3, 4]),
)  # fmt: skip
def test_any_size_any_stride(height, width, times, stride, reach, channels):
    """Every pixel is returned once, at its position, for all sides, strides and halos."""
    shapes = []

    def enlarge(x):
        shapes.append(x.shape[-2:])
        return F.interpolate(x, scale_factor=times, mode="nearest")

    image = noise(height, width, channels)
    mapper = Mapper(enlarge, channels, channels, times, stride, reach)
    output = np.concatenate(list(bands(mapper, image)))
    assert output.dtype == np.uint8
    assert np.array_equal(output, image.repeat(times, 0).repeat(times, 1))
    assert all(side % stride == 0 for shape in shapes for side in shape)


@pytest.mark.parametrize("size", [(1, 1), (2, 40), (17, 3)])
def test_tiny_images_are_padded(size):
    net = seeded(nn.Sequential(nn.ReflectionPad2d(3), nn.Conv2d(3, 3, 7), nn.AvgPool2d(4), nn.ReflectionPad2d(1)))
    mapper = Mapper(lambda x: F.interpolate(net(x)[..., 1:-1, 1:-1], scale_factor=4), 3, 3, stride=4, reach=8)
    assert torch.cat(list(mapped(mapper, noise(*size))), 1).shape == (3, *size)


def test_bytes_return():
    """An identity net returns each of the 256 levels, and larger values are clamped, not wrapped around."""
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    assert np.array_equal(np.concatenate(list(bands(Mapper(lambda x: x, 1, 1), levels))), levels)
    beyond = np.concatenate(list(bands(Mapper(lambda x: 3 * x, 1, 1), levels)))
    assert beyond.min() == 0
    assert beyond.max() == 255
    assert np.all(np.diff(beyond.ravel().astype(int)) >= 0)


def test_a_net_without_reach_gets_the_whole_image():
    mapper, image = Mapper(normalized(), 3, 3, reach=None), noise(40, 50)
    output = torch.cat(list(mapped(mapper, image)), 1)
    assert (output - whole(mapper.net, image)).abs().max() < 1e-6


def test_larger_images_are_blended():
    """No seams: if the outputs of tiles differ by a constant, the result changes linearly."""
    shifts = iter(np.linspace(-0.5, 0.5, 100))
    mapper = Mapper(lambda x: torch.full_like(x, float(next(shifts))), 1, 1, reach=None)
    output = torch.cat(list(mapped(mapper, noise(40, 300, 1))), 1)[0]
    steps = output.diff(dim=1).abs()
    difference = 1 / 99  # of neighboring tiles
    assert steps.max() < 1.01 * difference / (tiles.MAX_WHOLE_SIDE // tiles.OVERLAP_DIVISOR)
    assert output[0, -1] > output[0, 0]


def test_progress_and_gradients():
    calls = []
    mapper = Mapper(deep(), 3, 3, reach=4)
    output = list(mapped(mapper, noise(200, 90), lambda done, of: calls.append((done, of))))
    assert calls == [(i + 1, 6) for i in range(6)]
    assert not any(band.requires_grad for band in output)
    assert len(output) > 1  # bands

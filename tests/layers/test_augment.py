"""Augmentation against the changes that one would make by hand."""

import math

import numpy as np
import pytest
import torch

from sparring.layers import augment


@pytest.fixture
def x():
    torch.manual_seed(0)
    return torch.rand(16, 3, 8, 8) * 2 - 1


def one(matrix, x):
    return matrix.repeat(len(x), 1, 1)


def test_nothing_changes_without_probability(x):
    assert torch.allclose(augment.ada(x, torch.tensor(0.0)), x, atol=1e-5)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("change", [lambda x: augment.ada(x, torch.tensor(0.7)), augment.places, augment.diffaugment])
def test_every_sample_gets_its_own_and_gradients_pass(change, channels):
    x = torch.linspace(-1, 1, 64).view(1, 1, 8, 8).repeat(32, channels, 1, 1).requires_grad_()
    made = change(x)
    assert made.shape == x.shape
    assert torch.isfinite(made).all()
    assert len({tuple(sample.flatten().tolist()) for sample in made.detach()}) > 20
    (gradient,) = torch.autograd.grad(made.square().sum(), x)
    assert gradient.flatten(1).norm(dim=1).gt(0).all()


@pytest.mark.parametrize("change", [lambda x: augment.ada(x, torch.tensor(0.5)), augment.places, augment.diffaugment])
def test_generated_pictures_are_changed_as_exactly_as_real_ones(x, change):
    """Under autocast, where G's pictures come in bf16 and real ones in fp32."""
    made = []
    with torch.autocast("cpu", torch.bfloat16):
        for picture in (x.bfloat16(), x.bfloat16().float()):
            torch.manual_seed(0)
            made.append(change(picture))
    assert made[0].dtype == torch.float32
    assert torch.equal(*made)
    torch.manual_seed(0)
    assert torch.allclose(change(x.bfloat16().float()), made[0])  # and as without autocast


def test_moves_against_whole_pixels(x):
    """Mirroring, quarter turns and shifts by hand."""
    eye = torch.eye(3)[None]
    flipped = eye * torch.tensor([-1.0, 1, 1])
    assert torch.allclose(augment.moved(x, one(flipped, x)), x.flip(-1), atol=1e-5)
    turned = augment.moved(x, one(augment._turned(torch.tensor([math.pi / 2])), x))
    assert torch.allclose(turned, x.rot90(1, (2, 3)), atol=1e-4) or torch.allclose(
        turned, x.rot90(-1, (2, 3)), atol=1e-4
    )
    shifted = augment.moved(x, one(augment._moved(torch.tensor([[2 / 8, 0.0]])), x), "zeros")
    assert torch.allclose(shifted[..., :-1], x[..., 1:], atol=1e-5)
    assert shifted[..., -1].abs().max() < 1e-5
    half = augment.moved(x, one(augment._resized(torch.tensor([0.5]), torch.tensor([0.5])), x))
    assert half[..., 2:6, 2:6].mean() == pytest.approx(x.mean().item(), abs=0.05)  # all of it in the middle


def test_places_leave_colours_alone():
    """What is seen of a picture is a part of it as it was, shifted by whole pixels, and some of it is always seen."""
    colours = torch.arange(64.0).view(1, 1, 8, 8) / 64 + 0.1
    x = torch.cat([colours, -colours, colours.flip(-1)], 1)
    made = augment.places(x.repeat(50, 1, 1, 1))
    kept = made.abs().sum(1) > 1e-4
    assert kept.flatten(1).any(1).all()
    assert not kept.flatten(1).all(1).any()
    known = {tuple(pixel) for pixel in x[0].flatten(1).T.mul(1000).round().int().tolist()}
    assert {tuple(pixel) for pixel in made.permute(0, 2, 3, 1)[kept].mul(1000).round().int().tolist()} <= known
    assert len({kept[i].flatten().int().numpy().tobytes() for i in range(50)}) > 20


def test_colours_against_arithmetic(x):
    grey = x.mean(1, keepdim=True)
    some = torch.tensor([0.3])
    assert torch.allclose(augment.coloured(x, one(augment._shifted(some), x)), x + 0.3, atol=1e-6)
    assert torch.allclose(augment.coloured(x, one(augment._scaled(some), x)), x * 0.3, atol=1e-6)
    assert torch.allclose(augment.coloured(x, one(augment._saturated(some), x)), grey + 0.3 * (x - grey), atol=1e-6)
    inverted = augment.coloured(x, one(augment._mirrored(torch.tensor([2.0])), x))
    assert torch.allclose(inverted, x - 2 * grey, atol=1e-6)  # the colour stays, the brightness turns about
    hued = augment.coloured(x, one(augment._hued(torch.tensor([2 * math.pi / 3])), x))
    assert torch.allclose(hued, x[:, [2, 0, 1]], atol=1e-5)  # a third of the way round: the next colour


def test_grey_and_alpha():
    """Grey gets what grey colours would get; alpha only moves."""
    torch.manual_seed(1)
    grey = torch.rand(4, 1, 8, 8)
    change = augment._scaled(torch.full((4,), 0.5)) @ augment._shifted(torch.full((4,), 0.2))
    expected = augment.coloured(grey.expand(-1, 3, -1, -1), change)[:, :1]
    assert torch.allclose(augment.coloured(grey, change), expected, atol=1e-6)
    four = torch.rand(4, 4, 8, 8)
    assert torch.equal(augment.coloured(four, change)[:, 3], four[:, 3])


def test_changes_are_as_probable_as_asked():
    torch.manual_seed(0)
    x = torch.linspace(-1, 1, 64).view(1, 1, 8, 8).expand(4000, 1, 8, 8)
    for p in (0.1, 0.5):
        values = augment._some(torch.ones(4000), torch.tensor(p), 0.0)
        assert values.mean().item() == pytest.approx(p, abs=0.03)
    same = (augment.ada(x, torch.tensor(0.1)) - x).abs().flatten(1).amax(1) < 1e-4
    # Eleven draws of p, of which mirrors and quarter turns change nothing in some cases.
    assert 0.9**11 < same.float().mean() < 0.9**7


def test_cutout_covers_a_quarter():
    torch.manual_seed(0)
    covered = 1 - augment._holes(torch.zeros(2000, 1, 16, 16)).mean().item()
    assert 0.12 < covered < 0.25  # holes may reach over the edge
    assert np.isclose(augment._holes(torch.zeros(50, 1, 16, 16)).unique().numpy(), [0, 1]).all()


def test_tilted():
    """Another change for each picture, within the range, differentiable; a disc stays about where and what it is."""
    torch.manual_seed(0)
    axis = torch.linspace(-1, 1, 33)
    disc = ((axis[:, None] ** 2 + axis[None] ** 2) < 0.3).float() * 2 - 1
    x = disc.expand(200, 1, 33, 33).clone().requires_grad_()
    y = augment.tilted(x)
    assert y.shape == x.shape
    assert y.abs().max() <= 1
    assert y.flatten(1).std(0).max() > 0.3
    bright = (y > y.flatten(1).median(1).values[:, None, None, None]).float()
    middle = (bright * axis).sum((1, 2, 3)) / bright.sum((1, 2, 3)).clamp(min=1)
    assert middle.abs().max() < 0.4  # shifted by up to a quarter of half the side, and stretched
    assert middle.std() > 0.05
    y.sum().backward()
    assert x.grad.isfinite().all()


def test_coarse():
    """Squares of four pixels have one colour each; what is large is seen through the noise, what is small is not."""
    torch.manual_seed(0)
    x = torch.full((400, 1, 28, 28), -1.0)
    x[:, :, 8:20, 8:20] = 1.0
    y = augment.coarse(x.requires_grad_())
    assert y.shape == x.shape
    assert torch.equal(y[..., ::4, ::4], y[..., 3::4, 3::4])
    assert y[:, :, 12:16, 12:16].mean() - y[:, :, :4, :4].mean() > 1.5
    speckles = 2.0 * (torch.arange(28) % 2) - 1
    flat = augment.coarse(speckles.expand(400, 1, 28, 28))
    assert flat.mean().abs() < 0.1
    assert flat.std() == pytest.approx(0.3, abs=0.1)
    y.sum().backward()
    assert x.grad.isfinite().all()
    assert augment.coarse(torch.zeros(2, 3, 8, 8)).shape == (2, 3, 8, 8)

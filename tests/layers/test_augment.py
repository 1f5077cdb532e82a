"""Augmentation against manual transformations."""

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
    """Not even by rounding; and almost nothing with nearly none, where all transformations are computed."""
    assert torch.equal(augment.ada(x, torch.tensor(0.0)), x)
    assert torch.allclose(augment.ada(x, torch.tensor(1e-9)), x, atol=1e-5)


@pytest.mark.parametrize("shape", [(3, 1, 8, 8), (3, 1, 5, 9)])
def test_positions_are_those_of_affine_grid(shape):
    affine = torch.randn(3, 3, 3)
    expected = torch.nn.functional.affine_grid(affine[:, :2], list(shape), align_corners=False)
    torch.testing.assert_close(augment._grid(torch.zeros(shape), affine), expected)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize(
    "change", [lambda x: augment.ada(x, torch.tensor(0.7)), augment.translate_and_cutout, augment.diffaugment]
)
def test_every_sample_is_transformed_differently_and_gradients_pass(change, channels):
    x = torch.linspace(-1, 1, 64).view(1, 1, 8, 8).repeat(32, channels, 1, 1).requires_grad_()
    output = change(x)
    assert output.shape == x.shape
    assert torch.isfinite(output).all()
    assert len({tuple(sample.flatten().tolist()) for sample in output.detach()}) > 20
    (gradient,) = torch.autograd.grad(output.square().sum(), x)
    assert gradient.flatten(1).norm(dim=1).gt(0).all()


@pytest.mark.parametrize(
    "change", [lambda x: augment.ada(x, torch.tensor(0.5)), augment.translate_and_cutout, augment.diffaugment]
)
def test_generated_images_are_transformed_as_precisely_as_real_ones(x, change):
    """Under autocast, where G's images are bf16 and real ones fp32."""
    outputs = []
    with torch.autocast("cpu", torch.bfloat16):
        for images in (x.bfloat16(), x.bfloat16().float()):
            torch.manual_seed(0)
            outputs.append(change(images))
    assert outputs[0].dtype == torch.float32
    assert torch.equal(*outputs)
    torch.manual_seed(0)
    assert torch.allclose(change(x.bfloat16().float()), outputs[0])  # the same without autocast


def test_geometric_transformations(x):
    """Mirroring, rotations by 90 degrees and translations, against manual ones."""
    eye = torch.eye(3)[None]
    flipped = eye * torch.tensor([-1.0, 1, 1])
    assert torch.allclose(augment.apply_affine(x, one(flipped, x)), x.flip(-1), atol=1e-5)
    turned = augment.apply_affine(x, one(augment._rotation(torch.tensor([math.pi / 2])), x))
    assert torch.allclose(turned, x.rot90(1, (2, 3)), atol=1e-4) or torch.allclose(
        turned, x.rot90(-1, (2, 3)), atol=1e-4
    )
    shifted = augment.apply_affine(x, one(augment._translation(torch.tensor([[2 / 8, 0.0]])), x), "zeros")
    assert torch.allclose(shifted[..., :-1], x[..., 1:], atol=1e-5)
    assert shifted[..., -1].abs().max() < 1e-5
    half = augment.apply_affine(x, one(augment._scaling(torch.tensor([0.5]), torch.tensor([0.5])), x))
    assert half[..., 2:6, 2:6].mean() == pytest.approx(x.mean().item(), abs=0.05)  # all of it in the center


def test_translation_and_cutout_keep_colors():
    """Visible pixels are those of the image, translated by whole pixels, and some are always visible."""
    values = torch.arange(64.0).view(1, 1, 8, 8) / 64 + 0.1
    x = torch.cat([values, -values, values.flip(-1)], 1)
    output = augment.translate_and_cutout(x.repeat(50, 1, 1, 1))
    kept = output.abs().sum(1) > 1e-4
    assert kept.flatten(1).any(1).all()
    assert not kept.flatten(1).all(1).any()
    known = {tuple(pixel) for pixel in x[0].flatten(1).T.mul(1000).round().int().tolist()}
    assert {tuple(pixel) for pixel in output.permute(0, 2, 3, 1)[kept].mul(1000).round().int().tolist()} <= known
    assert len({kept[i].flatten().int().numpy().tobytes() for i in range(50)}) > 20


def test_color_transformations(x):
    gray = x.mean(1, keepdim=True)
    some = torch.tensor([0.3])
    assert torch.allclose(augment.apply_colors(x, one(augment._brightness(some), x)), x + 0.3, atol=1e-6)
    assert torch.allclose(augment.apply_colors(x, one(augment._contrast(some), x)), x * 0.3, atol=1e-6)
    assert torch.allclose(
        augment.apply_colors(x, one(augment._saturation(some), x)), gray + 0.3 * (x - gray), atol=1e-6
    )
    inverted = augment.apply_colors(x, one(augment._luma_reflection(torch.tensor([2.0])), x))
    assert torch.allclose(inverted, x - 2 * gray, atol=1e-6)  # brightness is inverted, color is kept
    hued = augment.apply_colors(x, one(augment._hue_rotation(torch.tensor([2 * math.pi / 3])), x))
    assert torch.allclose(hued, x[:, [2, 0, 1]], atol=1e-5)  # a third of a full rotation: the next color


def test_grayscale_and_alpha():
    """Grayscale images are changed as gray RGB images; alpha keeps its values."""
    torch.manual_seed(1)
    gray = torch.rand(4, 1, 8, 8)
    change = augment._contrast(torch.full((4,), 0.5)) @ augment._brightness(torch.full((4,), 0.2))
    expected = augment.apply_colors(gray.expand(-1, 3, -1, -1), change)[:, :1]
    assert torch.allclose(augment.apply_colors(gray, change), expected, atol=1e-6)
    four = torch.rand(4, 4, 8, 8)
    assert torch.equal(augment.apply_colors(four, change)[:, 3], four[:, 3])


def test_probability_of_transformations():
    torch.manual_seed(0)
    x = torch.linspace(-1, 1, 64).view(1, 1, 8, 8).expand(4000, 1, 8, 8)
    for p in (0.1, 0.5):
        values = augment._with_probability(torch.tensor(p), torch.ones(4000), 0.0)
        assert values.mean().item() == pytest.approx(p, abs=0.03)
    same = (augment.ada(x, torch.tensor(0.1)) - x).abs().flatten(1).amax(1) < 1e-4
    # Eleven draws of p; mirroring and rotation by 90 degrees have no effect in some cases.
    assert 0.9**11 < same.float().mean() < 0.9**7


def test_cutout_covers_a_quarter():
    torch.manual_seed(0)
    covered = 1 - augment._cutout(torch.zeros(2000, 1, 16, 16)).mean().item()
    assert 0.12 < covered < 0.25  # holes may extend beyond the edge
    assert np.isclose(augment._cutout(torch.zeros(50, 1, 16, 16)).unique().numpy(), [0, 1]).all()


def test_distorted():
    """Images are distorted differently, within the range, differentiably; a disc roughly keeps position and shape."""
    torch.manual_seed(0)
    axis = torch.linspace(-1, 1, 33)
    disc = ((axis[:, None] ** 2 + axis[None] ** 2) < 0.3).float() * 2 - 1
    x = disc.expand(200, 1, 33, 33).clone().requires_grad_()
    y = augment.distorted(x)
    assert y.shape == x.shape
    assert y.abs().max() <= 1
    assert y.flatten(1).std(0).max() > 0.3
    bright = (y > y.flatten(1).median(1).values[:, None, None, None]).float()
    center = (bright * axis).sum((1, 2, 3)) / bright.sum((1, 2, 3)).clamp(min=1)
    assert center.abs().max() < 0.4  # translated by up to a quarter of half the side, and stretched
    assert center.std() > 0.05
    y.sum().backward()
    assert x.grad.isfinite().all()


def test_coarse():
    """Squares of 4 x 4 pixels have one color each; large structures stay visible in the noise, small ones do not."""
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

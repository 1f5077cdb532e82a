"""The perceptual distance: what it calls near, its gradient, and images of any size and channels."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_sample_image
from torch.nn import functional as F

from sparring.nets import efficientnet_lite, perceptual

pytestmark = pytest.mark.skipif(not efficientnet_lite.installed(), reason="the extra 'pretrained' is not installed")


@pytest.fixture(scope="module")
def photographs():
    """Six parts of two photographs of scikit-learn, (6, 3, 65, 65) in [-1, 1]."""
    parts = []
    for name in ("china.jpg", "flower.jpg"):
        pixels = torch.from_numpy(np.array(load_sample_image(name))).permute(2, 0, 1) / 127.5 - 1  # (3, 427, 640)
        parts += [pixels[:, 150 : 150 + 65, column : column + 65] for column in (100, 250, 400)]
    return torch.stack(parts)


def blurred(x):
    small = F.interpolate(x, scale_factor=0.25, mode="bicubic", antialias=True)
    return F.interpolate(small, scale_factor=4.0, mode="bicubic")


def as_far(direction, x, other):
    """Images that differ from `x` in a direction, with the mean squared error, and so the PSNR, of `other`."""
    size = (other - x).square().mean((1, 2, 3), keepdim=True).sqrt()
    return x + direction * size / direction.square().mean((1, 2, 3), keepdim=True).sqrt()


@torch.no_grad()
def test_blur_is_farther_than_changes_of_equal_psnr(photographs):
    """PSNR calls these equal; a person sees the blur."""
    x = photographs[..., :64, :64]
    blur = blurred(x)
    from_blur = perceptual.distance(blur, x)
    changes = {
        "brighter": torch.ones_like(x),
        "more contrast": x - x.mean((2, 3), keepdim=True),
        "moved by less than a pixel": photographs[..., :64, 1:] - x,
    }
    for name, direction in changes.items():
        changed = as_far(direction, x, blur)
        torch.testing.assert_close((changed - x).square().mean((1, 2, 3)), (blur - x).square().mean((1, 2, 3)))
        assert (perceptual.distance(changed, x) < 0.7 * from_blur).all(), name


@torch.no_grad()
def test_equal_images_half_as_blurred_ones_and_others_are_in_order(photographs):
    x = photographs[..., :64, :64]
    far = [perceptual.distance(x + share * (blurred(x) - x), x) for share in (0.0, 0.5, 1.0)]
    assert (far[0] == 0).all()
    assert (far[1] < far[2]).all()
    assert (far[2] < perceptual.distance(x.roll(1, 0), x)).all()


def test_gradient_equals_differences():
    """Along a random direction; the frozen net receives none."""
    torch.manual_seed(0)
    real, fake, step = (torch.rand(2, 3, 32, 32) * 2 - 1 for _ in range(3))
    fake.requires_grad_()
    (gradient,) = torch.autograd.grad(perceptual.distance(fake, real).sum(), fake)
    with torch.no_grad():
        size = 1e-2
        ends = [perceptual.distance(fake + sign * size * step, real).double().sum() for sign in (1, -1)]
    assert float((gradient * step).sum()) == pytest.approx(float((ends[0] - ends[1]) / (2 * size)), rel=0.05)
    assert all(not b.requires_grad and b.grad is None for b in efficientnet_lite.load(fake.device).buffers())


def test_it_can_be_minimized(photographs):
    """A blurred photograph comes closer in pixels too: the distance is more than a number."""
    real = photographs[:2, :, :32, :32]
    fake = blurred(real).requires_grad_()
    before = (fake - real).abs().mean().item(), perceptual.distance(fake, real).mean().item()
    optimizer = torch.optim.Adam([fake], 0.02)
    for _ in range(30):
        optimizer.zero_grad()
        perceptual.distance(fake, real).mean().backward()
        optimizer.step()
    assert perceptual.distance(fake, real).mean().item() < 0.5 * before[1]
    assert (fake - real).abs().mean().item() < before[0]


def test_no_gradient_through_the_true_image():
    real = torch.rand(1, 3, 16, 16, requires_grad=True)
    fake = torch.rand(1, 3, 16, 16, requires_grad=True)
    perceptual.distance(fake, real).sum().backward()
    assert real.grad is None
    assert fake.grad.abs().sum() > 0


@pytest.mark.parametrize(("channels", "height", "width"), [(1, 5, 7), (2, 16, 16), (3, 33, 64), (4, 70, 90)])
def test_images_of_any_size(channels, height, width):
    torch.manual_seed(0)
    fake, real = (torch.rand(3, channels, height, width) * 2 - 1 for _ in range(2))
    whole = perceptual.distance(fake, real)
    assert whole.shape == (3,)
    assert whole.isfinite().all()
    alone = perceptual.distance(fake[1:2], real[1:2])
    torch.testing.assert_close(whole[1:2], alone)  # images do not affect one another
    sides = [m.shape[2:] for m in perceptual.maps(fake)]
    assert sides[-1] == (-(-height // 16), -(-width // 16))
    assert len(sides) == len(perceptual.TAPS)


def test_gray_is_repeated():
    fake, real = (torch.rand(2, 1, 32, 32) * 2 - 1 for _ in range(2))
    colored = perceptual.distance(fake.expand(-1, 3, -1, -1), real.expand(-1, 3, -1, -1))
    torch.testing.assert_close(perceptual.distance(fake, real), colored)


def test_crops_are_of_one_place_and_of_all_places():
    rows, columns = torch.meshgrid(torch.arange(80.0), torch.arange(70.0), indexing="ij")
    x = (100 * rows + columns)[None, None]
    seen = set()
    for _ in range(200):
        one, other = perceptual.crop(x, -x)
        assert one.shape == (1, 1, 64, 64)
        assert torch.equal(one, -other)
        assert torch.equal(one - one[..., :1, :1], x[..., :64, :64])
        seen.add(one[0, 0, 0, 0].item())
    assert min(seen) < 200
    assert max(seen) >= 1500
    small = torch.zeros(1, 1, 64, 20)
    assert perceptual.crop(small)[0] is small

"""What discriminators look at, for some that look at a known place."""

import numpy as np
import pytest
import torch
from torch import nn

from sparring.explore.saliency import gradient, occlusion, patches
from sparring.explore.saliency_sheet import heatmap
from sparring.nets.discriminator import Discriminator
from sparring.nets.packed import Packed
from sparring.nets.patchgan import PatchGAN


class Pixel(Discriminator):
    """Looks at one pixel of 16 x 16, up to a sign, or at the first pixel for label 1."""

    def __init__(self, row, column, sign=1.0):
        super().__init__()
        self.place, self.weight = (row, column), nn.Parameter(torch.tensor(sign))

    def features(self, x, label=None):
        row, column = self.place
        seen = x[:, 0, row, column]
        return torch.where(label == 1, x[:, 0, 0, 0], seen) if label is not None else seen

    def judge(self, h, label=None):  # noqa: ARG002
        return self.weight * h


def noise(n=2, channels=1, side=16):
    torch.manual_seed(0)
    return torch.rand(n, channels, side, side) * 2 - 1


def test_gradient_of_a_pixel():
    found = gradient(Pixel(5, 9, sign=-3.0), noise(channels=3))
    assert found.shape == (2, 16, 16)
    assert found[:, 5, 9].tolist() == pytest.approx([3, 3])  # its size, not its sign
    found[:, 5, 9] = 0
    assert found.abs().max() == 0


def test_occlusion_of_a_pixel():
    """Only squares that cover it count, by its difference from their color, with the sign of the logit's fall."""
    x = torch.zeros(2, 1, 16, 16)
    x[0, 0, 5, 9], x[1, 0, 5, 9] = 1.0, -1.0
    found = occlusion(Pixel(5, 9), x)
    color = x.mean((1, 2, 3))
    assert found[:, 5, 9].tolist() == pytest.approx((x[:, 0, 5, 9] - color).tolist())
    rows, columns = found[0].nonzero(as_tuple=True)
    assert 5 in rows
    assert rows.min() >= 4
    assert rows.max() <= 6  # squares are 2 pixels wide
    assert columns.min() >= 8
    assert columns.max() <= 10


def test_every_pixel_is_covered():
    class Sum(Pixel):
        def features(self, x, label=None):  # noqa: ARG002
            return x.flatten(1).sum(1)

    x = noise(side=13)
    x[:, :, 6:, :] += 1.0
    found = occlusion(Sum(0, 0), x)
    assert found.isfinite().all()
    assert (found.flatten(1) != 0).all()


def test_D_gets_the_label():
    label = torch.tensor([0, 1])
    found = gradient(Pixel(5, 9), noise(), label)
    assert (found[0].argmax(), found[1].argmax()) == (5 * 16 + 9, 0)


def test_packs():
    """The gradient of the first image of each pack."""

    class Pair(Pixel):
        def features(self, x, label=None):  # noqa: ARG002
            return x[:, 0, 5, 9] + 10 * x[:, 1, 2, 2]

    found = gradient(Packed(lambda _: _with_length(Pair(5, 9)), (1, 16, 16), pack=2), noise(4))
    assert found[:, 5, 9].tolist() == pytest.approx([1] * 4)
    assert found[:, 2, 2].abs().max() == 0


def _with_length(net):
    net.length = 1
    return net


def test_patches():
    D = PatchGAN(1, layers=1, width=4)
    x = noise(side=16)
    found = patches(D, x)
    torch.testing.assert_close(found, D(x).detach())
    assert found.ndim == 3
    assert patches(Pixel(0, 0), x) is None


def test_weights_keep_their_gradients():
    D = Pixel(5, 9)
    gradient(D, noise())
    assert D.weight.grad is None
    assert D.weight.requires_grad


def test_heatmap():
    """Orange above 0, blue below, the image itself at 0; a single pixel is visible."""
    images = np.full((1, 40, 40, 3), 200, np.uint8)
    heat = torch.zeros(1, 40, 40)
    heat[0, 1, 1], heat[0, 2, 2] = 5.0, -5.0
    made = heatmap(images, heat)[0]
    assert made[1, 1].tolist() == [255, 96, 0]
    assert made[2, 2].tolist() == [0, 128, 255]
    assert made[9, 9].tolist() == [120] * 3
    assert heatmap(images, torch.zeros(1, 40, 40))[0, 1, 1].tolist() == [120] * 3

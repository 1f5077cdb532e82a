"""Image-to-image nets: the published numbers of weights, and their receptive fields."""

import numpy as np
import pytest
import torch
from torch import nn

from sparring.nets import tiles
from sparring.nets.gated import Inpainter
from sparring.nets.patchgan import PatchGAN, halving_layers
from sparring.nets.restorer import Restorer, enlarge
from sparring.nets.translator import Translator
from sparring.nets.unet import UNet


def count(net):
    return sum(p.numel() for p in net.parameters())


def test_sizes_of_pix2pix():
    """The authors' program prints 54.414 million for its U-Net for 256 pixels and 2.769 million for its D."""
    assert count(UNet(3, 3)) == 54_414_531
    assert count(PatchGAN(3, given=3)) == 2_768_705


def test_sizes_of_cyclegan():
    """11.378 and 2.765 million, with 9 blocks."""
    assert count(Translator(3, 3)) == count(Translator(3, 3, up="transposed")) == 11_378_179
    assert count(PatchGAN(3, norm="instance")) == 2_764_737


def test_size_of_esrgan():
    """16.698 million, with 23 blocks."""
    assert count(Restorer(3, 3, 4, 64, 23, "dense", 32, "steps")) == 16_697_987


def test_size_of_srresnet():
    """From the paper's table of layers: 16 blocks of two convolutions of 64, one after them, one for each doubling. Its
    first and last convolutions are 9 x 9; ours are 3 x 3, with one more in between.
    """
    conv = 64 * 64 * 9 + 64
    first, last = 3 * 64 * 9 + 64, 64 * 3 * 9 + 3
    assert count(Restorer(3, 3, 4, 64, 16, enlarging="steps")) == first + (32 + 1 + 2 + 1) * conv + last


NETS = {
    "unet": (lambda: UNet(3, 3, 8, 3, "batch"), 3),
    "unet, resized": (lambda: UNet(3, 1, 8, 2, "none", "resize"), 3),
    "inpainter": (lambda: Inpainter(3, 8), 4),
    "restorer": (lambda: Restorer(3, 3, 1, 8, 2), 3),
    "restorer x2": (lambda: Restorer(3, 3, 2, 8, 3), 3),
    "restorer x3": (lambda: Restorer(3, 3, 3, 8, 2), 3),
    "restorer x4 in steps": (lambda: Restorer(3, 3, 4, 8, 2, enlarging="steps"), 3),
    "dense restorer": (lambda: Restorer(3, 3, 4, 8, 1, "dense", 8, "steps"), 3),
}


@pytest.mark.parametrize("name", NETS)
def test_reach(name):
    """If one pixel changes, the output changes only within `reach`."""
    make, channels = NETS[name]
    torch.manual_seed(0)
    net = make().double().eval()
    for p in net.parameters():
        if p.dim() > 1:
            nn.init.kaiming_normal_(p)
    side = 4 * net.reach // net.stride * net.stride
    x = torch.randn(1, channels, net.stride * 2, side).double()
    farthest = 0.0
    with torch.no_grad():
        before = net(x)
        assert before.shape[-1] == side * net.times
        for position in range(side // 2, side // 2 + net.stride):
            changed = x.clone()
            changed[..., position] *= -1
            columns = ((net(changed) - before).abs().sum((0, 1, 2)) > 0).nonzero().flatten() // net.times
            farthest = max(farthest, abs(int(columns.min()) - position), abs(int(columns.max()) - position))
    assert 0.7 * net.reach <= farthest <= net.reach


@pytest.mark.parametrize("times", [1, 2, 3, 4])
def test_an_untrained_restorer_is_bicubic_enlargement(times):
    x = torch.rand(2, 3, 9, 7)
    net = Restorer(3, 3, times, 8, 2)
    assert torch.allclose(net(x), enlarge(x, times), atol=0.05)
    assert net(x).shape == (2, 3, 9 * times, 7 * times)


def test_inpainting_keeps_pixels_outside_holes():
    x = torch.rand(2, 4, 12, 12) * 2 - 1
    x[:, 3] = (torch.rand(2, 12, 12) < 0.5) * 2.0 - 1
    y = Inpainter(3, 8)(x)
    hole = (x[:, 3:] > 0).expand_as(y)
    assert torch.equal(y[~hole], x[:, :3][~hole])
    other = x.clone()
    other[:, :3][hole] = 0.7  # values under a hole are ignored
    assert torch.equal(Inpainter.forward(net := Inpainter(3, 8), x)[hole], net(other)[hole])


def test_padding_to_any_size():
    net = UNet(1, 2, 4, 3, "none")
    assert net.padded(torch.rand(1, 1, 13, 21)).shape == (1, 2, 13, 21)


def test_patches_have_70_pixels():
    """A logit in the center depends on 70 x 70 pixels, as in the paper."""
    D = PatchGAN(1, width=4, norm="none")
    x = torch.rand(1, 1, 160, 160, requires_grad=True)
    logits = D(x)
    logits[0, logits.shape[1] // 2, logits.shape[2] // 2].backward()
    rows = x.grad[0, 0].abs().sum(1).nonzero().flatten()
    assert int(rows.max() - rows.min()) + 1 == 70


@pytest.mark.parametrize("size", [8, 12, 16, 28, 32, 64, 96, 256])
def test_several_patches_remain(size):
    logits = PatchGAN(1, width=4, layers=halving_layers(size), norm="none")(torch.rand(2, 1, size, size))
    assert logits.shape[0] == 2
    assert logits.shape[1] >= 2


@pytest.mark.parametrize("name", NETS)
def test_tiles_give_the_output_of_the_whole(name, monkeypatch):
    """For every net without training, with tiles much smaller than usual."""
    make, channels = NETS[name]
    torch.manual_seed(0)
    net = make().eval()
    mapper = tiles.Mapper(
        net=net, channels=channels, out_channels=1 if name == "unet, resized" else 3, times=net.times,
        stride=net.stride, reach=net.reach,
    )  # fmt: skip
    image = np.random.default_rng(0).integers(0, 255, (51 + 2 * net.reach, 90, channels), dtype=np.uint8)
    whole = torch.cat(list(tiles.mapped(mapper, image)), 1)
    monkeypatch.setattr(tiles, "TILE_SIDE", 16 * net.times)
    parts = list(tiles.mapped(mapper, image))
    assert len(parts) > 2  # bands
    assert (torch.cat(parts, 1) - whole).abs().max() < 1e-3


def test_pixels_beyond_the_halo_of_a_deep_net_are_negligible(monkeypatch):
    """ESRGAN's net has a reach of 351 pixels, and its tiles a halo of 96; here 6 of 36."""
    torch.manual_seed(0)
    net = Restorer(3, 3, 2, 8, 2, "dense", 8).eval()
    mapper = tiles.Mapper(net=net, channels=3, out_channels=3, times=2, reach=net.reach)
    image = np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8)
    whole = torch.cat(list(tiles.mapped(mapper, image)), 1)
    monkeypatch.setattr(tiles, "TILE_SIDE", 32)
    monkeypatch.setattr(tiles, "MAX_HALO", 6)
    assert net.reach > 30
    assert (torch.cat(list(tiles.mapped(mapper, image)), 1) - whole).abs().max() < 1e-3

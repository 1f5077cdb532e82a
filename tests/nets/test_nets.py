"""One contract over all nets, then what is particular to each, and the layers they are made of."""

from functools import partial

import pytest
import torch
from torch import nn

from sparring.layers.condition import Appended, Projected
from sparring.layers.resample import double, halve
from sparring.layers.steep import Steep
from sparring.losses.penalties import zero_centred
from sparring.nets import dcgan, mlp, r3gan

LATENTS = 6


def mlps(size, channels, classes):
    shape = (channels, size, size)
    G = mlp.Generator(LATENTS, shape, [8, 12], classes=classes)
    return G, mlp.Discriminator(shape, [12, 8], classes=classes)


def dcgans(size, channels, classes, norm="batch"):
    G = dcgan.Generator(LATENTS, size, channels, width=4, classes=classes)
    return G, dcgan.Discriminator(size, channels, width=4, norm=norm, classes=classes)


def r3gans(size, channels, classes):
    options = {"depth": 1, "group": 4, "classes": classes}
    G = r3gan.Generator(LATENTS, size, channels, [8, 4, 4], **options)
    return G, r3gan.Discriminator(size, channels, [4, 4, 8], **options)


PAIRS = {
    "mlp": mlps,
    "dcgan": dcgans,
    "dcgan layer": partial(dcgans, norm="layer"),
    "dcgan none": partial(dcgans, norm="none"),
    "r3gan": r3gans,
}
every_pair = pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS.keys())


@every_pair
@pytest.mark.parametrize("size", [8, 28, 30, 32, 64])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("classes", [0, 3])
def test_contract(pair, size, channels, classes):
    torch.manual_seed(0)
    G, D = pair(size, channels, classes)
    weights = {f"{net}.{name}": p for net, m in [("G", G), ("D", D)] for name, p in m.named_parameters()}
    z = torch.randn(4, LATENTS)
    label = (torch.tensor([0, 1, 2, 0]),) if classes else ()
    for step in range(2):
        fake = G(z, *label)
        assert fake.shape == (4, channels, size, size)
        assert fake.isfinite().all()
        logits = D(fake, *label)
        assert logits.shape == (4,)
        assert logits.isfinite().all()
        gradients = torch.autograd.grad(logits.square().sum(), weights.values(), allow_unused=True)
        for (name, weight), gradient in zip(weights.items(), gradients, strict=True):
            assert gradient is not None, f"{name} is not used"
            # R3GAN's blocks end in a convolution that starts at zero: what is before it moves from the
            # second step on. A bias before batch norm never does, so that only matrices are held to this.
            assert step == 0 or weight.ndim == 1 or gradient.any(), f"{name} does not learn"
            with torch.no_grad():
                weight -= 0.01 * gradient.sign()


@every_pair
def test_labels_matter(pair):
    """In evaluation mode, since batch norm lets a sample depend on the labels beside it."""
    torch.manual_seed(0)
    G, D = (net.eval() for net in pair(8, 1, 3))
    z, x = torch.randn(1, LATENTS).repeat(3, 1), torch.randn(1, 1, 8, 8).repeat(3, 1, 1, 1)
    label = torch.arange(3)
    pictures, logits = G(z, label), D(x, label)
    for a, b in [(0, 1), (0, 2), (1, 2)]:
        assert (pictures[a] - pictures[b]).abs().max() > 1e-4 * pictures.abs().max()
        assert (logits[a] - logits[b]).abs() > 1e-4 * logits.abs().max()
    # Each sample is judged by its own label, whatever is beside it.
    torch.testing.assert_close(D(x, label.flip(0)), D(x, label).flip(0))


@every_pair
def test_discriminators_can_be_penalised(pair):
    """Activations in place are differentiated twice here."""
    torch.manual_seed(0)
    _, D = pair(8, 1, 3)
    x, label = torch.randn(4, 1, 8, 8, requires_grad=True), torch.tensor([0, 1, 2, 0])
    zero_centred(D(x, label), x).backward()
    gradients = [p.grad for p in D.parameters() if p.grad is not None]
    assert all(g.isfinite().all() for g in gradients)
    assert any(g.any() for g in gradients)


@pytest.mark.parametrize("output", ["tanh", "sigmoid", "linear"])
def test_range_of_mlp(output):
    """Catches a sigmoid left in [0, 1]: the whole of [-1, 1] must be within reach."""
    torch.manual_seed(0)
    x = mlp.Generator(LATENTS, (3, 8, 8), [8], output=output)(1e4 * torch.randn(64, LATENTS))
    assert x.min() < -0.99
    assert x.max() > 0.99
    assert (x.abs().max() <= 1) == (output != "linear")


def test_range_of_dcgan():
    torch.manual_seed(0)
    G, _ = dcgans(8, 3, 0)
    nn.init.normal_(G.layers[-2].weight, std=10)  # batch norm would undo large latents
    x = G(torch.randn(64, LATENTS))
    assert -1 <= x.min() < -0.99
    assert 0.99 < x.max() <= 1


def test_dcgan_has_as_many_weights_as_published():
    """The familiar 3,576,704 and 2,765,568, and the biases of layers that no batch norm follows."""
    G = dcgan.Generator(100, size=64, channels=3, width=64)
    D = dcgan.Discriminator(size=64, channels=3, width=64)
    convolutions = 4 * 4 * (512 * 256 + 256 * 128 + 128 * 64 + 64 * 3)
    in_G = 4 * 4 * 100 * 512 + convolutions + 2 * (512 + 256 + 128 + 64)  # 4 to 64 pixels
    in_D = convolutions + 4 * 4 * 512 + 2 * (128 + 256 + 512)  # 64 to 4 pixels, and the head over 4 x 4
    assert (in_G, in_D) == (3_576_704, 2_765_568)
    assert sum(p.numel() for p in G.parameters()) == in_G + 3
    assert sum(p.numel() for p in D.parameters()) == in_D + 64 + 1


def test_dcgan_starts_as_published():
    for net in dcgans(32, 3, 0):
        for m in net.modules():
            if isinstance(m, nn.Conv2d | nn.ConvTranspose2d):
                assert m.weight.std().item() == pytest.approx(0.02, rel=0.2)
            if isinstance(m, nn.BatchNorm2d):
                assert m.weight.mean().item() == pytest.approx(1, abs=0.05)


def test_dcgan_without_batch_statistics_judges_each_picture_alone():
    """What a gradient penalty needs: with batch norm a sample's logit would change with its neighbours."""
    x = torch.randn(4, 3, 32, 32)
    for norm, alone in [("batch", False), ("layer", True), ("none", True)]:
        _, D = dcgans(32, 3, 0, norm)
        assert torch.allclose(D(x)[:2], D(x[:2]), atol=1e-6) == alone


def test_r3gan_blocks_start_as_the_identity():
    block = r3gan.Block(8, groups=4, expansion=2, blocks=6)
    x = torch.randn(2, 8, 5, 5)
    assert torch.equal(block(x), x)
    block(x).square().sum().backward()
    assert block.narrow.weight.grad.any()  # or the block would stay the identity for ever


def test_appended():
    x, label = torch.randn(3, 4), torch.tensor([1, 0, 1])
    assert Appended(0).width == 0  # what a net adds to its first layer
    assert Appended(0)(x) is x
    layer = Appended(2)
    assert torch.equal(layer(x, label), torch.cat([x, layer.embedding.weight[[1, 0, 1]]], dim=1))


def test_projected():
    h, label = torch.tensor([[1.0, 2.0], [3.0, -1.0]]), torch.tensor([1, 0])
    layer = Projected(2, classes=2)
    with torch.no_grad():
        layer.linear.weight[:], layer.linear.bias[:] = torch.tensor([[10.0, 100.0]]), 0.5
        layer.embedding.weight[:] = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    # 10 * 1 + 100 * 2 + 0.5 + (3 * 1 + 4 * 2), and 10 * 3 - 100 + 0.5 + (1 * 3 - 2 * 1)
    assert layer(h, label).tolist() == [221.5, -68.5]
    assert Projected(2, classes=0)(h).shape == (2,)


@pytest.mark.parametrize("height", [1, 2, 5])
@pytest.mark.parametrize("width", [1, 4, 7])
def test_resampling(height, width):
    x = torch.full((2, 3, height, width), 0.7)
    assert double(x).shape == (2, 3, 2 * height, 2 * width)
    assert halve(x).shape == (2, 3, (height + 1) // 2, (width + 1) // 2)
    torch.testing.assert_close(halve(double(x)), x)
    # Catches an odd last row averaged with the zeros beyond it.
    torch.testing.assert_close(halve(x), torch.full_like(halve(x), 0.7))


def test_resampling_by_hand():
    row = torch.tensor([0.0, 4.0, 0.0]).view(1, 1, 1, 3)
    assert double(row)[0, 0, 0].tolist() == [0, 1, 3, 3, 1, 0]
    odd = torch.tensor([[1.0, 3.0, 5.0], [5.0, 7.0, 9.0], [2.0, 4.0, 8.0]])[None, None]
    assert halve(odd)[0, 0].tolist() == [[4, 7], [3, 8]]


def test_steep_units():
    """The latents go through as they are; a unit's wall stands where it did, and grows as its power is learnt."""
    torch.manual_seed(0)
    layer = Steep(2, 3)
    z = torch.randn(500, 2)
    low = layer(z)
    assert low.shape == (500, 5)
    assert torch.equal(low[:, :2], z)
    layer.power.data += 1.0
    high = layer(z)
    assert torch.equal(high[:, 2:].sign(), low[:, 2:].sign())
    assert ((high[:, 2:].abs() > 0.99).float().mean()) > 0.99 > (low[:, 2:].abs() > 0.99).float().mean()
    high.square().sum().backward()
    assert all(p.grad is not None for p in layer.parameters())

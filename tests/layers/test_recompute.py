"""Recomputed activations change nothing but the memory and the time."""

import copy
import weakref

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

import sparring
from sparring import recipes
from sparring.errors import InputError
from sparring.layers.recompute import recompute_blocks, recomputing
from sparring.nets import r3gan
from sparring.training import checkpoint

RUNS = {
    "r3gan": {"batch": 4, "width": 8, "depth": 2, "group": 4, "noise": 0.1, "augment": "ada"},
    "stylegan2": {"batch": 8, "base": 64, "most": 8, "z": 8, "path_every": 2, "R1_every": 2},
    "dcgan": {"batch": 8, "width": 8, "z": 8},
    "sngan": {"batch": 8, "G": 8, "D": 8, "z": 8},
    "wgan_gp": {"batch": 8, "width": 8, "z": 8},
    "unrolled": {"batch": 8, "width": 8, "z": 8, "unroll": 2},
    "r3gan_strided": {"batch": 8, "width": 8, "z": 8, "shards": 2},
}


def trained(out, name, **fields):
    sparring.train(name, "digits", out=out, steps=5, quiet=True, device="cpu", **RUNS[name], **fields)
    return checkpoint.latest(out / "checkpoints", dict)[0]


@pytest.mark.parametrize("name", RUNS)
def test_weights_are_equal(tmp_path, monkeypatch, name):
    """R1 and gradient penalties, path lengths, batch norm, spectral norm, noise, unrolled weights and shards."""
    plain = trained(tmp_path / "plain", name)
    again = []
    monkeypatch.setattr("sparring.layers.recompute.functional_call", lambda *a: again.append(a) or call(*a))
    recomputed = trained(tmp_path / "recomputed", name, recompute=True)
    assert again
    assert plain.keys() == recomputed.keys()
    assert all(torch.equal(tensor, recomputed[key]) for key, tensor in plain.items())


call = torch.func.functional_call


class Hard(nn.Module):
    """A block that draws random numbers and updates statistics of all kinds."""

    def __init__(self, width):
        super().__init__()
        self.first, self.norm = spectral_norm(nn.Linear(width, width)), nn.BatchNorm1d(width)
        self.second, self.drop = nn.Linear(width, width), nn.Dropout(0.3)

    def forward(self, x):
        h = self.drop(torch.tanh(self.norm(self.first(x))))
        return x + self.second(h + torch.randn_like(h))


def gradients(net, x, seed):
    """Of two passes, first and second order, and the net's state after them."""
    torch.manual_seed(seed)
    one, two = net(x), net(x + 1)  # statistics move between the passes
    (slope,) = torch.autograd.grad((one.square() + two).sum(), x, create_graph=True)
    (slope.square().sum() + two.square().sum()).backward()
    found = [p.grad for p in net.parameters()] + list(net.buffers())
    return [one, two, slope, torch.rand(3), *found]


def test_gradients_of_gradients_are_equal():
    torch.manual_seed(0)
    plain = nn.Sequential(*(Hard(6) for _ in range(3)))
    recomputed = copy.deepcopy(plain)
    assert recompute_blocks(nn.ModuleList([recomputed])) == 3
    x = torch.randn(5, 6, requires_grad=True)
    first, second = gradients(plain, x, 1), gradients(recomputed, x, 1)
    assert len(first) > 20
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert plain.state_dict().keys() == recomputed.state_dict().keys()


def test_layers_of_a_sequence_are_grouped():
    layers = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.LeakyReLU(0.2, inplace=True), nn.Conv2d(2, 2, 3), nn.BatchNorm2d(2),
        nn.LeakyReLU(0.2, inplace=True), nn.Flatten(), nn.Linear(32, 1),
    )  # fmt: skip
    plain = copy.deepcopy(layers)
    assert recompute_blocks(nn.ModuleList([layers])) == 3
    x = torch.randn(4, 1, 8, 8)
    for net in (plain, layers):
        net(x).square().sum().backward()
    assert all(torch.equal(a.grad, b.grad) for a, b in zip(plain.parameters(), layers.parameters(), strict=True))


class Peak(TorchDispatchMode):
    """The most bytes that tensors created within this context took at one time."""

    def __init__(self):
        super().__init__()
        self.now = self.most = 0
        self.known = weakref.WeakSet()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(out):
            if isinstance(tensor, torch.Tensor) and (storage := tensor.untyped_storage()) not in self.known:
                self.known.add(storage)
                self.now += storage.nbytes()
                self.most = max(self.most, self.now)
                weakref.finalize(storage, self.freed, storage.nbytes())
        return out

    def freed(self, size):
        self.now -= size


def peak(net, loss):
    with Peak() as found:
        loss(net).backward()
    return found.most


def judged(net):
    return net(torch.zeros(2, 1, 32, 32)).square().sum()


def penalized(net):
    x = torch.zeros(2, 1, 32, 32, requires_grad=True)
    (slope,) = torch.autograd.grad(net(x).sum(), x, create_graph=True)
    return slope.square().sum()


def test_memory_is_saved():
    """About half of it, or more, in a plain pass."""
    plain = r3gan.Discriminator(32, 1, [16, 16, 16], depth=3, group=4)
    recomputed = copy.deepcopy(plain)
    assert recompute_blocks(nn.ModuleList([recomputed])) == 9
    assert peak(recomputed, judged) < 0.55 * peak(plain, judged)


class InPlace(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 3)

    def forward(self, x):
        return self.layer(nn.functional.leaky_relu_(x, 0.2))


class Moody(nn.Module):
    """Computes something else each time."""

    def __init__(self):
        super().__init__()
        self.layer, self.calls = nn.Linear(3, 3), 0

    def forward(self, x):
        self.calls += 1
        return self.layer(x) if self.calls > 1 else torch.tanh(self.layer(x))


@pytest.mark.parametrize("block", [InPlace, Moody])
def test_blocks_that_cannot_be_recomputed_are_refused(block):
    """Instead of a wrong gradient."""
    net = nn.Sequential(nn.Linear(3, 3), block())
    assert recompute_blocks(nn.ModuleList([net])) == 1
    loss = net(torch.randn(2, 3)).sum()
    with (
        pytest.raises(InputError, match=r"does not work with a net of this recipe \(.*\); remove") as error,
        recomputing(),
    ):
        loss.backward()
    assert "\n" not in str(error.value)


def test_weights_that_have_changed_are_refused():
    net = nn.Sequential(nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 1))
    recompute_blocks(nn.ModuleList([net]))
    loss = net(torch.randn(2, 3)).sum()
    with torch.no_grad():
        net[0].weight.add_(1)
    with pytest.raises(InputError, match="the weights of a block have changed"):
        loss.backward()


def test_what_cannot_be_recomputed_is_refused_before_a_run(tmp_path, monkeypatch):
    monkeypatch.setattr("sparring.training.sizes.recompute_blocks", lambda _: 0)
    with pytest.raises(InputError, match="the nets of recipe 'dcgan' have no blocks; remove recompute="):
        trained(tmp_path / "run", "dcgan", recompute=True)
    assert not (tmp_path / "run").exists()
    with pytest.raises(InputError, match="recompute=true does not go with the gradients of single samples"):
        recipes.find("dpgan").set({"recompute": True})

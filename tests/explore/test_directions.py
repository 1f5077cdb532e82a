"""Directions that are expected in advance are found."""

import pytest
import torch
from generators import linear, model
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from sparring.errors import InputError
from sparring.explore.directions import directions, probe
from sparring.explore.space import Space
from sparring.games.prior import Normal, OneHot, Prior, Uniform

STRENGTHS = [8.0, 4.0, 2.0, 1.0]


def cosine(a, b):
    """The absolute cosine of two vectors."""
    return float((a @ b / (a.norm() * b.norm())).abs())


@pytest.mark.parametrize("method", ["sefa", "pca"])
def test_directions_of_a_linear_net(method):
    """The strongest first, of unit length, with shares in proportion to the squared strengths."""
    net, expected = linear(STRENGTHS)
    found = directions(model(net), method, n=3)
    assert [cosine(one.vector, wanted) for one, wanted in zip(found, expected, strict=False)] == pytest.approx(
        [1] * 3, abs=0.01
    )
    total = sum(s**2 for s in STRENGTHS)
    assert [one.share for one in found] == pytest.approx([s**2 / total for s in STRENGTHS[:3]], rel=0.1)
    assert all(one.vector.norm() == pytest.approx(1, abs=0.05) for one in found)
    assert [one.name for one in found] == [f"{method} {i}" for i in (1, 2, 3)]


def test_sefa_uses_the_first_layer_only():
    """Whether or not it is parametrized, and independent of later layers."""
    net, expected = linear(STRENGTHS)
    spectral_norm(net[0])
    deep = nn.Sequential(*net, nn.Tanh(), nn.Linear(64, 64))
    found = directions(model(deep), "sefa", n=2)
    assert cosine(found[0].vector, expected[0]) > 0.999
    assert cosine(found[1].vector, expected[1]) > 0.999


def test_components_are_those_of_the_middle_layer():
    """The strongest direction of the first layer may have no effect on the output."""
    net, expected = linear(STRENGTHS)
    blind = nn.Linear(64, 64, bias=False)
    with torch.no_grad():
        strongest = net[0].weight @ expected[0]
        strongest /= strongest.norm()
        blind.weight.copy_(torch.eye(64) - strongest[:, None] * strongest[None])
    found = directions(model(nn.Sequential(*net, blind)), "pca", n=1)
    assert cosine(found[0].vector, expected[1]) > 0.99


def test_components_are_within_classes():
    """The difference between classes is not a direction."""
    net, expected = linear([8.0, 1.0, 1.0, 1.0])
    found = directions(model(net, classes=3), "pca", n=1)
    assert cosine(found[0].vector, expected[0]) > 0.999


def test_one_hot_parts_are_not_moved():
    prior = Prior(Normal("z", 3), OneHot("kind", 2), Uniform("c", 1))
    torch.manual_seed(0)
    for method in ("sefa", "pca"):
        for one in directions(model(nn.Linear(6, 64), prior), method, n=4):
            assert one.vector[3:5].tolist() == [0, 0]
            assert one.vector.norm() > 0


def test_directions_are_reproducible():
    net, _ = linear(STRENGTHS)
    first, second = (directions(model(net), "pca", 2, seed=3) for _ in range(2))
    for a, b in zip(first, second, strict=True):
        torch.testing.assert_close(a.vector, b.vector, rtol=1e-4, atol=1e-4)


def test_a_net_that_ignores_its_latents():
    class Constant(nn.Module):
        def forward(self, z):
            return torch.zeros(len(z), 64) + 0 * z.sum()

    constant = Constant()
    constant.unused = nn.Linear(2, 2)
    with pytest.raises(InputError, match="no layer of recipe 'by-hand' takes its latents"):
        directions(model(constant), "sefa")


def test_hooks_are_removed_and_weights_stay_trainable():
    net, _ = linear(STRENGTHS)
    made = model(net)
    directions(made, "pca", 1)
    assert not net[0]._forward_hooks
    assert all(weight.requires_grad for weight in made.game.parameters())


def test_a_probe_finds_the_direction_of_a_label():
    """Two labels that are decided by one direction of the latents."""
    net, expected = linear([1.0] * 4)

    def classify(x):
        place = Space(made).draw(4000, 0)  # the samples of the probe, in order
        nonlocal done
        part, done = place[done : done + len(x)], done + len(x)
        return torch.stack([-(part @ expected[2]), part @ expected[2]], 1)

    made, done = model(net), 0
    left, right = probe(made, classify, ("left", "right"))
    assert cosine(right.vector, expected[2]) > 0.99
    assert right.vector @ expected[2] > 0  # towards the label
    assert left.vector @ expected[2] < 0
    assert right.share > 0.99


def test_a_probe_of_random_labels():
    net, _ = linear([1.0] * 4)
    torch.manual_seed(0)
    (first, _) = probe(model(net), lambda x: torch.rand(len(x), 2), ("a", "b"), n=2000)
    assert 0.4 < first.share < 0.6
    assert probe(model(net), lambda x: torch.eye(2)[:1].expand(len(x), 2), ("all", "none"), n=200) == []

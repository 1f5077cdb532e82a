"""The latent space of a model."""

import pytest
import torch
from generators import linear, model
from torch import nn

import sparring
from sparring.errors import InputError
from sparring.explore.space import Space
from sparring.games.prior import Normal, OneHot, Prior, Uniform


@pytest.fixture(scope="module")
def styled(tmp_path_factory):
    out = tmp_path_factory.mktemp("styled") / "run"
    fields = {"base": 64, "most": 8, "z": 8, "batch": 8, "depth": 2}
    return sparring.train("stylegan2", "digits", out=out, steps=2, quiet=True, device="cpu", labels=True, **fields)


@pytest.fixture(scope="module")
def labeled(tmp_path_factory):
    out = tmp_path_factory.mktemp("labeled") / "run"
    return sparring.train("dcgan", "digits", out=out, steps=2, quiet=True, device="cpu", labels=True, width=4, z=8)


@pytest.mark.parametrize("name", ["styled", "labeled"])
def test_points_are_those_of_samples(name, request):
    """The point of a seed's sample generates the same image, also beyond the first chunk."""
    trained = request.getfixturevalue(name)
    space, label = Space(trained), torch.full((70,), 3)
    points = space.draw(70, seed=5, condition=label)
    images = trained.modality.decode(space.generate(points, label))
    assert (images == trained.sample(70, label="3", seed=5).items).mean() > 0.999  # up to rounding
    assert torch.equal(points, space.draw(70, seed=5, condition=label))
    assert torch.equal(points[:10], space.draw(10, seed=5, condition=label[:10]))
    assert not torch.equal(points, space.draw(70, seed=6, condition=label))
    assert space.name == {"styled": "w", "labeled": "z"}[name]


def test_drawing_leaves_the_global_generator_alone():
    space = Space(model(linear([1.0, 1.0])[0], width=2))
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    space.draw(5, 0)
    assert torch.equal(torch.rand(3), expected)


def test_a_graph_is_only_built_for_points_that_require_a_gradient():
    space = Space(model(linear([1.0] * 4)[0]))
    points = space.draw(2, 0)
    assert not space.values(points).requires_grad
    assert space.values(points.requires_grad_()).requires_grad


def test_walks(styled):
    """Walks between latents keep their norm; walks between styles are straight."""
    space = Space(model(linear([1.0] * 16)[0], width=16))
    a, b = space.draw(2, 0)
    walk = space.between(a, b / b.norm() * a.norm(), 9)
    torch.testing.assert_close(walk.norm(dim=1), a.norm().expand(9), rtol=1e-4, atol=1e-5)
    steps = (walk[1:] - walk[:-1]).norm(dim=1)
    torch.testing.assert_close(steps, steps[:1].expand(8), rtol=1e-3, atol=1e-4)
    c, d = Space(styled).draw(2, 0)
    torch.testing.assert_close(Space(styled).between(c, d, 3)[1], (c + d) / 2)


def test_movable_numbers():
    prior = Prior(Normal("z", 3), OneHot("kind", 2), Uniform("c", 1))
    space = Space(model(nn.Linear(6, 64), prior))
    assert space.width == 4
    assert space.movable.tolist() == [True, True, True, False, False, True]
    drawn = space.draw(4000, 0)
    torch.testing.assert_close(space.deviation()[space.movable], drawn.std(0)[space.movable], rtol=0.05, atol=0)
    assert space.deviation()[3:5].tolist() == [0, 0]
    assert space.center().tolist() == [0, 0, 0, 1, 0, 0]


def test_tables_have_no_space(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n" + "\n".join(f"{i % 7},{'xy'[i % 2]}" for i in range(60)))
    trained = sparring.train("table", tmp_path / "t.csv", out=tmp_path / "run", steps=2, quiet=True, batch=8)
    with pytest.raises(InputError, match="generates rows with more randomness than latents; it has no latent space"):
        Space(trained)

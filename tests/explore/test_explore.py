"""Sheets of what a model has learnt."""

import numpy as np
import pytest
import torch
from PIL import Image

import sparring
from sparring.errors import InputError
from sparring.explore import explore
from sparring.explore.latents import between, chosen, turned
from sparring.games.prior import Normal, OneHot, Prior, Uniform

PRIOR = Prior(Normal("z", 3), OneHot("kind", 4), Uniform("c", 2))


def test_between_two_latents():
    a, b = PRIOR.draw(2, torch.device("cpu"))
    way = between(PRIOR, a, b, 5)
    torch.testing.assert_close(way[0], a)
    torch.testing.assert_close(way[-1, :3], b[:3])
    torch.testing.assert_close(way[-1, 7:], b[7:])
    assert torch.equal(way[:, 3:7], a[3:7].expand(5, 4))  # half of one kind is none
    lengths = way[:, :3].norm(dim=1)
    assert lengths.min() >= min(lengths[0], lengths[-1]) * 0.9  # round the origin, not through it


def test_one_thing_at_a_time():
    z = PRIOR.draw(2, torch.device("cpu"))
    rows = turned(PRIOR, z, PRIOR.parts[2], 1, 3)
    assert rows[:, 8].tolist() == [-2, 0, 2] * 2
    assert torch.equal(rows[:, :8], z[:, :8].repeat_interleave(3, 0))
    kinds = chosen(PRIOR, z, PRIOR.parts[1])
    assert torch.equal(kinds[:, 3:7], torch.eye(4).repeat(2, 1))
    assert torch.equal(kinds[:, :3], z[:, :3].repeat_interleave(4, 0))


@pytest.mark.parametrize(
    ("recipe", "labels", "names"),
    [
        ("infogan", False, ["category", "continuous-1", "continuous-2"]),
        ("mgan", False, ["generator"]),
        ("stylegan2", True, ["mixed"]),
        ("vae", True, ["reconstructed"]),
        ("vaegan", False, ["reconstructed"]),
    ],
)
def test_sheets(recipe, labels, names, tmp_path):
    fields = {"width": 8} if recipe != "stylegan2" else {"base": 64}
    sparring.train(recipe, "digits", out=tmp_path / "run", steps=2, quiet=True, labels=labels, batch=8, z=8, **fields)
    found = explore(tmp_path / "run", tmp_path / "sheets")
    assert [one.name for one in found] == ["interpolation", "typical", *names]
    assert {path.stem for path in (tmp_path / "sheets").iterdir()} == {one.name for one in found}
    for path in (tmp_path / "sheets").iterdir():
        with Image.open(path) as picture:
            assert np.asarray(picture.convert("L")).std() > 1
    again = explore(tmp_path / "run", tmp_path / "again")
    assert all(np.array_equal(*map(np.asarray, (a.picture, b.picture))) for a, b in zip(found, again, strict=True))
    with pytest.raises(InputError, match="sheets"):
        explore(tmp_path / "run", tmp_path / "sheets")


def test_reconstructions_are_of_held_out_pictures(tmp_path):
    """A trained VAE's second line looks like its first."""
    model = sparring.train("vae", "digits", out=tmp_path / "run", steps=400, quiet=True, width=16, z=8, labels=False)
    sheet = next(one.picture for one in explore(tmp_path / "run", tmp_path / "s") if one.name == "reconstructed")
    pixels = np.asarray(sheet).astype(float)
    side = pixels.shape[0] // 8
    real, again, other = pixels[:side], pixels[side : 2 * side], pixels[2 * side : 3 * side]
    assert np.abs(real - again).mean() < 0.7 * np.abs(other - again).mean()
    assert model.game.averaged == ("E", "G")


def test_points_are_refused(tmp_path):
    sparring.train("r3gan_mlp", "ring", out=tmp_path / "run", steps=2, quiet=True)
    with pytest.raises(InputError, match="makes points; exploring draws sheets of pictures"):
        explore(tmp_path / "run", tmp_path / "sheets")

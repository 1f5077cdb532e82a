"""Sheets of what a model has learnt, of every kind of data."""

import shutil
import sys
from dataclasses import fields
from functools import partial
from html.parser import HTMLParser

import numpy as np
import pytest
import torch
from generators import linear, model
from PIL import Image
from sklearn.datasets import load_digits
from torch import nn

import sparring
from sparring import recipes
from sparring.errors import InputError
from sparring.explore import explore
from sparring.explore.explore import drawn
from sparring.explore.invert import invert
from sparring.explore.latents import between, chosen, turned
from sparring.explore.scene import Scene
from sparring.games.prior import Normal, OneHot, Prior, Uniform

PRIOR = Prior(Normal("z", 3), OneHot("kind", 4), Uniform("c", 2))
ALL = ["interpolation", "typical", "sefa", "pca", "probe", "saliency", "neighbours", "inverted"]
SMALL = {"z": 8, "width": 8, "G": 8, "D": 8, "depth": 1, "group": 4, "growth": 4, "base": 64, "most": 8, "kernels": 4}
PICTURES = [name for name in recipes.names() if "images" in [m.kind for m in recipes.find(name).takes]]


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """A few steps of what takes many, and no curves of a run of a tenth of a second."""
    monkeypatch.setattr("sparring.training.watch.curves", lambda *_: b"")
    monkeypatch.setattr("sparring.evaluation.classifier.STEPS", (4, 4))
    monkeypatch.setattr(sys.modules["sparring.explore.invert"], "POOL", 64)
    monkeypatch.setattr(sys.modules["sparring.explore.directions"], "POINTS", 300)
    monkeypatch.setattr("sparring.explore.image_sheets.invert", partial(invert, steps=8))


def trained(name, data, out, **settings):
    recipe = recipes.find(name)
    known = {f.name for f in fields(recipe)}
    wide = {"gan", "gan_leaky", "gan_sigmoid"}
    small = {k: (16,) if k in "GD" and name in wide else v for k, v in SMALL.items() if k in known}
    return sparring.train(recipe.set(small), data, out=out, steps=2, quiet=True, device="cpu", batch=8, **settings)


def cells(sheet, columns, rows, side=8):
    """The grey pictures of a sheet, (rows * columns, side, side), as numbers."""
    pixels = np.asarray(sheet.picture.convert("L")).astype(float)
    times = pixels.shape[0] // (rows * (side + 1) - 1)
    small = np.pad(pixels[times // 2 :: times, times // 2 :: times], ((0, 1), (0, 1)))
    small = small.reshape(rows, side + 1, columns, side + 1)[:, :side, :, :side]
    return small.swapaxes(1, 2).reshape(-1, side, side)


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


class Links(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.pictures, self.places, self.targets = [], set(), set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        known = dict(attrs)
        self.pictures += [known["src"]] if tag == "img" else []
        self.places.add(known.get("id"))
        if tag == "a":
            self.targets.add(known["href"].removeprefix("#"))


OWN = {
    "infogan": ["category", "continuous-1", "continuous-2"],
    "mgan": ["generator"],
    "stylegan2": ["mixed"],
    "vae": ["reconstructed"],
    "vaegan": ["reconstructed"],
}


@pytest.mark.parametrize("name", PICTURES)
def test_every_recipe_of_pictures(name, tmp_path):
    """Draws its sheets, none blank, and a page that shows all of them; with labels and without by turns."""
    labels = name in ("acgan", "stylegan2", "vae", "cgan", "r3gan") or PICTURES.index(name) % 3 == 0
    made = trained(name, "digits", tmp_path / "run", labels=labels)
    only = ["sefa", "pca", "saliency", "inverted", *(["interpolation"] if name in OWN else [])]
    only += [own.split("-")[0] for own in OWN.get(name, [])]
    only = [one for one in dict.fromkeys(only) if name != "vae" or one != "saliency"]
    found = explore(tmp_path / "run", tmp_path / "sheets", only=only)
    names = [one.name for one in found]
    assert set(OWN.get(name, [])) <= set(names)
    assert {"sefa-1", "pca-1", "inverted"} <= set(names)
    assert ("saliency" in names) == (name != "vae")
    page = Links((tmp_path / "sheets" / "index.html").read_text())
    assert page.pictures == [f"{one}.png" for one in names]
    assert page.targets == set(names) <= page.places
    for path in (tmp_path / "sheets").glob("*.png"):
        with Image.open(path) as picture:
            assert np.asarray(picture.convert("L")).std() > 0.5, path.name
    assert made.game.classes == (10 if labels else 0)


def test_all_sheets_the_same_again(tmp_path):
    trained("dcgan", "digits", tmp_path / "run", labels=False)
    kinds = [name for name in ALL if name not in ("probe", "inverted")]
    first, again = (explore(tmp_path / "run", tmp_path / f"{i}", seed=3, only=kinds) for i in range(2))
    assert [one.name.split("-")[0] for one in first][:4] == ["interpolation", "typical", "sefa", "sefa"]
    for a, b in zip(first, again, strict=True):
        apart = np.asarray(a.picture).astype(int) - np.asarray(b.picture)
        assert (np.abs(apart) <= 2).mean() > 0.99, a.name
    (other,) = explore(tmp_path / "run", tmp_path / "other", seed=4, only=["interpolation"])
    assert not np.array_equal(np.asarray(other.picture), np.asarray(first[0].picture))


def test_reconstructions_are_of_held_out_pictures(tmp_path):
    """A trained VAE's second line looks like its first."""
    made = sparring.train("vae", "digits", out=tmp_path / "run", steps=400, quiet=True, width=16, z=8, labels=False)
    (sheet,) = explore(tmp_path / "run", tmp_path / "s", only=["reconstructed"])
    pixels = np.asarray(sheet.picture).astype(float)
    side = pixels.shape[0] // 8
    real, again, other = pixels[:side], pixels[side : 2 * side], pixels[2 * side : 3 * side]
    assert np.abs(real - again).mean() < 0.7 * np.abs(other - again).mean()
    assert made.game.averaged == ("E", "G")


def test_a_users_picture_beside_its_nearest(tmp_path):
    """A picture of the training data is its own nearest neighbour; one of another size is brought to the model's."""
    trained("dcgan", "digits", tmp_path / "run", labels=True)
    digit = np.round(load_digits().images[0] * (255 / 16)).astype(np.uint8)
    Image.fromarray(digit).resize((16, 16), Image.Resampling.NEAREST).save(tmp_path / "zero.png")
    (sheet,) = explore(tmp_path / "run", tmp_path / "s", only=["inverted"], picture=tmp_path / "zero.png", label="0")
    given, made, apart, nearest = cells(sheet, 1, 4)
    assert np.abs(given - digit).mean() < 12  # but for the filter by which it is made smaller
    assert np.abs(nearest - digit).mean() < 4
    assert np.abs(np.abs(given - made) - apart).max() < 3


def test_a_label_is_kept():
    """All samples are of the label that is asked for; else labels take turns."""
    made = model(linear([0.001] * 3)[0], classes=5, width=3)
    with torch.no_grad():
        made.game.G[0].bias.zero_()
    for label, wanted in ((torch.tensor(4), [4] * 8), (None, [0, 1, 2, 3, 4, 0, 1, 2])):
        (sheet,) = drawn(Scene(made, label=label), ["interpolation"])
        rows = cells(sheet, 11, 8).reshape(8, -1).mean(1)
        assert rows == pytest.approx([(0.2 * k + 1) * 127.5 for k in wanted], abs=2)


def test_a_probe_moves_samples_towards_a_label(monkeypatch):
    """Of a model that is linear in the digits' own principal components, by a classifier of the real ones."""
    monkeypatch.setattr("sparring.evaluation.classifier.STEPS", (80, 80))
    digits = torch.from_numpy(load_digits().data).float() / 8 - 1
    _, sizes, found = torch.pca_lowrank(digits, 12)
    net = nn.Linear(12, 64)
    with torch.no_grad():
        net.weight.copy_(found * sizes / len(digits) ** 0.5)
        net.bias.copy_(digits.mean(0))
    sheets = drawn(Scene(model(net, width=12)), ["probe"])
    assert {one.name for one in sheets} >= {"probe-0", "probe-4"}
    zero = digits[load_digits().target == 0].mean(0).view(8, 8).numpy()
    rows = cells(next(one for one in sheets if one.name == "probe-0"), 11, 8).reshape(8, 11, 8, 8)
    apart = np.square(rows - (zero + 1) * 127.5).mean((0, 2, 3))
    assert apart[8] < apart[5] < apart[0]  # two deviations towards it, none, three away


def test_what_cannot_be_drawn_is_left_out_and_said(tmp_path, capsys):
    """The training data are gone: what needs none is drawn still, and a user's own picture inverted."""
    (tmp_path / "data").mkdir()
    np.save(tmp_path / "data" / "p.npy", np.random.default_rng(0).integers(0, 255, (40, 8, 8), dtype=np.uint8))
    trained("dcgan", tmp_path / "data" / "p.npy", tmp_path / "run")
    shutil.rmtree(tmp_path / "data")
    found = explore(tmp_path / "run", tmp_path / "s", quiet=False)
    assert {one.name.split("-")[0] for one in found} == {"interpolation", "typical", "sefa", "pca"}
    said = capsys.readouterr().out
    assert "neighbours is left out: there is no data set or path" in said
    assert "say where the data are now with --data" in said
    Image.new("L", (8, 8), 99).save(tmp_path / "grey.png")
    (own,) = explore(tmp_path / "run", tmp_path / "o", only=["inverted"], picture=tmp_path / "grey.png")
    assert "nearest real pictures are not shown" in own.shows
    with pytest.raises(InputError, match="there is no data set or path"):
        explore(tmp_path / "run", tmp_path / "n", only=["neighbours"])


def grey(folder, many, channels=1, start=0):
    """A folder of pictures, no two alike."""
    folder.mkdir()
    random = np.random.default_rng(start)
    for i in range(many):
        pixels = random.integers(0, 255, (8, 8, channels), dtype=np.uint8).squeeze()
        Image.fromarray(pixels).save(folder / f"{i:02}.png")
    return folder


def test_no_training_picture_is_called_held_out(tmp_path):
    """Of 40 pictures 4 are held out: these are shown, not 8 of both kinds; of 12 none is, and the sheets say so."""
    for many, held, words in ((40, 4, "held-out pictures"), (12, 8, "training pictures (too few for some to be held")):
        run = tmp_path / f"run{many}"
        trained("dcgan", grey(tmp_path / f"p{many}", many), run, labels=False)
        found = explore(run, tmp_path / f"s{many}", only=["inverted", "saliency"])
        inverted = next(one for one in found if one.name == "inverted")
        assert inverted.shows.startswith(words)
        assert ("nearest" in inverted.shows) == (many == 40)  # a training picture is the nearest to itself
        assert f"below in {words}" in next(one for one in found if one.name == "saliency").shows
        kinds = 4 if many == 40 else 3
        given = cells(inverted, held, kinds)[:held]
        files = [np.asarray(Image.open(path)) for path in sorted((tmp_path / f"p{many}").iterdir())]
        shown = {int(np.argmin([np.abs(x - file).mean() for file in files])) for x in given}
        scene = Scene(sparring.load(run))
        data = scene.real.data
        assert shown == set((data.held if many == 40 else data.train[:8]).tolist())


def test_a_line_of_the_sheet_for_fewer_real_pictures(tmp_path):
    """D looks at 8 samples and at 2 real pictures: each kind still begins a line of its own."""
    trained("dcgan", grey(tmp_path / "p", 20), tmp_path / "run", labels=False)
    (sheet,) = explore(tmp_path / "run", tmp_path / "s", only=["saliency"])
    real = cells(sheet, 8, 6)[24:32]
    assert (real[2:] > 250).all()
    assert (real[:2].mean((1, 2)) < 250).all()


def test_other_data_are_called_by_their_name(tmp_path):
    """Sheets of other data do not speak of training data, and say when colours are left out."""
    trained("dcgan", "digits", tmp_path / "run", labels=False)
    other = grey(tmp_path / "other", 30, channels=3)
    found = explore(tmp_path / "run", tmp_path / "s", data=str(other), only=["neighbours", "inverted", "saliency"])
    for one in found:
        assert "training" not in one.shows
        assert "pictures of 'other' (coloured, taken as grey)" in one.shows
    (same,) = explore(tmp_path / "run", tmp_path / "o", only=["neighbours"])
    assert "its nearest training pictures, with" in same.shows


def test_a_few_pictures_are_enough_to_look_at(tmp_path):
    """Judging needs 18 items; looking for nearest ones does not."""
    trained("dcgan", "digits", tmp_path / "run", labels=False)
    few = grey(tmp_path / "few", 3)
    (sheet,) = explore(tmp_path / "run", tmp_path / "s", data=str(few), only=["neighbours"])
    assert "nearest pictures of 'few'" in sheet.shows


def test_points(tmp_path):
    trained("r3gan_mlp", "ring", tmp_path / "run")
    found = explore(tmp_path / "run", tmp_path / "sheets", film=tmp_path / "way.gif")
    assert [one.name for one in found] == ["interpolation", "neighbours"]
    with Image.open(tmp_path / "way.gif") as film:
        assert film.n_frames > 50


def test_series(tmp_path):
    close = 100 * np.exp(np.random.default_rng(0).normal(0, 0.01, (300, 2)).cumsum(0))
    np.savetxt(tmp_path / "s.csv", close, delimiter=",", header="A,B", comments="")
    sparring.train("series", tmp_path / "s.csv", out=tmp_path / "run", steps=2, quiet=True, batch=4, window=40)
    found = explore(tmp_path / "run", tmp_path / "sheets")
    assert [one.name for one in found] == ["interpolation", "neighbours"]
    with pytest.raises(InputError, match="makes series; films are of pictures or points"):
        explore(tmp_path / "run", tmp_path / "more", film=tmp_path / "way.gif")


def test_tables(tmp_path):
    """Every sample stands above training rows, in the page, with its own values."""
    (tmp_path / "t.csv").write_text("a,b<i>\n" + "\n".join(f"{i % 7},{'xy'[i % 2]}" for i in range(60)))
    sparring.train("table", tmp_path / "t.csv", out=tmp_path / "run", steps=2, quiet=True, batch=8)
    (one,) = explore(tmp_path / "run", tmp_path / "sheets")
    assert [line[0] for line in one.table] == ["", *["sample", "nearest", "nearest"] * 12]
    made = sparring.load(tmp_path / "run").sample(12, seed=0).items
    assert [line[2:] for line in one.table[1::3]] == [tuple(map(str, row)) for row in made.itertuples(index=False)]
    page = (tmp_path / "sheets" / "index.html").read_text()
    assert page.count("<tr") == 37
    assert "b&lt;i&gt;" in page
    assert not list((tmp_path / "sheets").glob("*.png"))


@pytest.mark.parametrize("name", ["pix2pix", "srgan", "cyclegan"])
def test_pictures_of_pictures(name, tmp_path):
    random = np.random.default_rng(0)
    folders = {"pix2pix": ("input", "target"), "cyclegan": ("trainA", "trainB"), "srgan": ("all",)}[name]
    for folder in folders:
        (tmp_path / "data" / folder).mkdir(parents=True)
        for i in range(20):
            pixels = random.integers(0, 255, (16, 16, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "data" / folder / f"{i:02}.png")
    data = tmp_path / "data" / ("all" if name == "srgan" else "")
    small = {"width": 4} if name == "srgan" else {"G": 4}
    sparring.train(name, data, out=tmp_path / "run", steps=2, quiet=True, batch=4, D=4, **small)
    found = explore(tmp_path / "run", tmp_path / "sheets")
    assert [one.name for one in found] == ["made", "saliency"]
    assert "the logits of its patches" in found[1].shows or name == "srgan"

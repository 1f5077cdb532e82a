"""Sheets of what a model has learned, for every kind of data."""

import shutil
import sys
from dataclasses import fields
from functools import partial
from html.parser import HTMLParser

import numpy as np
import pytest
import torch
from benzenes import write_benzenes
from generators import linear, model
from PIL import Image
from sklearn.datasets import load_digits
from torch import nn

import sparring
from sparring import recipes
from sparring.errors import InputError
from sparring.explore import explore
from sparring.explore.explore import draw_sheets
from sparring.explore.invert import invert
from sparring.explore.latents import every_choice, sweep
from sparring.explore.scene import Scene
from sparring.games.prior import Normal, OneHot, Prior, Uniform
from sparring.games.space import between
from sparring.nets import efficientnet_lite

PRIOR = Prior(Normal("z", 3), OneHot("kind", 4), Uniform("c", 2))
ALL = ["samples", "interpolation", "truncation", "sefa", "pca", "probe", "saliency", "neighbors", "inversion"]
SMALL = {"z": 8, "width": 8, "G": 8, "D": 8, "depth": 1, "group": 4, "growth": 4, "base": 64, "most": 8, "kernels": 4,
         "resolution": 32}  # fmt: skip
IMAGE_RECIPES = [name for name in recipes.names() if "images" in [m.kind for m in recipes.find(name).takes]]
if not efficientnet_lite.installed():
    IMAGE_RECIPES.remove("projected")


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """Fewer steps and samples."""
    monkeypatch.setattr("sparring.evaluation.classifier.STEPS", (4, 4))
    monkeypatch.setattr(sys.modules["sparring.explore.invert"], "POOL", 64)
    monkeypatch.setattr(sys.modules["sparring.explore.directions"], "POINTS", 300)
    monkeypatch.setattr("sparring.explore.sheets.invert", partial(invert, steps=8))


def train(name, data, out, **settings):
    recipe = recipes.find(name)
    names = {f.name for f in fields(recipe)}
    wide = {"gan", "gan_leaky", "gan_sigmoid"}
    small = {k: (16,) if k in "GD" and name in wide else v for k, v in SMALL.items() if k in names}
    return sparring.train(recipe.set(small), data, out=out, steps=2, quiet=True, device="cpu", batch=8, **settings)


def cells(sheet, columns, rows, side=8):
    """The gray images of a sheet, (rows * columns, side, side), as numbers."""
    pixels = np.asarray(sheet.picture.convert("L")).astype(float)
    times = pixels.shape[0] // (rows * (side + 1) - 1)
    small = np.pad(pixels[times // 2 :: times, times // 2 :: times], ((0, 1), (0, 1)))
    small = small.reshape(rows, side + 1, columns, side + 1)[:, :side, :, :side]
    return small.swapaxes(1, 2).reshape(-1, side, side)


def test_walk_between_latents():
    a, b = PRIOR.draw(2, torch.device("cpu"))
    walk = between(PRIOR, a, b, 5)
    torch.testing.assert_close(walk[0], a)
    torch.testing.assert_close(walk[-1, :3], b[:3])
    torch.testing.assert_close(walk[-1, 7:], b[7:])
    assert torch.equal(walk[:, 3:7], a[3:7].expand(5, 4))  # one-hot parts have no values in between
    norms = walk[:, :3].norm(dim=1)
    assert norms.min() >= min(norms[0], norms[-1]) * 0.9  # around the origin, not through it


def test_latents_that_differ_in_one_respect():
    z = PRIOR.draw(2, torch.device("cpu"))
    rows = sweep(PRIOR, z, PRIOR.parts[2], 1, 3)
    assert rows[:, 8].tolist() == [-2, 0, 2] * 2
    assert torch.equal(rows[:, :8], z[:, :8].repeat_interleave(3, 0))
    rows = every_choice(PRIOR, z, PRIOR.parts[1])
    assert torch.equal(rows[:, 3:7], torch.eye(4).repeat(2, 1))
    assert torch.equal(rows[:, :3], z[:, :3].repeat_interleave(4, 0))


class Links(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.images, self.places, self.targets = [], set(), set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.images += [attributes["src"]] if tag == "img" else []
        self.places.add(attributes.get("id"))
        if tag == "a":
            self.targets.add(attributes["href"].removeprefix("#"))


OWN = {
    "latent": ["reconstruction", "between"],
    "infogan": ["category", "continuous-1", "continuous-2"],
    "mgan": ["generator"],
    "stylegan2": ["style-mixing"],
    "vae": ["reconstruction", "between"],
    "vaegan": ["reconstruction", "between"],
}


@pytest.mark.parametrize("name", IMAGE_RECIPES)
def test_every_recipe_for_images(name, tmp_path):
    """It has its own sheets, none of them blank, and a page that shows all; alternately with and without labels."""
    labels = name in ("acgan", "stylegan2", "vae", "cgan", "r3gan") or IMAGE_RECIPES.index(name) % 3 == 0
    made = train(name, "digits", tmp_path / "run", labels=labels)
    only = ["sefa", "pca", "saliency", "inversion", *(["interpolation"] if name in OWN else [])]
    only += [own if own == "style-mixing" else own.split("-")[0] for own in OWN.get(name, [])]
    only = [one for one in dict.fromkeys(only) if name != "vae" or one != "saliency"]
    found = explore(tmp_path / "run", tmp_path / "sheets", only=only)
    names = [one.name for one in found]
    assert set(OWN.get(name, [])) <= set(names)
    assert {"sefa-1", "pca-1", "inversion"} <= set(names)
    assert ("saliency" in names) == (name != "vae")
    page = Links((tmp_path / "sheets" / "index.html").read_text())
    assert page.images == [f"{one}.png" for one in names]
    assert page.targets == set(names) <= page.places
    for path in (tmp_path / "sheets").glob("*.png"):
        with Image.open(path) as picture:
            assert np.asarray(picture.convert("L")).std() > 0.5, path.name
    assert made.game.classes == (10 if labels else 0)


def test_sheets_are_reproducible(tmp_path):
    train("dcgan", "digits", tmp_path / "run", labels=False)
    kinds = [name for name in ALL if name not in ("probe", "inversion")]
    first, again = (explore(tmp_path / "run", tmp_path / f"{i}", seed=3, only=kinds) for i in range(2))
    assert [one.name.split("-")[0] for one in first][:5] == ["samples", "interpolation", "truncation", "sefa", "sefa"]
    for a, b in zip(first, again, strict=True):
        apart = np.asarray(a.picture).astype(int) - np.asarray(b.picture)
        assert (np.abs(apart) <= 2).mean() > 0.99, a.name
    (other,) = explore(tmp_path / "run", tmp_path / "other", seed=4, only=["interpolation"])
    assert not np.array_equal(np.asarray(other.picture), np.asarray(first[0].picture))


def test_reconstructions_resemble_held_out_images(tmp_path):
    """The second row of a trained VAE resembles the first."""
    made = sparring.train("vae", "digits", out=tmp_path / "run", steps=400, quiet=True, width=16, z=8, labels=False)
    (sheet,) = explore(tmp_path / "run", tmp_path / "s", only=["reconstruction"])
    pixels = np.asarray(sheet.picture).astype(float)
    side = pixels.shape[0] // 8
    real, again, other = pixels[:side], pixels[side : 2 * side], pixels[2 * side : 3 * side]
    assert np.abs(real - again).mean() < 0.7 * np.abs(other - again).mean()
    assert made.game.averaged == ("E", "G")


@pytest.mark.parametrize("labels", [False, True])
def test_walks_between_real_items_begin_and_end_at_their_reconstructions(labels, tmp_path):
    made = sparring.train("vae", "digits", out=tmp_path / "run", steps=3, quiet=True, width=16, z=8, labels=labels)
    scene = Scene(made)
    (sheet,) = draw_sheets(scene, ["between"])
    n, steps = made.modality.walk_grid
    batch = scene.examples(2 * n)
    again = made.game.reconstruct(batch["values"], scene.condition_of(batch))
    drawn = np.concatenate([cells(sheet, steps, n)[i * steps : (i + 1) * steps : steps - 1] for i in range(n)])
    np.testing.assert_allclose(drawn, scene.pixels(again)[..., 0], atol=1)


def test_a_walk_between_given_molecules(tmp_path):
    write_benzenes(tmp_path / "benzenes.smi")
    fields = {"width": 8, "code_length": 4, "embedding": 4, "G": 8, "D": 8, "z": 4, "batch": 16}
    sparring.train("latentgan", tmp_path / "benzenes.smi", out=tmp_path / "run", steps=4, quiet=True, **fields)
    (tmp_path / "two.smi").write_text("Cc1ccccc1\nOc1ccccc1\n")
    (sheet,) = explore(tmp_path / "run", tmp_path / "s", only=["between"], data=str(tmp_path / "two.smi"))
    assert "between two molecules of 'two'" in sheet.caption
    assert sheet.picture.width > 4 * sheet.picture.height  # one walk


def test_a_given_image_next_to_its_nearest(tmp_path):
    """A training image is its own nearest neighbor; an image of another size is resized."""
    train("dcgan", "digits", tmp_path / "run", labels=True)
    digit = np.round(load_digits().images[0] * (255 / 16)).astype(np.uint8)
    Image.fromarray(digit).resize((16, 16), Image.Resampling.NEAREST).save(tmp_path / "zero.png")
    (sheet,) = explore(tmp_path / "run", tmp_path / "s", only=["inversion"], image=tmp_path / "zero.png", label="0")
    given, made, apart, nearest = cells(sheet, 1, 4)
    assert np.abs(given - digit).mean() < 12  # up to the filter that reduces it
    assert np.abs(nearest - digit).mean() < 4
    assert np.abs(np.abs(given - made) - apart).max() < 3


def test_a_label_holds_for_all_samples():
    """Unless one is given, classes take turns."""
    made = model(linear([0.001] * 3)[0], classes=5, width=3)
    with torch.no_grad():
        made.game.G[0].bias.zero_()
    for asked, expected in (({"label": "e"}, [4] * 8), ({}, [0, 1, 2, 3, 4, 0, 1, 2])):
        (sheet,) = draw_sheets(Scene(made, asked=asked), ["interpolation"])
        rows = cells(sheet, 11, 8).reshape(8, -1).mean(1)
        assert rows == pytest.approx([(0.2 * k + 1) * 127.5 for k in expected], abs=2)


def test_a_probe_moves_samples_towards_a_label(monkeypatch):
    """For a model that is linear in the principal components of the digits, with a classifier of the real ones."""
    monkeypatch.setattr("sparring.evaluation.classifier.STEPS", (80, 80))
    digits = torch.from_numpy(load_digits().data).float() / 8 - 1
    _, sizes, found = torch.pca_lowrank(digits, 12)
    net = nn.Linear(12, 64)
    with torch.no_grad():
        net.weight.copy_(found * sizes / len(digits) ** 0.5)
        net.bias.copy_(digits.mean(0))
    sheets = draw_sheets(Scene(model(net, width=12)), ["probe"])
    assert {one.name for one in sheets} >= {"probe-0", "probe-4"}
    zero = digits[load_digits().target == 0].mean(0).view(8, 8).numpy()
    rows = cells(next(one for one in sheets if one.name == "probe-0"), 11, 8).reshape(8, 11, 8, 8)
    apart = np.square(rows - (zero + 1) * 127.5).mean((0, 2, 3))
    assert apart[8] < apart[5] < apart[0]  # two deviations towards the label, none, three away from it


def test_sheets_that_cannot_be_drawn_are_left_out(tmp_path, capsys):
    """Without the training data the other sheets are drawn, and a given image can be inverted."""
    (tmp_path / "data").mkdir()
    np.save(tmp_path / "data" / "p.npy", np.random.default_rng(0).integers(0, 255, (40, 8, 8), dtype=np.uint8))
    train("dcgan", tmp_path / "data" / "p.npy", tmp_path / "run")
    shutil.rmtree(tmp_path / "data")
    found = explore(tmp_path / "run", tmp_path / "s", quiet=False)
    assert {one.name.split("-")[0] for one in found} == {"samples", "interpolation", "truncation", "sefa", "pca"}
    output = capsys.readouterr().out
    assert "neighbors is left out: there is no data set or path" in output
    assert "say where the data are now with --data" in output
    Image.new("L", (8, 8), 99).save(tmp_path / "gray.png")
    (own,) = explore(tmp_path / "run", tmp_path / "o", only=["inversion"], image=tmp_path / "gray.png")
    assert "nearest real images are not shown" in own.caption
    with pytest.raises(InputError, match="there is no data set or path"):
        explore(tmp_path / "run", tmp_path / "n", only=["neighbors"])


def gray(folder, count, channels=1, start=0):
    """A folder of different images."""
    folder.mkdir()
    random = np.random.default_rng(start)
    for i in range(count):
        pixels = random.integers(0, 255, (8, 8, channels), dtype=np.uint8).squeeze()
        Image.fromarray(pixels).save(folder / f"{i:02}.png")
    return folder


def test_training_images_are_not_called_held_out(tmp_path):
    """Of 40 images 4 are held out, and only those are shown; of 12 none is, and the captions say so."""
    for count, held, words in ((40, 4, "held-out images"), (12, 8, "training images (too few to hold some out)")):
        run = tmp_path / f"run{count}"
        train("dcgan", gray(tmp_path / f"p{count}", count), run, labels=False)
        found = explore(run, tmp_path / f"s{count}", only=["inversion", "saliency"])
        inversion = next(one for one in found if one.name == "inversion")
        assert inversion.caption.startswith(words)
        assert ("nearest" in inversion.caption) == (count == 40)  # a training image is the nearest to itself
        assert f"below in {words}" in next(one for one in found if one.name == "saliency").caption
        kinds = 4 if count == 40 else 3
        given = cells(inversion, held, kinds)[:held]
        files = [np.asarray(Image.open(path)) for path in sorted((tmp_path / f"p{count}").iterdir())]
        shown = {int(np.argmin([np.abs(x - file).mean() for file in files])) for x in given}
        scene = Scene(sparring.load(run))
        data = scene.real.data
        assert shown == set((data.held if count == 40 else data.train[:8]).tolist())


def test_fewer_real_images_than_samples(tmp_path):
    """With 8 samples and 2 real images, each group still starts in a row of its own."""
    train("dcgan", gray(tmp_path / "p", 20), tmp_path / "run", labels=False)
    (sheet,) = explore(tmp_path / "run", tmp_path / "s", only=["saliency"])
    real = cells(sheet, 8, 6)[24:32]
    assert (real[2:] > 250).all()
    assert (real[:2].mean((1, 2)) < 250).all()


def test_other_data_are_named(tmp_path):
    """Captions do not call other data training data, and report a conversion of colors."""
    train("dcgan", "digits", tmp_path / "run", labels=False)
    other = gray(tmp_path / "other", 30, channels=3)
    found = explore(tmp_path / "run", tmp_path / "s", data=str(other), only=["neighbors", "inversion", "saliency"])
    for one in found:
        assert "training" not in one.caption
        assert "images of 'other' (color, converted to gray)" in one.caption
    (same,) = explore(tmp_path / "run", tmp_path / "o", only=["neighbors"])
    assert "its nearest training images, with" in same.caption


def test_a_few_images_suffice_for_neighbors(tmp_path):
    """Evaluation needs 18 items; the search for nearest ones does not."""
    train("dcgan", "digits", tmp_path / "run", labels=False)
    few = gray(tmp_path / "few", 3)
    (sheet,) = explore(tmp_path / "run", tmp_path / "s", data=str(few), only=["neighbors"])
    assert "nearest images of 'few'" in sheet.caption


def test_points(tmp_path):
    train("r3gan_mlp", "ring", tmp_path / "run")
    found = explore(tmp_path / "run", tmp_path / "sheets", film=tmp_path / "walk.gif")
    names = list(dict.fromkeys(one.name.split("-")[0] for one in found))
    assert names == ["samples", "interpolation", "truncation", "sefa", "pca", "neighbors"]
    with Image.open(tmp_path / "walk.gif") as film:
        assert film.n_frames > 50


def test_series(tmp_path):
    close = 100 * np.exp(np.random.default_rng(0).normal(0, 0.01, (300, 2)).cumsum(0))
    np.savetxt(tmp_path / "s.csv", close, delimiter=",", header="A,B", comments="")
    sparring.train("series", tmp_path / "s.csv", out=tmp_path / "run", steps=2, quiet=True, batch=4, window=40)
    found = explore(tmp_path / "run", tmp_path / "sheets")
    assert [one.name for one in found] == ["samples", "interpolation", "truncation", "neighbors"]
    with pytest.raises(InputError, match="generates paths, of which films cannot be made"):
        explore(tmp_path / "run", tmp_path / "more", film=tmp_path / "walk.gif")


def test_tables(tmp_path):
    """The page has every sample with its own values, above its nearest training rows."""
    (tmp_path / "t.csv").write_text("a,b<i>\n" + "\n".join(f"{i % 7},{'xy'[i % 2]}" for i in range(60)))
    sparring.train("table", tmp_path / "t.csv", out=tmp_path / "run", steps=2, quiet=True, batch=8)
    samples, one = explore(tmp_path / "run", tmp_path / "sheets")
    assert (samples.name, one.name) == ("samples", "neighbors")
    assert [line[0] for line in one.table] == ["", *["sample", "nearest", "nearest"] * 12]
    made = sparring.load(tmp_path / "run").sample(12, seed=0).items
    assert [line[2:] for line in one.table[1::3]] == [tuple(map(str, row)) for row in made.itertuples(index=False)]
    page = (tmp_path / "sheets" / "index.html").read_text()
    assert page.count("<tr") == 37
    assert "b&lt;i&gt;" in page
    assert [path.name for path in (tmp_path / "sheets").glob("*.png")] == ["samples.png"]


@pytest.mark.parametrize("name", ["pix2pix", "srgan", "cyclegan"])
def test_translation(name, tmp_path):
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
    assert [one.name for one in found] == ["results", "saliency"]
    assert "the logits of its patches" in found[1].caption or name == "srgan"

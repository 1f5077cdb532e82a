"""A kind of data that declares nothing about exploring still has useful sheets."""

from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image, ImageSequence
from torch import nn

from sparring.data.items import Items
from sparring.errors import InputError
from sparring.explore.explore import draw_sheets
from sparring.explore.film import check_film, write_film
from sparring.explore.invert import invert
from sparring.explore.scene import Scene
from sparring.explore.sheets import drawings
from sparring.games.game import Game
from sparring.games.prior import OneHot, Prior, Uniform, normal
from sparring.modalities import Modality
from sparring.modalities.base import Encoded, Words
from sparring.modalities.exploring import neighbors
from sparring.model import Model

LENGTH = 5


@dataclass(frozen=True)
class Colors(Modality):
    """Sequences of five colors; networks see them as (15,) in [-1, 1]."""

    kind = "colors"
    words = Words("palette", "palettes")
    features_name = "colors"

    @property
    def shape(self):
        return (3 * LENGTH,)

    def fit(self, items):  # noqa: ARG002
        return self

    def encode(self, items, progress=None):  # noqa: ARG002
        return Encoded({"values": torch.from_numpy(items.items.reshape(len(items), -1))}, np.arange(len(items)))

    def scale(self, encoded):
        return encoded.float() / 127.5 - 1

    def unscale(self, values):
        return (127.5 * (values + 1)).round().clamp(0, 255).byte()

    def decode(self, samples, start=0):  # noqa: ARG002
        return self.unscale(samples["values"]).view(-1, LENGTH, 3).cpu().numpy()

    def preview(self, samples):
        return Image.fromarray(samples.items)

    def features(self, samples):
        return samples["values"]


class Palettes(Game):
    """Palettes from latents by one layer; blue is set by the class, if there are classes."""

    def __init__(self, prior, classes=0, batch_dependent=False):
        super().__init__()
        self.prior, self.classes, self.batch_dependent = prior, classes, batch_dependent
        torch.manual_seed(0)
        self.G = nn.Sequential(nn.Linear(prior.width, 3 * LENGTH), nn.Tanh())

    def values(self, z, condition):
        values = self.G(z)
        return values if condition is None else torch.where(torch.arange(15) % 3 == 2, condition[:, None] * 1.0, values)


def scene(prior=None, classes=0, batch_dependent=False, copies=()):
    modality = Colors(classes=tuple("ab"[:classes]), counts=(20,) * classes)
    recipe = SimpleNamespace(name="palettes", labels=None, batch=4)
    about = {"data": "palettes", "name": "palettes", "step": 1, "items": 40, "seconds": 1.0}
    made = Scene(Model(recipe, modality, Palettes(prior or normal(4), classes, batch_dependent), about))
    pixels = np.random.default_rng(0).integers(0, 255, (40, LENGTH, 3), dtype=np.uint8)
    for i, copy in enumerate(copies):
        pixels[i] = copy
    made.__dict__["items"] = Items("palettes", "colors", pixels)  # as if they had been read
    return made


def test_sheets_of_a_new_kind():
    """Previews of its samples on walks, and next to training items."""
    sheets = {one.name: one for one in draw_sheets(scene())}
    along = [f"{method}-{i}" for method in ("sefa", "pca") for i in range(1, 5)]
    assert list(sheets) == ["samples", "interpolation", "truncation", *along, "neighbors"]
    assert "its nearest training palettes, with their distances" in sheets["neighbors"].caption
    assert "from 4 held-out palettes" in sheets["neighbors"].caption
    for one in sheets.values():
        assert np.asarray(one.picture).std() > 1, one.name


def test_walks_begin_and_end_with_samples():
    """Each row of the interpolation sheet goes from one sample's colors to another's."""
    drawn = scene()
    rows, steps = Colors.walk_grid
    (sheet,) = draw_sheets(drawn, ["interpolation"])
    pixels = np.asarray(sheet.picture)
    tile = (pixels.shape[1] + 4) // steps
    samples = drawn.model.sample(2 * rows, seed=0).items
    centers = [row * ((pixels.shape[0] + 4) // rows) + 6 for row in range(rows)]
    for row, top in enumerate(centers):
        assert np.abs(pixels[top, 2].astype(int) - samples[row, 0]).max() <= 1
        assert np.abs(pixels[top, (steps - 1) * tile + 2].astype(int) - samples[rows + row, 0]).max() <= 1


def test_copies_are_shown_at_distance_0():
    planted = scene(copies=scene().model.sample(8, seed=0).items)
    train = set(planted.split.train.tolist())
    distances = neighbors(planted.model.modality, planted, 8, 1).distances[:, 0]
    assert [bool(d < 1e-3) for d in distances] == [i in train for i in range(8)]


def test_codes_and_classes():
    drawn = scene(Prior(*normal(3).parts, OneHot("kind", 4), Uniform("hue", 2)), classes=2)
    assert {"kind", "hue"} <= set(drawings(drawn))
    names = [one.name for one in draw_sheets(drawn, ["kind", "hue"])]
    assert names == ["kind", "hue-1", "hue-2"]
    (asked,) = draw_sheets(replace(drawn, asked={"label": "b"}), ["samples"])
    assert (np.asarray(asked.picture)[..., 2] == 255).mean() > 0.9


def test_without_a_latent_space():
    """Samples and neighbors remain."""
    drawn = scene(batch_dependent=True)
    assert [one.name for one in draw_sheets(drawn)] == ["samples", "neighbors"]
    with pytest.raises(InputError, match="recipe 'palettes' has no sheet 'interpolation'; choose from samples"):
        draw_sheets(drawn, ["interpolation"])


def test_a_film(tmp_path):
    drawn = scene()
    check_film(tmp_path / "walk.gif", drawn, force=False)
    write_film(drawn, tmp_path / "walk.gif")
    with Image.open(tmp_path / "walk.gif") as film:
        assert sum(1 for _ in ImageSequence.Iterator(film)) > 50
    with pytest.raises(InputError, match="of which films cannot be made"):
        check_film(tmp_path / "other.gif", scene(batch_dependent=True), force=False)


def test_only_images_are_inverted():
    with pytest.raises(InputError, match="generates palettes; only images can be inverted"):
        invert(scene().model, np.zeros((1, 8, 8, 3), np.uint8))

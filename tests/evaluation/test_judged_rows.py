"""Rows of a table are judged beside real rows and beside three cheats, none of which looks like a good generator."""

import numpy as np
import pandas as pd
import pytest

import sparring
from sparring.errors import InputError
from sparring.evaluation import compare, evaluate
from sparring.modalities import Table
from sparring.modalities.tables.judge import TableJudge
from sparring.modalities.tables.reading import of_frame


def people(n, seed):
    """Ages, incomes that go with them, and a class that goes with both."""
    random = np.random.default_rng(seed)
    age = random.integers(18, 80, n)
    income = np.round(age * random.lognormal(3, 0.08, n))
    rich = np.where(random.random(n) < 1 / (1 + np.exp(10 - income / 100)), "yes", "no")
    return pd.DataFrame({"age": age, "income": income, "town": random.choice(["a", "b", "c"], n), "rich": rich})


@pytest.fixture(scope="module")
def against():
    train = people(3000, 0)
    return TableJudge(Table().fit(of_frame(train)), train, people(1500, 1))


def values(numbers):
    return {number.name: number.value for number in numbers}


def test_no_cheat_looks_like_real_rows(against):
    real, cheats = values(against.floor), {name: values(numbers) for name, numbers in against.baselines.items()}
    assert real["told apart[auc]"] == pytest.approx(0.5, abs=0.05)
    assert real["closer to training"] == pytest.approx(0.5, abs=0.05)
    assert cheats["independent"]["learnt from[rich auc]"] < 0.6 < real["learnt from[rich auc]"] - 0.1
    assert cheats["shuffled in class"]["told apart[auc]"] > real["told apart[auc]"] + 0.1
    assert cheats["shuffled in class"]["pair trends"] < real["pair trends"]
    assert cheats["copy"]["copies"] == 1
    assert cheats["copy"]["closer to training"] > 0.8


def test_findings_name_what_is_wrong_and_nothing_else(against):
    def named(frame):
        rows = against.modality.rows(frame)
        return {trouble.name for trouble in against.findings(rows, against.numbers(rows))}

    assert named(people(3000, 2)) == set()
    shifted = people(3000, 2).assign(age=lambda f: f["age"] // 2)
    assert "columns are off" in named(shifted)
    assert named(people(3000, 0)) == {"copies"}
    alone = people(3000, 2)
    alone["income"] = alone["income"].sample(frac=1, random_state=0).to_numpy()
    assert named(alone) == {"easily told from real rows"}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rows")
    people(400, 0).to_csv(folder / "people.csv", index=False)
    people(300, 5).to_csv(folder / "others.csv", index=False)
    small = {"steps": 20, "quiet": True, "device": "cpu", "batch": 50, "z": 8}
    for name, fields in (("table", {"width": 16, "D": 16}), ("ctgan", {"G": (16,), "D": (16,)})):
        sparring.train(name, folder / "people.csv", out=folder / name, **small, **fields)
    return folder


def test_evaluate_and_compare(runs, tmp_path):
    found = evaluate(runs / "table", samples=200)
    assert found.head == ["metric", "samples", "real", "independent", "shuffled in class", "copy"]
    assert found.samples == 200
    assert found.of_baseline("copy", "copies") == 1
    assert evaluate(runs / "table", against=runs / "others.csv", samples=200).real == 300
    both = compare([runs / "table", runs / "ctgan"], tmp_path / "page", samples=200)
    assert [c.name for c in both] == ["table", "ctgan"]
    assert "shuffled in class" in (tmp_path / "page" / "README.md").read_text()


def test_what_cannot_be_judged(runs, tmp_path):
    with pytest.raises(InputError, match="are not for rows"):
        evaluate(runs / "table", features=["patches"])
    with pytest.raises(InputError, match="5 rows cannot be judged"):
        evaluate(runs / "table", samples=5)
    pd.DataFrame({"age": range(30), "town": "a"}).to_csv(tmp_path / "less.csv", index=False)
    with pytest.raises(InputError, match="has no column 'income'"):
        evaluate(runs / "table", against=tmp_path / "less.csv")

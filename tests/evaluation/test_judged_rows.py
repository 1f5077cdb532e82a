"""The judge of tables: real rows and three trivial baselines, none of which looks like a good generator."""

import numpy as np
import pandas as pd
import pytest

import sparring
from sparring.errors import InputError
from sparring.evaluation import compare, evaluate
from sparring.modalities import Table
from sparring.modalities.tables.judge import TableJudge
from sparring.modalities.tables.reading import of_frame

pytestmark = pytest.mark.usefixtures("brief_classifiers")


def people(n, seed):
    """Ages, incomes that depend on them, and a class that depends on the income."""
    random = np.random.default_rng(seed)
    age = random.integers(18, 80, n)
    income = np.round(age * random.lognormal(3, 0.08, n))
    rich = np.where(random.random(n) < 1 / (1 + np.exp(10 - income / 100)), "yes", "no")
    return pd.DataFrame({"age": age, "income": income, "town": random.choice(["a", "b", "c"], n), "rich": rich})


@pytest.fixture(scope="module")
def judge():
    train = people(3000, 0)
    return TableJudge(Table().fit(of_frame(train)), train, people(1500, 1))


def values(numbers):
    return {number.name: number.value for number in numbers}


def test_no_baseline_looks_like_real_rows(judge):
    real, baselines = values(judge.floor), {name: values(numbers) for name, numbers in judge.baselines.items()}
    assert real["c2st_auc"] == pytest.approx(0.5, abs=0.05)
    assert real["dcr_share"] == pytest.approx(0.5, abs=0.05)
    assert baselines["independent"]["tstr[rich auc]"] < 0.6 < real["tstr[rich auc]"] - 0.1
    assert baselines["shuffled_within_class"]["c2st_auc"] > real["c2st_auc"] + 0.1
    assert baselines["shuffled_within_class"]["column_pair_trends"] < real["column_pair_trends"]
    assert baselines["copy"]["exact_copy_share"] == 1
    assert baselines["copy"]["dcr_share"] > 0.8


def test_findings_name_the_problems_and_nothing_else(judge):
    def named(frame):
        rows = judge.modality.rows(frame)
        return {finding.name for finding in judge.findings(rows, judge.numbers(rows))}

    assert named(people(3000, 2)) == set()
    shifted = people(3000, 2).assign(age=lambda f: f["age"] // 2)
    assert "columns with a wrong distribution" in named(shifted)
    assert named(people(3000, 0)) == {"copies"}
    independent = people(3000, 2)
    independent["income"] = independent["income"].sample(frac=1, random_state=0).to_numpy()
    assert named(independent) == {"easy to distinguish from real rows"}


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
    evaluation = evaluate(runs / "table", samples=200)
    assert evaluation.head == ["metric", "samples", "real", "independent", "shuffled_within_class", "copy"]
    assert evaluation.samples == 200
    assert evaluation.of_baseline("copy", "exact_copy_share") == 1
    assert evaluate(runs / "table", against=runs / "others.csv", samples=200).real == 300
    compared = compare([runs / "table", runs / "ctgan"], tmp_path / "page", samples=200)
    assert [c.name for c in compared] == ["table", "ctgan"]
    assert "shuffled_within_class" in (tmp_path / "page" / "README.md").read_text()


def test_invalid_evaluations(runs, tmp_path):
    with pytest.raises(InputError, match="is not for rows"):
        evaluate(runs / "table", features=["patches"])
    with pytest.raises(InputError, match="5 rows are too few"):
        evaluate(runs / "table", samples=5)
    pd.DataFrame({"age": range(30), "town": "a"}).to_csv(tmp_path / "less.csv", index=False)
    with pytest.raises(InputError, match="has no column 'income'"):
        evaluate(runs / "table", against=tmp_path / "less.csv")

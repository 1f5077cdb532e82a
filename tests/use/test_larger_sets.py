"""Enlarging labelled sets, and what that is said to do."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_1samp

import sparring
from sparring.errors import InputError
from sparring.modalities import find
from sparring.use import Augmented, augment
from sparring.use.strategies import Labelled, measured


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A run of a table in which one class in six is rare."""
    folder = tmp_path_factory.mktemp("table")
    random = np.random.default_rng(0)
    sick = random.random(600) < 1 / 6
    frame = pd.DataFrame(
        {
            "age": (random.normal(50, 10, 600) + 25 * sick).round(),
            "pulse": random.normal(70, 8, 600).round(1),
            "sex": random.choice(["f", "m"], 600),
            "state": np.where(sick, "sick", "well"),
        }
    )
    frame.loc[:9, "pulse"] = None
    frame.to_csv(folder / "people.csv", index=False)
    sparring.train(
        "table", folder / "people.csv", out=folder / "run", steps=40, quiet=True, device="cpu", width=32, D=32
    )
    return folder / "run"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    settings = {"steps": 5, "quiet": True, "device": "cpu", "labels": True}
    sparring.train("gan", "digits", out=folder / "run", **settings)
    return folder / "run"


def test_a_table_is_enlarged_and_judged(table, tmp_path):
    found = augment(table, tmp_path / "more.csv", n=90, seeds=2)
    assert list(found.scores) == ["nothing", "class weights", "SMOTE", "samples", "samples of the rare"]
    assert all(len(values) == 2 for scores in found.scores.values() for values in scores.values())
    assert found.scores["nothing"]["auc"][0] > 0.7  # age tells
    written, real = find(tmp_path / "more.csv").items, find(table.parent / "people.csv").items
    assert len(written) == found.written[0] + 90
    assert written.columns.tolist() == real.columns.tolist()
    # The first rows are the real ones that were trained on, untouched.
    merged = written.head(found.written[0]).merge(real.drop_duplicates(), how="left", indicator=True)
    assert (merged["_merge"] == "both").all()
    assert json.loads((table / "augmentation.json").read_text())["written"] == list(found.written)


def test_the_same_seeds_give_the_same_numbers(table, tmp_path):
    a, b = (augment(table, tmp_path / f"{i}.csv", n=50, seeds=1, without=["SMOTE"]) for i in range(2))
    assert a.scores == b.scores
    assert "SMOTE" not in a.scores
    assert (tmp_path / "0.csv").read_bytes() == (tmp_path / "1.csv").read_bytes()


def test_rare_classes_become_as_frequent(table, tmp_path):
    augment(table, tmp_path / "even.csv", rare=True, seeds=1, without=["SMOTE"])
    counts = find(tmp_path / "even.csv").items["state"].value_counts()
    assert counts["sick"] == counts["well"]


def test_pictures_are_enlarged_and_judged(pictures, tmp_path):
    found = augment(pictures, tmp_path / "more", n=30, seeds=1, without=["SMOTE", "samples of the rare"])
    assert found.scores["nothing"]["accuracy"][0] > 0.8
    items = find(tmp_path / "more")
    assert items.classes == tuple("0123456789")
    assert len(items) == found.written[0] + 30
    again = sorted(p.stem for p in (tmp_path / "more").rglob("*.png"))
    assert len(set(again)) == len(again)


def test_smote_lies_between_neighbours_of_the_rare(pictures):
    from sparring.evaluation.real import read
    from sparring.use.labeled_images import OfPictures

    model = sparring.load(pictures)
    strategies = OfPictures(model, read(model.modality, find("digits"))[0], None, 10)
    some = np.concatenate([np.flatnonzero(strategies.labels == 0)[:40], np.flatnonzero(strategies.labels == 1)[:8]])
    real = strategies.real(some)
    made = strategies.all()["SMOTE"](real, 0)
    assert np.bincount(made.labels).tolist() == [40, 40]
    rare = real.items[40:].float()
    new = made.items[48:].float()
    assert (new <= rare.amax(0) + 1).all()
    assert (new >= rare.amin(0) - 1).all()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"target": "age"}, "is a number; say which category"),
        ({"target": "agee"}, "makes no column 'agee'; did you mean 'age'"),
        ({"seeds": 0}, "0 seeds show nothing"),
        ({"rare": True, "n": 5}, "leave n out"),
        ({"against": "digits"}, "holds images, but the model makes rows"),
        ({"without": ["smote"]}, "'smote' cannot be left out; choose from SMOTE"),
    ],
)
def test_what_cannot_be_asked(table, settings, said, tmp_path):
    with pytest.raises(InputError, match=said):
        augment(table, tmp_path / "more.csv", **settings)
    assert not (tmp_path / "more.csv").exists()


def test_what_cannot_be_enlarged(tmp_path):
    model = sparring.train("gan", "digits", out=tmp_path / "run", steps=1, quiet=True, device="cpu", labels=False)
    with pytest.raises(InputError, match="trained without labels"):
        augment(model, tmp_path / "more")
    points = sparring.train("r3gan_mlp", "ring", out=tmp_path / "ring", steps=1, quiet=True, device="cpu")
    with pytest.raises(InputError, match="makes points; labelled pictures"):
        augment(points, tmp_path / "more.csv")


def test_a_gain_is_told_with_its_interval():
    scores = {"nothing": {"auc": [0.8, 0.81, 0.79, 0.8]}, "samples": {"auc": [0.85, 0.85, 0.85, 0.84]}}
    found = Augmented("", scores, (1, 1))
    gain, width = found.gain("samples")
    differences = np.subtract(scores["samples"]["auc"], scores["nothing"]["auc"])
    interval = ttest_1samp(differences, 0).confidence_interval(
        0.95
    )  # of the mean; of one more seed it is twice as wide
    assert gain == pytest.approx(differences.mean())
    assert width == pytest.approx(interval.high - interval.low)
    assert "better than nothing" in found.verdict("samples")
    same = Augmented("", {"nothing": scores["nothing"], "samples": {"auc": [0.8, 0.8, 0.8, 0.8]}}, (1, 1))
    assert "no difference that these seeds can show" in same.verdict("samples")
    worse = Augmented("", {"nothing": scores["samples"], "samples": scores["nothing"]}, (1, 1))
    assert "worse than nothing" in worse.verdict("samples")


def test_measures_of_a_classifier_that_knows_all_and_one_that_knows_nothing():
    truth = np.array([0, 0, 0, 1])
    assert measured(truth, np.eye(2)[truth]) == {"auc": 1, "f1": 1, "accuracy": 1, "balanced": 1}
    blind = measured(truth, np.tile([0.6, 0.5], (4, 1)))
    assert blind["accuracy"] == 0.75
    assert blind["balanced"] == 0.5
    assert blind["auc"] == 0.5


def test_classes_keep_their_shares(table):
    from sparring.use.augment import _strategies

    strategies = _strategies(sparring.load(table), 7, "", None)
    real = Labelled(None, np.array([0] * 5 + [1]))
    assert strategies.as_often(real.labels).tolist() == [6, 1]
    assert strategies.of_the_rare(real.labels).tolist() == [0, 4]

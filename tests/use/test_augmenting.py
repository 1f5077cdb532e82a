"""Augmenting labeled data sets, and measuring the effect on classifiers."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_1samp

import sparring
from sparring.data import Items
from sparring.errors import InputError
from sparring.evaluation.evaluate import training_data
from sparring.evaluation.real import Real, read
from sparring.modalities import Points, find
from sparring.modalities.dataset import assemble
from sparring.use import Augmentation, augment
from sparring.use.labeled import EncodedSet
from sparring.use.strategies import REAL_ONLY, Labeled, Strategies, metrics


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A run on a table with a class that one row in six has."""
    folder = tmp_path_factory.mktemp("table")
    random = np.random.default_rng(0)
    sick = random.random(600) < 1 / 6
    frame = pd.DataFrame(
        {
            "age": (random.normal(50, 10, 600) + 25 * sick).round(),
            "pulse": random.normal(70, 8, 600).round(1),
            "sex": random.choice(["f", "m"], 600),
            "state": np.where(sick, "sick", "well"),
            "name": [f"n{i}" for i in range(600)],
        }
    )
    frame.loc[:9, "pulse"] = None
    frame.to_csv(folder / "people.csv", index=False)
    sparring.train(
        "table",
        folder / "people.csv",
        out=folder / "run",
        steps=40,
        quiet=True,
        device="cpu",
        width=32,
        D=32,
        columns="name=omit",
    )
    return folder / "run"


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    settings = {"steps": 5, "quiet": True, "device": "cpu", "labels": True}
    sparring.train("gan", "digits", out=folder / "run", **settings)
    return folder / "run"


def test_a_table_is_augmented_and_evaluated(table, tmp_path):
    result = augment(table, tmp_path / "more.csv", n=90, seeds=2)
    assert list(result.scores) == [REAL_ONLY, "class weights", "SMOTE", "samples", "samples of rare classes"]
    assert all(len(values) == 2 for scores in result.scores.values() for values in scores.values())
    assert result.scores[REAL_ONLY]["auc"][0] > 0.7  # age predicts the state
    written, real = find(tmp_path / "more.csv").items, find(table.parent / "people.csv").items
    assert len(written) == result.written[0] + 90
    assert written.columns.tolist() == ["age", "pulse", "sex", "state"]  # not what the model leaves out
    # The first rows are the real ones that were trained on, unchanged.
    merged = written.head(result.written[0]).merge(
        real.drop(columns="name").drop_duplicates(), how="left", indicator=True
    )
    assert (merged["_merge"] == "both").all()
    assert json.loads((table / "augmentation.json").read_text())["written"] == list(result.written)


def test_the_same_seeds_give_the_same_scores(table, tmp_path):
    a, b = (augment(table, tmp_path / f"{i}.csv", n=50, seeds=1, without=["SMOTE"]) for i in range(2))
    assert a.scores == b.scores
    assert "SMOTE" not in a.scores
    assert (tmp_path / "0.csv").read_bytes() == (tmp_path / "1.csv").read_bytes()


def test_rare_classes_become_equally_frequent(table, tmp_path):
    augment(table, tmp_path / "even.csv", rare=True, seeds=1, without=["SMOTE"])
    counts = find(tmp_path / "even.csv").items["state"].value_counts()
    assert counts["sick"] == counts["well"]


def test_images_are_augmented_and_evaluated(images, tmp_path):
    result = augment(images, tmp_path / "more", n=30, seeds=1, without=["SMOTE", "samples of rare classes"])
    assert result.scores[REAL_ONLY]["accuracy"][0] > 0.8
    items = find(tmp_path / "more")
    assert items.classes == tuple("0123456789")
    assert len(items) == result.written[0] + 30
    again = sorted(p.stem for p in (tmp_path / "more").rglob("*.png"))
    assert len(set(again)) == len(again)


def test_smote_lies_between_neighbors_of_the_rare_class(images):
    model = sparring.load(images)
    data = EncodedSet(model, read(model.modality, find("digits"))[0], None)
    rows = np.concatenate([np.flatnonzero(data.labels == 0)[:40], np.flatnonzero(data.labels == 1)[:8]])
    real = Labeled(data.items(rows), data.labels[rows])
    enlarged = Strategies(data, 10).by_name()["SMOTE"](real, 0)
    assert np.bincount(enlarged.labels).tolist() == [40, 40]
    rare, new = real.items[40:].float(), enlarged.items[48:].float()
    assert (new <= rare.amax(0) + 1).all()
    assert (new >= rare.amin(0) - 1).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"target": "age"}, "is a number; choose a category"),
        ({"target": "agee"}, "generates no column 'agee'; did you mean 'age'"),
        ({"seeds": 0}, "seeds=0 is out of range"),
        ({"rare": True, "n": 5}, "leave n out"),
        ({"against": "digits"}, "holds images, but the model generates rows"),
        ({"without": ["smote"]}, "there is no such strategy; choose from SMOTE"),
    ],
)
def test_invalid_arguments(table, settings, message, tmp_path):
    with pytest.raises(InputError, match=message):
        augment(table, tmp_path / "more.csv", **settings)
    assert not (tmp_path / "more.csv").exists()


def test_models_without_classes_are_refused(tmp_path):
    model = sparring.train("gan", "digits", out=tmp_path / "run", steps=1, quiet=True, device="cpu", labels=False)
    with pytest.raises(InputError, match="trained without labels"):
        augment(model, tmp_path / "more")
    points = sparring.train("r3gan_mlp", "ring", out=tmp_path / "ring", steps=1, quiet=True, device="cpu")
    with pytest.raises(InputError, match="trained without labels; augmenting points needs labels"):
        augment(points, tmp_path / "more.csv")


def test_the_interval_of_a_gain():
    scores = {REAL_ONLY: {"auc": [0.8, 0.81, 0.79, 0.8]}, "samples": {"auc": [0.85, 0.85, 0.85, 0.84]}}
    result = Augmentation("", scores, (1, 1))
    gain, width = result.gain("samples")
    differences = np.subtract(scores["samples"]["auc"], scores[REAL_ONLY]["auc"])
    interval = ttest_1samp(differences, 0).confidence_interval(
        0.95
    )  # of the mean; of one more seed it is twice as wide
    assert gain == pytest.approx(differences.mean())
    assert width == pytest.approx(interval.high - interval.low)
    assert "better than real items" in result.verdict("samples")
    same = Augmentation("", {REAL_ONLY: scores[REAL_ONLY], "samples": {"auc": [0.8, 0.8, 0.8, 0.8]}}, (1, 1))
    assert "no significant difference" in same.verdict("samples")
    worse = Augmentation("", {REAL_ONLY: scores["samples"], "samples": scores[REAL_ONLY]}, (1, 1))
    assert "worse than real items" in worse.verdict("samples")


def test_metrics_of_perfect_and_of_constant_predictions():
    truth = np.array([0, 0, 0, 1])
    assert metrics(truth, np.eye(2)[truth]) == {"auc": 1, "f1": 1, "accuracy": 1, "balanced": 1}
    constant = metrics(truth, np.tile([0.6, 0.5], (4, 1)))
    assert constant["accuracy"] == 0.75
    assert constant["balanced"] == 0.5
    assert constant["auc"] == 0.5


def test_classes_keep_their_shares(table):
    model = sparring.load(table)
    data = model.modality.labeled_set(model, training_data(model), None, "")
    strategies, labels = Strategies(data, 7), np.array([0] * 5 + [1])
    assert strategies.proportional(labels).tolist() == [6, 1]
    assert strategies.balancing(labels).tolist() == [0, 4]


def test_points_with_labels_are_augmented():
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, 400)
    points = (random.normal(size=(400, 3)) + 2 * labels[:, None]).astype(np.float32)
    data = Items("blobs", "points", points, labels, ("a", "b"))
    modality = Points().fit(data).with_classes(data.classes, labels)
    real = Real("blobs", modality, assemble(modality, data, modality.encode(data), labels))
    labeled = EncodedSet(SimpleNamespace(modality=modality), real, None)
    probabilities = labeled.probabilities(labeled.items(np.arange(len(labeled.labels))), labeled.labels, False, 0)
    assert metrics(labeled.held_labels, probabilities)["auc"] > 0.95
    assert labeled.from_vectors(labeled.vectors(labeled.items(np.arange(5)))[0]).shape == (5, 3)

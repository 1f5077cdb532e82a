"""Tables of the bench: run at toy size, stopped and continued, written as pages."""

import contextlib
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from sparring.bench import TABLES, few_images, image_tables, stacked
from sparring.bench.page import render, write
from sparring.bench.play import play
from sparring.bench.table import Plan, Row
from sparring.console import Screen
from sparring.errors import InputError
from sparring.evaluation.classifier import classifier_of
from sparring.modalities import Images, find
from sparring.modalities.points import mixtures
from sparring.model import load
from sparring.recipes import find as recipe
from sparring.recipes import names

pytestmark = pytest.mark.usefixtures("brief_classifiers")

QUIET = Screen(quiet=True)
TOY = {"G": (8,), "D": (8,), "batch": 8}


@pytest.fixture
def ring():
    return replace(TABLES["ring"], rows=(Row("r3gan_mlp", {"G": (32,)}),), plans={"cpu": Plan(2, {"steps": 40})})


def test_a_table_is_run_and_written(ring, tmp_path):
    played = play(ring, "cpu", tmp_path / "runs", QUIET)
    write(played, tmp_path / "docs", "ring")
    page = (tmp_path / "docs" / "ring.md").read_text()
    assert "| PacGAN2 | 7.9 | 95.6% | 0.070 |  |  |  |  | Lin et al. 2017, arXiv:1712.04086 |" in page
    ours = next(line for line in page.splitlines() if line.startswith("| **r3gan_mlp"))
    qualities = [run.numbers["high quality"] for _, runs in played.rows for run in runs]
    assert f"{np.mean(qualities):.1%} ± {np.std(qualities, ddof=1):.1%}" in ours
    one, two = (load(run.folder).sample(5, seed=0).items for run in played.rows[0][1])
    assert not np.allclose(one, two)  # seeds differ
    assert (tmp_path / "docs" / "ring-r3gan_mlp-G=(32,).png").exists()
    stored = json.loads(next((tmp_path / "runs").glob("*/ring.json")).read_text())
    assert [row["name"] for row in stored["published"]] == ["GAN", "VEEGAN", "PacGAN2", "PacGAN4"]
    assert stored["ours"][0]["numbers"][1]["high quality"] == qualities[1]
    (tmp_path / "docs" / "ring.md").unlink()
    assert render(tmp_path / "docs") == [tmp_path / "docs" / "ring.md"]
    assert (tmp_path / "docs" / "ring.md").read_text() == page
    with pytest.raises(InputError, match="has no results of sparring bench"):
        render(tmp_path / "runs")


def test_a_stopped_table_is_continued(ring, tmp_path, monkeypatch):
    """Runs that have been measured are not trained again; stopped runs are resumed."""
    first = play(ring, "cpu", tmp_path, QUIET, seeds=1)
    trained = []
    real = play.__globals__["train"]
    monkeypatch.setitem(play.__globals__, "train", lambda *a, **s: (trained.append(s["seed"]), real(*a, **s))[1])
    both = play(ring, "cpu", tmp_path, QUIET)
    assert trained == [1]
    assert both.rows[0][1][0] == first.rows[0][1][0]
    play(ring, "cpu", tmp_path, QUIET, steps=41, seeds=1)  # another bound is another run
    assert trained == [1, 0]


def test_runs_with_other_defaults_are_refused(ring, tmp_path):
    """They are neither shown as current results nor resumed."""
    play(ring, "cpu", tmp_path, QUIET, seeds=1)
    other = replace(ring, rows=(Row("r3gan_mlp", {"lr": 0.1}),))
    (place,) = tmp_path.glob("*/r3gan_mlp*-0")
    place.rename(place.with_name("r3gan_mlp-lr=0.1-0"))
    with pytest.raises(InputError, match="was trained with other defaults of r3gan_mlp"):
        play(other, "cpu", tmp_path, QUIET, seeds=1)


def test_stopping_a_run_stops_the_table(ring, tmp_path, monkeypatch):
    """The stopped run is not measured before its training is complete."""
    stopping = contextlib.nullcontext(lambda: True)
    monkeypatch.setattr("sparring.training.run.interrupts", lambda *_: stopping)
    with pytest.raises(KeyboardInterrupt):
        play(ring, "cpu", tmp_path, QUIET)
    assert len(list(tmp_path.glob("*/*/model"))) == 1
    assert not list(tmp_path.glob("*/*/measured.json"))
    monkeypatch.undo()
    played = play(ring, "cpu", tmp_path, QUIET)
    assert [run.numbers["steps"] for _, runs in played.rows for run in runs] == [40, 40]


def test_unknown_names(ring, tmp_path):
    with pytest.raises(InputError, match="ring has no row 'gann'"):
        play(ring, "cpu", tmp_path, QUIET, ["gann"])
    with pytest.raises(InputError, match="there is no budget 'tpu'"):
        play(ring, "tpu", tmp_path, QUIET)
    with pytest.raises(InputError, match="seeds=0 is out of range"):
        play(ring, "cpu", tmp_path, QUIET, seeds=0)


@pytest.mark.parametrize("name", list(TABLES))
def test_tables_are_complete(name):
    """Published values have columns and sources, rows have recipes, and both budgets have a plan."""
    table = TABLES[name]
    columns = {column.name for column in table.columns}
    assert all(set(row.numbers) <= columns and "arXiv" in row.source for row in table.published)
    assert all(row.recipe in names() for row in table.rows)
    assert set(table.plans) == {"cpu", "gpu"}
    assert all(set(plan.rows) <= {row.name for row in table.rows} for plan in table.plans.values())


def test_every_recipe_for_images_is_in_the_tables_of_images():
    takes = {name for name in names() if "images" in {modality.kind for modality in recipe(name).takes}}
    assert takes == {row.recipe for row in image_tables.ROWS}


@pytest.mark.parametrize(("name", "mixture"), [("ring", mixtures.RING), ("grid", mixtures.GRID)])
def test_a_perfect_sampler_of_mixtures(name, mixture):
    """Its metrics show that our targets are attainable."""
    ideal = TABLES[name].ideal("cpu", QUIET)
    assert ideal["modes"] == len(mixture.centers)
    assert ideal["high quality"] > 0.98
    assert ideal["reverse KL"] < 0.01
    assert ideal["spread"] == pytest.approx(1, abs=0.03)
    assert ideal["width"] == pytest.approx(1, abs=0.03)


class BrightnessClassifier:
    """Classifies digits by their brightness."""

    def probabilities(self, x):
        return torch.nn.functional.one_hot((x.mean((1, 2, 3)) * 10).round().long().clamp(0, 9), 10).float()


def test_stacked_digits_are_recognized_by_color_channel(monkeypatch):
    """Each of a thousand images, whose color channels are the three digits of its number, is a mode of its own."""
    monkeypatch.setattr(stacked, "_digits", lambda: (None, BrightnessClassifier()))
    numbers = torch.arange(1000)
    digits = torch.stack([numbers // 100, numbers // 10 % 10, numbers % 10], 1) / 10
    x = digits[:, :, None, None].expand(1000, 3, 4, 4)
    assert stacked._numbers([x[:400], x[400:]], QUIET) == {"modes": 1000, "KL": pytest.approx(0, abs=1e-9)}
    half = stacked._numbers([x[:500]], QUIET)
    assert half == {"modes": 500, "KL": pytest.approx(np.log(2))}


def test_stacked_mnist_has_digits_in_its_color_channels(monkeypatch):
    from sparring.modalities.images import sets

    digits = find("digits")
    held = np.arange(len(digits)) % 3 == 0
    monkeypatch.setattr(sets, "mnist", lambda: replace(digits, held=held))
    stack = sets.stacked_mnist(200)
    assert stack.items.shape == (200, 8, 8, 3)
    train = {image.tobytes() for image in digits.items[~held]}
    assert all(image[..., channel].tobytes() in train for image in stack.items for channel in range(3))
    assert Images().fit(stack).shape == (3, 8, 8)


@pytest.mark.usefixtures("real_curves")
def test_a_table_of_images(tmp_path, monkeypatch):
    """On digits, with few samples."""
    monkeypatch.setattr(image_tables, "SAMPLES", 60)
    table = replace(
        image_tables._table("digits", "Digits"), rows=(Row("gan", TOY, "toy"),), plans={"cpu": Plan(1, {"steps": 2})}
    )
    played = play(table, "cpu", tmp_path, QUIET)
    image_tables._reference.cache_clear()
    write(played, tmp_path, "digits")
    numbers = played.rows[0][1][0].numbers
    assert numbers["fid[patches]"] > played.ideal["fid[patches]"]
    assert numbers["samples/s"] > 0
    assert "| toy |" in (tmp_path / "digits.md").read_text()
    assert Image.open(tmp_path / "digits-gan-G=(8,)-D=(8,)-batch=8.png").size[0] > 100


def test_few_images_are_evaluated_with_unseen_ones(tmp_path, monkeypatch):
    """On one class of digits: each seed has one half, and copying this half does not help. The classifier is trained on
    neither.
    """
    trained_on = set()

    def classifier(real, rows, progress):
        trained_on.update(real.labels(rows).unique().tolist())
        return classifier_of(real, rows, progress)

    small = {"SET": "digits", "CLASS": "3", "DATA": "digits/3", "SIZE": 8, "SAMPLES": 60, "classifier_of": classifier}
    for name, value in small.items():
        monkeypatch.setattr(few_images, name, value)
    few_images._halves.cache_clear()
    few_images._features.cache_clear()
    table = replace(TABLES["grocery"], rows=(Row("gan", TOY),), plans={"cpu": Plan(2, {"steps": 2})})
    played = play(table, "cpu", tmp_path, QUIET)
    (_, runs), *_ = played.rows
    halves = [np.load(run.folder.parent / f"half-{seed}.npz")["images"] for seed, run in enumerate(runs)]
    assert [load(run.folder).about["data"] for run in runs] == [
        str(runs[0].folder.parent / f"half-{s}.npz") for s in (0, 1)
    ]
    assert not {p.tobytes() for p in halves[0]} & {p.tobytes() for p in halves[1]}
    assert sum(map(len, halves)) == len(find("digits/3"))
    one, other = map(Images().scale, few_images._halves())
    copied = few_images._numbers(one, one, other, "cpu", QUIET)
    assert copied["near_copy_share"] == 1
    assert few_images._novel_numbers(one, one, other, "cpu", QUIET) == {"memorization": 1, "novel_share": 0}
    both = few_images._novel_numbers(torch.cat([one, other]), one, other, "cpu", QUIET)
    assert both["novel_share"] == len(other) / (len(one) + len(other))
    assert both["kid[digits, novel]"] < 0  # they are the unseen images themselves
    assert played.ideal["near_copy_share"] < 0.5
    assert trained_on == set(range(10)) - {3}
    assert [run.numbers["memorization"] < 0.5 for run in runs] == [True, True]  # untrained models do not copy
    few_images._halves.cache_clear()
    few_images._features.cache_clear()

"""The numbers of a card are computed again; a card that was changed, or another model, is found out."""

import json
import re
import shutil

import numpy as np
import pytest
from commands import command

import sparring
from sparring.errors import InputError
from sparring.evaluation.report import record
from sparring.use import verify as verifying
from sparring.use.verify import verify


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    folder = tmp_path_factory.mktemp("verified")
    np.save(folder / "points.npy", np.random.default_rng(0).normal(size=(200, 2)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sparring.training.watch.MIN_SECONDS", 0)  # even this short run has a score
        sparring.train("r3gan_mlp", folder / "points.npy", out=folder / "run", steps=30, G=(8,), D=(8,), device="cpu")
    record(folder / "run", sparring.evaluate(folder / "run", samples=60))
    return folder / "run"


@pytest.fixture
def run(original, tmp_path):
    return shutil.copytree(original, tmp_path / "run")


def edit(run, pattern, replacement):
    card = run / "README.md"
    text, count = re.subn(pattern, replacement, card.read_text(), count=1, flags=re.MULTILINE)
    assert count, pattern
    card.write_text(text)


def test_every_number_of_an_honest_card_agrees(run, monkeypatch, capsys):
    found = verify(run)
    assert found.same
    assert {check.of for check in found.checks} == {"samples", "real", "baseline", "training", "G", "D"}
    assert {"fid[coordinates]", "score", "floor", "diversity", "parameters"} <= {check.name for check in found.checks}
    cells = json.loads((run / "evaluation.json").read_text())["numbers"]
    assert sum(check.of in ("samples", "real", "baseline") for check in found.checks) == 3 * len(cells)
    # On one machine the numbers are the same, digit for digit.
    assert all(check.card == check.again for check in found.checks if check.of != "training")
    assert command(monkeypatch, capsys, f"verify {run}") == (0, [])


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        (r"^(\| precision\[coordinates\] \| )\S+", "precision[coordinates]"),
        (r"^(fid\[coordinates\] )\S+?(?=[, ])", "score"),
        (r"(real items have )\S+?(?=;)", "floor"),
        (r"^(\| parameters \| G )\S+?(?=,)", "parameters"),
    ],
)
def test_a_number_that_was_changed_is_found(run, monkeypatch, capsys, pattern, name):
    edit(run, pattern, r"\g<1>0.345")
    assert [check.name for check in verify(run).checks if not check.same] == [name]
    assert command(monkeypatch, capsys, f"verify {run}") == (1, [])


def test_another_model_does_not_have_these_numbers(run, original):
    model = sparring.load(original)
    for weight in model.game.parameters():
        weight.data.mul_(1.5)
    model.replace(run / "model")
    assert not verify(run).same


def test_data_of_another_number_are_refused(run, tmp_path):
    np.save(tmp_path / "fewer.npy", np.zeros((199, 2)))
    with pytest.raises(InputError, match="holds 199 items, but the model was trained on 200"):
        verify(run, data=tmp_path / "fewer.npy")


def test_the_tolerance_counts(run):
    edit(run, r"^(\| fid\[coordinates\] \| )(\S+)", lambda found: f"{found[1]}{1.1 * float(found[2]):.3g}")
    assert not verify(run, tolerance=0.02).same
    assert verify(run, tolerance=0.2).same


@pytest.mark.parametrize(
    ("cell", "value", "rounding"),
    [
        ("0.15 ± 0.01", 0.15, 0.005), ("93.8%", 0.938, 0.0005), ("1,465", 1465, 0.5), ("2e-05", 2e-5, 0.5e-5),
        ("-0.25", -0.25, 0.005), ("-", None, None), ("nan", None, None),
    ],
)  # fmt: skip
def test_cells_are_read_as_they_are_written(cell, value, rounding):
    assert verifying._value(cell) == (value if value is None else pytest.approx(value))
    if rounding is not None:
        assert verifying._rounding(cell) == pytest.approx(rounding)


def test_bad_input(run, tmp_path):
    (run / "evaluation.json").rename(tmp_path / "evaluation.json")
    with pytest.raises(InputError, match="has no card with an evaluation; run sparring evaluate"):
        verify(run)
    content = json.loads((tmp_path / "evaluation.json").read_text())
    (run / "evaluation.json").write_text(json.dumps(content | {"data": "others"}))
    with pytest.raises(InputError, match="was evaluated against 'others', not 'points'"):
        verify(run)
    with pytest.raises(InputError, match=r"^--tolerance -1 is below 0"):
        verify(run, tolerance=-1)

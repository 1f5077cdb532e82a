"""What is held out is decided in one place, and nothing that is held out is trained on."""

import ast
from pathlib import Path

import numpy as np
import pinned
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sparring
from sparring.data.batches import Batches
from sparring.data.split import MIN_ITEMS, Split, held_out
from sparring.modalities.dataset import assemble

ROOT = Path(sparring.__file__).parent


@given(n=st.integers(0, 40), held=st.sets(st.integers(0, 39)), span=st.integers(1, 5))
def test_a_sample_belongs_to_one_side_with_all_its_items(n, held, span):
    items = np.arange(n + span - 1)
    member = np.isin(items, list(held))
    split = Split(items[~member], items[member])
    train, apart = split.samples(np.arange(n), span)
    for rows, allowed in ((train, set(split.train)), (apart, set(split.held))):
        for row in rows:
            assert set(range(row, row + span)) <= allowed
    mixed = [i for i in range(n) if 0 < member[i : i + span].sum() < span]
    assert sorted([*train, *apart, *mixed]) == list(range(n))


@given(n=st.integers(0, 200), classes=st.integers(1, 5))
def test_every_class_has_its_share_of_held_out_items(n, classes):
    labels = np.arange(n) % classes
    held = held_out(n, labels)
    assert held.any() == (n >= MIN_ITEMS)
    if n >= MIN_ITEMS:
        counts = np.bincount(labels[held], minlength=classes)
        assert counts.max() - counts.min() <= 1


@pytest.mark.parametrize("case", ["images-dcgan", "points-gan", "rows-table", "series-series", "pairs-pix2pix",
                                  "unpaired-cyclegan", "degraded-esrgan"])  # fmt: skip
def test_nothing_that_is_held_out_is_trained_on(case, tmp_path, monkeypatch):
    """Neither in a new run nor in a resumed one is a batch dealt to the losses that has a held-out item."""
    dealt = []
    choose = Batches._rows

    def noted(batches, *position):
        rows = choose(batches, *position)
        dealt.append((batches, rows.tolist()))
        return rows

    monkeypatch.setattr(Batches, "_rows", noted)
    model = pinned.trained(case, tmp_path)
    again = {"resume": True, "steps": pinned.STEPS + 2, "quiet": True, "device": "cpu"}
    sparring.train(model.recipe, model.about["data"], out=tmp_path / "run", **again)
    items = model.find_items()
    encoded = model.modality.encode(items)
    for part in filter(None, (encoded, encoded.beside)):
        split = model.modality.split(items, part.readable)
        train, held = (set(side.tolist()) for side in split.samples(part.items, part.span))
        assert train
        assert held or case == "series-series"  # too short for a window of held-out steps
        assert not train & held
    data = assemble(model.modality, items, encoded)
    allowed = [set(data.train.tolist()), set(data.held.tolist())]
    if data.beside is not None:
        allowed += [set(data.beside.train.tolist()), set(data.beside.held.tolist())]
    assert len(dealt) > pinned.STEPS
    for batches, rows in dealt:
        assert any(set(batches.rows.tolist()) == side and set(rows) <= side for side in allowed)
    watched = [rows for batches, rows in dealt if allowed[1] and set(batches.rows.tolist()) == allowed[1]]
    assert len(watched) < len(dealt) / 2  # held-out items are dealt to watch D, never in place of a training batch


def files_that(use, name):
    """Files that call a class, or import a function, of this name."""
    found = set()
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            called = isinstance(node, ast.Call) and ast.unparse(node.func) == name
            imported = isinstance(node, ast.ImportFrom) and name in {alias.name for alias in node.names}
            if {"call": called, "import": imported}[use]:
                found.add(str(path.relative_to(ROOT)))
    return found


def test_only_one_place_makes_a_data_set_and_only_splits_hold_out():
    assert files_that("call", "Dataset") == {"modalities/dataset.py"}
    pairs = {"modalities/translation/translation.py", "modalities/audio_translation/paired.py"}  # whole pairs
    assert files_that("import", "held_out") <= pairs

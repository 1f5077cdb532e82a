"""benchmarks/quality.py at toy size: results of several commands add up, and those of other settings are ignored."""

import importlib.util
import json
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from sparring.bench.table import Row
from sparring.metrics.patches import patches
from sparring.modalities import Images

ROOT = Path(__file__).parents[1]
TOY = {"width": 4, "z": 4, "batch": 8, "steps": 2}


@pytest.fixture
def program(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    spec = importlib.util.spec_from_file_location("quality_benchmark", ROOT / "benchmarks" / "quality.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "quality_benchmark", module)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def quality(program, monkeypatch, tmp_path):
    """The program on digits, with a cheap net in place of the pretrained one."""
    monkeypatch.setattr(program.pretrained, "load", lambda _: patches)
    sets = {"digits": program.Set("digits", "toy", TOY), "hundred": program.Set("digits/3", "few", TOY)}
    rows = {"one": Row("r3gan_strided", TOY), "two": Row("dcgan", TOY)}
    monkeypatch.setattr(time, "monotonic", time.monotonic)  # restored after the test
    for name, value in {"SETS": sets, "SAMPLES": 60, "HUNDRED": 40, "systems": lambda *_: rows}.items():
        monkeypatch.setattr(program, name, value)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    program.table_rows = rows
    monkeypatch.chdir(tmp_path)
    return program


def command(quality, monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["quality.py", "--page", "docs/quality.md", "--time", "2s", *words])
    quality.main()
    return Path("docs/quality.md").read_text()


def test_a_table_is_filled_by_several_commands(quality, monkeypatch):
    page = command(quality, monkeypatch, "--sets", "digits", "--rows", "one")
    assert "Not measured yet: two." in page
    trained = []
    real = quality.run_row
    monkeypatch.setattr(quality, "run_row", lambda *a: (trained.append(a[1].recipe), real(*a))[1])
    page = command(quality, monkeypatch, "--sets", "digits", "hundred", "--runs", "elsewhere")
    assert trained == ["dcgan", "r3gan_strided", "dcgan"]  # what was measured elsewhere is not trained again
    assert "Not measured yet" not in page
    rows = [line for line in page.splitlines() if line.startswith("| **")]
    assert [row.split("**")[1].split()[0] for row in rows] == ["r3gan_strided", "dcgan"] * 2
    assert command(quality, monkeypatch, "--sets") == page
    stored = json.loads(Path("docs/quality/digits-2s.json").read_text())
    shown = stored["rows"][quality.table_rows["two"].name]["seeds"]["0"]["numbers"]["fid[patches]"]
    assert f" {shown:.3f} |" in page
    for line in page.splitlines():
        if "](quality/" in line:
            assert (Path("docs") / line.split("](")[1].split(")")[0]).is_file()


def test_results_of_other_settings_are_ignored(quality, monkeypatch):
    command(quality, monkeypatch, "--sets", "digits", "--rows", "one")
    path = Path("docs/quality/digits-2s.json")
    stored = json.loads(path.read_text())
    stored["rows"][quality.table_rows["one"].name]["recipe"]["lr"] = 1.0
    path.write_text(json.dumps(stored))
    assert "**r3gan_strided" not in command(quality, monkeypatch, "--sets")


def test_a_hundred_images_are_trained_on_and_others_compared_with(quality, tmp_path):
    of = quality.pictures("hundred")
    images = np.load(quality.training_file("hundred", tmp_path))["images"]
    assert len(images) == quality.HUNDRED
    train = {image.tobytes() for image in images}
    unseen = Images().unscale(of.images(of.unseen)).permute(0, 2, 3, 1).numpy()
    assert not train & {image.tobytes() for image in unseen}
    assert train == {
        image.tobytes() for image in Images().unscale(of.images(of.train)).permute(0, 2, 3, 1).contiguous().numpy()
    }


def test_copies_are_found(quality):
    """A model that repeats its training images is near in all features, and is known by its copies."""
    of = quality.pictures("digits")
    rows = of.train[:60]

    class Copier:
        modality, speed = of.real.modality, 1.0

        def stream(self, n, **_):
            yield {"values": of.images(rows)[:n]}, None

    copied = quality.measure("digits", Copier())
    assert copied["near_copy_share"] == 1
    assert copied["memorization[imagenet]"] == 1
    real = quality.ideal("digits")
    assert copied["fid[patches]"] == pytest.approx(real["fid[patches]"])
    assert "near_copy_share" not in real


def test_changes_of_the_default_are_recipes(program, monkeypatch):
    monkeypatch.chdir(ROOT)
    for name in program.TRIED_SETS:
        rows = program.changes(name)
        found = [program.recipe_of(row) for row in rows.values()]
        assert len(found) > len(program.TRIED)
        others = [program.recipe_of(row) for row in rows.values() if "augment=places" not in row.name]
        assert all(recipe.augment == found[0].augment for recipe in others)
        assert found[0] not in found[1:]


def test_one_row_is_the_default(program, monkeypatch):
    monkeypatch.setitem(program.SETS, "digits", program.Set("digits", "toy"))
    rows = program.systems("digits", 600)
    assert [row.note for row in rows.values() if "default" in row.note] == ["the default"]
    assert rows["default"].recipe == "gan"  # of tiny images, and in no other row
    assert all(program.recipe_of(row) for row in rows.values())

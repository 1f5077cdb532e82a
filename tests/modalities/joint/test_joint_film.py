"""benchmarks/joint_film.py at toy size."""

import importlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import sparring
from sparring.errors import InputError

ROOT = Path(__file__).parents[3]


@pytest.fixture
def joint_film(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module("joint_film")


def test_a_walk_is_a_small_film_of_cards(joint_film, model, tmp_path):
    path = tmp_path / "walk.webp"
    said = joint_film.write(model, path, items=1)
    with Image.open(path) as film:
        shown, durations = [], []
        for i in range(film.n_frames):  # equal frames are one that is shown for longer
            film.seek(i)
            shown.append(np.asarray(film.convert("RGB")))
            durations.append(film.info["duration"])
        assert said.startswith(f"60 frames of {film.width} x {film.height} pixels")
    assert sum(durations) == 6000
    assert path.stat().st_size < 300_000
    assert "lossless" in said
    changes = np.ptp(np.stack(shown).astype(int), axis=0).max((0, 2))  # of each column of pixels
    assert changes[:96].max() > 0  # the picture


def test_other_models_are_refused(joint_film, tmp_path):
    run = sparring.train("r3gan_mlp", "ring", out=tmp_path / "ring", steps=1, quiet=True, device="cpu", G=8, D=8)
    with pytest.raises(InputError, match="'r3gan_mlp' does not generate items of several parts"):
        joint_film.write(run, tmp_path / "walk.webp")
    assert not (tmp_path / "walk.webp").exists()

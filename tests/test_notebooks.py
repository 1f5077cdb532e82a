"""What a notebook shows of samples, evaluations and models."""

import math
import re

import numpy as np
import pandas as pd
import soundfile

import sparring
from sparring.metrics.results import Evaluation, Finding, Number

QUIET = {"steps": 1, "quiet": True, "device": "cpu"}


def test_rows_are_a_table_that_is_cut_off(tmp_path):
    frame = pd.DataFrame({"age": np.arange(60) % 40 + 20, "city": ["<b>Rome</b>", "Oslo"] * 30})
    model = sparring.train("table", frame, out=tmp_path / "run", width=8, D=8, batch=8, **QUIET)
    shown = model.sample(50, seed=0)._repr_mimebundle_()["text/html"]
    assert shown.count("<tr") < 30
    assert "<b>" not in shown


def test_sounds_are_played(tmp_path):
    for i in range(8):
        soundfile.write(tmp_path / f"{i}.wav", np.random.default_rng(i).normal(0, 0.1, 900), 8000)
    model = sparring.train("audio", tmp_path, out=tmp_path / "run", width=8, batch=4, **QUIET)
    shown = model.sample(2, seed=0)._repr_mimebundle_()["text/html"]
    assert re.match(r'<audio controls src="data:audio/[\w-]+;base64,', shown)


def test_images_are_a_picture_and_models_a_line(tmp_path):
    model = sparring.train("gan", "digits", out=tmp_path / "run", G=(8,), D=(8,), **QUIET)
    assert model.sample(4, seed=0)._repr_mimebundle_()["image/png"].startswith(b"\x89PNG")
    assert repr(model) == "<Model gan of images on digits, 1 steps>"


def test_an_evaluation_is_a_table_with_findings():
    numbers = (Number("fid[patches]", 0.5, "low"), Number("odd<name>", math.nan, "high"))
    evaluation = Evaluation(
        "digits",
        "as <measured>",
        10,
        10,
        numbers,
        numbers[:1],
        {"baseline": numbers},
        (Finding("bad", "1 > 0", "train"),),
    )
    shown = evaluation._repr_html_()
    assert "<td>fid[patches]</td><td>0.500</td><td>0.500</td><td>0.500</td><td>↓</td>" in shown
    assert "<td>odd&lt;name&gt;</td><td>-</td><td>-</td>" in shown
    assert "<li>bad (1 &gt; 0); train</li>" in shown

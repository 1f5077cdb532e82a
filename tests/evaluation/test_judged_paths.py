"""Paths judged: what is no generator is caught, and what came after the data is not what was trained on."""

import json
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

import sparring
from sparring.errors import InputError
from sparring.evaluation import compare, evaluate
from sparring.modalities import Series, find
from sparring.modalities.series.judge import SeriesJudge


def clustered(n, seed=0):
    """Prices whose moves come in clusters, with heavy tails."""
    random = np.random.default_rng(seed)
    variance, moves = 1.0, []
    for _ in range(n):
        moves.append(random.standard_t(5) * variance**0.5)
        variance = 0.03 + 0.12 * min(moves[-1] ** 2, 50) + 0.83 * variance
    return 100 * np.exp(np.cumsum(moves) * 0.008)


@pytest.fixture(scope="module")
def against():
    frame = pd.DataFrame({"x": clustered(3000)})
    series = Series(window=64).fit(find(frame))
    values = series.values(find(frame))
    return SeriesJudge(series, values[:2400], values[2400:])


def number(numbers, name):
    return next(n.value for n in numbers if n.name == name)


def test_history_is_near_and_cheats_are_caught(against):
    cheats = against.baselines
    for name in ("of sizes", "told apart"):
        assert number(against.floor, name) < number(cheats["shuffled"], name)
    assert number(cheats["bootstrap"], "near-copies") > 0.3
    assert number(against.floor, "near-copies") == pytest.approx(0.01, abs=0.005)
    found = {
        f.name
        for f in against.findings(against.walks(against.resampled(1, np.random.default_rng(1))), cheats["shuffled"])
    }
    assert "great moves do not come together" in found
    copies = against.walks(against.resampled(20, np.random.default_rng(1)))
    assert "copies" in {f.name for f in against.findings(copies, cheats["bootstrap"])}


def test_light_tails_and_another_market_are_named(against):
    random = np.random.default_rng(0)
    calm = np.cumsum(random.normal(0, 0.05, (20, against.length, 1)), 1)
    found = {f.name for f in against.findings(calm, against.numbers(calm))}
    assert {"tails are light", "easily told from real paths"} <= found


def test_blocks_of_the_bootstrap_are_of_the_data(against):
    """Of steps that follow one another in a path, nineteen of twenty follow one another in the data."""
    returns = np.diff(np.log(against.resampled(20, np.random.default_rng(0))[..., 0]), axis=1)
    real = np.diff(against.train[0, :, 0])
    pairs = {(round(a, 5), round(b, 5)) for a, b in pairwise(real)}
    share = np.mean([(round(a, 5), round(b, 5)) in pairs for a, b in pairwise(returns[0])])
    assert share == pytest.approx(0.95, abs=0.04)


def test_one_path_and_short_ones_can_be_judged(against):
    one = against.walks(against.resampled(20, np.random.default_rng(0)))[:1]
    assert 0 <= number(against.numbers(one), "told apart") <= 0.5
    short = SeriesJudge(against.modality, against._values, np.exp(against.held[0, :49]))
    assert 0 <= number(short.floor, "told apart") <= 0.5
    assert np.isnan(number(short.floor, "earth mover[100]"))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("paths")
    pd.DataFrame({"x": clustered(800).round(3)}).to_csv(folder / "x.csv", index=False)
    for name in "ab":
        settings = {"steps": 4, "quiet": True, "device": "cpu", "window": 48, "width": 8, "seed": ord(name)}
        sparring.train("series", folder / "x.csv", out=folder / name, **settings)
    return folder


def test_a_run_is_judged_by_what_came_after(run):
    found = evaluate(run / "a", samples=10)
    assert "10 paths of 80 steps against as many steps that came after the 720" in found.protocol
    assert list(found.baselines) == ["shuffled", "bootstrap"]
    assert found.picture.size[0] > 500
    again = evaluate(run / "a", samples=10)
    assert found.content() == again.content()


def test_what_has_been_added_since_is_unseen(run):
    whole = (run / "x.csv").read_text()
    try:
        (run / "x.csv").write_text(whole + "".join(f"{v:.3f}\n" for v in clustered(100, seed=3)))
        found = evaluate(run / "a", samples=5)
        assert "5 paths of 180 steps against as many steps that came after the 720" in found.protocol
        (run / "x.csv").write_text("\n".join(whole.splitlines()[:500]))
        with pytest.raises(InputError, match="had 800 steps when the model was trained and has 499"):
            evaluate(run / "a", samples=5)
    finally:
        (run / "x.csv").write_text(whole)


def test_too_little_to_judge_by(run, tmp_path):
    pd.DataFrame({"x": clustered(48)}).to_csv(tmp_path / "few.csv", index=False)
    with pytest.raises(InputError, match="48 steps that the model has not seen are too few"):
        evaluate(run / "a", against=tmp_path / "few.csv")
    with pytest.raises(InputError, match="features 'patches' are not for series"):
        evaluate(run / "a", features=["patches"])


def test_runs_of_other_channels_are_not_compared(run, tmp_path):
    pd.DataFrame({"y": clustered(300).round(3)}).to_csv(tmp_path / "y.csv", index=False)
    settings = {"steps": 2, "quiet": True, "device": "cpu", "window": 48, "width": 8}
    sparring.train("series", tmp_path / "y.csv", out=tmp_path / "c", **settings)
    with pytest.raises(InputError, match="different channels"):
        compare([run / "a", tmp_path / "c"], tmp_path / "page", data=str(run / "x.csv"))


def test_runs_side_by_side(run, tmp_path):
    found = compare([run / "a", run / "b"], tmp_path / "page", samples=5)
    assert [c.name for c in found] == ["a", "b"]
    page = (tmp_path / "page" / "README.md").read_text()
    lines = [line for line in page.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in lines}) == 1
    assert set(json.loads((tmp_path / "page" / "compare.json").read_text())) == {str(run / "a"), str(run / "b")}

"""The judge of time series: trivial baselines are recognized, and held-out rows come after the training data."""

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
    """Prices with volatility clustering and heavy tails."""
    random = np.random.default_rng(seed)
    variance, returns = 1.0, []
    for _ in range(n):
        returns.append(random.standard_t(5) * variance**0.5)
        variance = 0.03 + 0.12 * min(returns[-1] ** 2, 50) + 0.83 * variance
    return 100 * np.exp(np.cumsum(returns) * 0.008)


@pytest.fixture(scope="module")
def judge():
    frame = pd.DataFrame({"x": clustered(3000)})
    series = Series(window=64).fit(find(frame))
    values = series.values(find(frame))
    return SeriesJudge(series, values[:2400], values[2400:])


def number(numbers, name):
    return next(n.value for n in numbers if n.name == name)


class Coder:
    """A model whose autoencoder changes nothing, or returns paths of zeros."""

    def __init__(self, factor):
        self.factor = factor

    def autoencoder(self):
        return lambda x, _: x * self.factor


def test_reconstructions_of_the_floors_paths(judge):
    """Perfect ones have the metrics of the floor, about: a step is lost where steps are standardized."""
    again = judge._reconstructed(Coder(1.0))["reconstruction"]
    for name in ("wasserstein[1]", "acf_abs", "kurtosis"):
        assert number(again, name) == pytest.approx(number(judge.floor, name), rel=0.5)
    flat = judge._reconstructed(Coder(0.0))["reconstruction"]
    assert number(flat, "wasserstein[1]") > 3 * number(again, "wasserstein[1]")


def test_training_data_are_close_and_baselines_are_recognized(judge):
    baselines = judge.baselines
    for name in ("acf_abs", "discriminative_score"):
        assert number(judge.floor, name) < number(baselines["shuffled"], name)
    assert number(baselines["bootstrap"], "near_copy_share") > 0.3
    assert number(judge.floor, "near_copy_share") == pytest.approx(0.01, abs=0.005)
    names = {
        f.name for f in judge.findings(judge.walks(judge.resample(1, np.random.default_rng(1))), baselines["shuffled"])
    }
    assert "no volatility clustering" in names
    copies = judge.walks(judge.resample(20, np.random.default_rng(1)))
    assert "copies" in {f.name for f in judge.findings(copies, baselines["bootstrap"])}


def test_light_tails_and_another_market_are_reported(judge):
    random = np.random.default_rng(0)
    calm = np.cumsum(random.normal(0, 0.05, (20, judge.length, 1)), 1)
    names = {f.name for f in judge.findings(calm, judge.numbers(calm))}
    assert {"light tails", "easy to distinguish from real paths"} <= names


def test_blocks_of_the_bootstrap_come_from_the_data(judge):
    """19 of 20 consecutive steps of a path are consecutive in the data."""
    returns = np.diff(np.log(judge.resample(20, np.random.default_rng(0))[..., 0]), axis=1)
    real = np.diff(judge.train[0, :, 0])
    pairs = {(round(a, 5), round(b, 5)) for a, b in pairwise(real)}
    share = np.mean([(round(a, 5), round(b, 5)) in pairs for a, b in pairwise(returns[0])])
    assert share == pytest.approx(0.95, abs=0.04)


@pytest.mark.usefixtures("brief_classifiers")
def test_one_path_and_short_paths_can_be_evaluated(judge):
    one = judge.walks(judge.resample(20, np.random.default_rng(0)))[:1]
    assert 0 <= number(judge.numbers(one), "discriminative_score") <= 0.5
    short = SeriesJudge(judge.modality, np.exp(judge.train[0]), np.exp(judge.held[0, :49]))
    assert 0 <= number(short.floor, "discriminative_score") <= 0.5
    assert np.isnan(number(short.floor, "wasserstein[100]"))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("paths")
    pd.DataFrame({"x": clustered(800).round(3)}).to_csv(folder / "x.csv", index=False)
    for name in "ab":
        settings = {"steps": 4, "quiet": True, "device": "cpu", "window": 48, "width": 8, "seed": ord(name)}
        sparring.train("series", folder / "x.csv", out=folder / name, **settings)
    return folder


@pytest.mark.usefixtures("brief_classifiers")
def test_a_run_is_evaluated_by_later_steps(run):
    evaluation = evaluate(run / "a", samples=10)
    assert "10 paths of 80 steps compared with the 80 steps that came after the 720" in evaluation.protocol
    assert list(evaluation.baselines) == ["shuffled", "bootstrap"]
    assert evaluation.picture.size[0] > 500
    again = evaluate(run / "a", samples=10)
    assert evaluation.content() == again.content()


@pytest.mark.usefixtures("brief_classifiers")
def test_steps_added_later_are_held_out(run):
    whole = (run / "x.csv").read_text()
    try:
        (run / "x.csv").write_text(whole + "".join(f"{v:.3f}\n" for v in clustered(100, seed=3)))
        evaluation = evaluate(run / "a", samples=5)
        assert "5 paths of 180 steps compared with the 180 steps that came after the 720" in evaluation.protocol
        (run / "x.csv").write_text("\n".join(whole.splitlines()[:500]))
        with pytest.raises(InputError, match="had 800 steps when the model was trained and has 499"):
            evaluate(run / "a", samples=5)
    finally:
        (run / "x.csv").write_text(whole)


def test_invalid_evaluations(run, tmp_path):
    pd.DataFrame({"x": clustered(48)}).to_csv(tmp_path / "few.csv", index=False)
    with pytest.raises(InputError, match="48 held-out rows, which is too few"):
        evaluate(run / "a", against=tmp_path / "few.csv")
    with pytest.raises(InputError, match="features=patches is not for series"):
        evaluate(run / "a", features=["patches"])


def test_runs_with_different_channels_are_not_compared(run, tmp_path):
    pd.DataFrame({"y": clustered(300).round(3)}).to_csv(tmp_path / "y.csv", index=False)
    settings = {"steps": 2, "quiet": True, "device": "cpu", "window": 48, "width": 8}
    sparring.train("series", tmp_path / "y.csv", out=tmp_path / "c", **settings)
    with pytest.raises(InputError, match="different channels"):
        compare([run / "a", tmp_path / "c"], tmp_path / "page", data=str(run / "x.csv"))


@pytest.mark.usefixtures("brief_classifiers")
def test_runs_are_compared(run, tmp_path):
    compared = compare([run / "a", run / "b"], tmp_path / "page", samples=5)
    assert [c.name for c in compared] == ["a", "b"]
    page = (tmp_path / "page" / "README.md").read_text()
    lines = [line for line in page.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in lines}) == 1
    assert set(json.loads((tmp_path / "page" / "compare.json").read_text())) == {str(run / "a"), str(run / "b")}

"""Scenarios of prices: risk compared with direct computation, and invalid arguments."""

import csv

import numpy as np
import pandas as pd
import pytest

import sparring
from sparring.errors import InputError
from sparring.use import scenarios
from sparring.use.scenarios import _tail


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prices")
    moves = np.random.default_rng(0).normal(0, [0.01, 0.03], (500, 2)).cumsum(0)
    frame = pd.DataFrame(100 * np.exp(moves), columns=["A", "B"])
    frame["Spread"] = np.random.default_rng(1).normal(size=500)
    frame.to_csv(folder / "p.csv", index=False)
    sparring.train(
        "series",
        folder / "p.csv",
        out=folder / "run",
        steps=5,
        quiet=True,
        device="cpu",
        window=32,
        width=8,
        kinds="A=returns,B=returns",
    )
    return folder / "run"


def test_tail_of_known_changes():
    moves = np.arange(-100, 900) / 1000.0
    value_at_risk, shortfall = _tail(moves, 0.95)
    assert value_at_risk == pytest.approx(0.05005)
    assert shortfall == pytest.approx(np.mean(np.arange(51, 101)) / 1000)


def test_risk_of_a_portfolio(run, tmp_path):
    risks = scenarios(run, tmp_path / "risk", n=400, horizons=(1, 10), weights=["B=3", "A=1"])
    assert [(r.horizon, r.level) for r in risks] == [(1, 0.95), (1, 0.99), (10, 0.95), (10, 0.99)]
    assert all(r.expected_shortfall >= r.value_at_risk - 1e-12 for r in risks)
    past = pd.read_csv(run.parent / "p.csv")[["A", "B"]].to_numpy()
    moves = (past[10:] / past[:-10] * [0.25, 0.75]).sum(1) - 1
    assert risks[2].historical_value_at_risk == pytest.approx(-np.quantile(moves, 0.05))
    assert risks[2].windows == 490
    with np.load(tmp_path / "risk" / "paths.npz") as kept:
        paths, portfolio = kept["series"], kept["portfolio"]
    assert portfolio == pytest.approx((paths[:, :, :2] / past[-1] * [0.25, 0.75]).sum(2))
    assert risks[0].value_at_risk == pytest.approx(-np.quantile(portfolio[:, 0] - 1, 0.05))
    with (tmp_path / "risk" / "risk.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 4
    assert (tmp_path / "risk" / "fan.png").stat().st_size > 1000


def test_amounts_are_equal_unless_given(run, tmp_path):
    a = scenarios(run, tmp_path / "a", n=200, horizons=(1,))
    b = scenarios(run, tmp_path / "b", n=200, horizons=(1,), weights=["A=7", "B=7"])
    assert a == b


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n": 5}, "5 paths are too few"),
        ({"horizons": (0,)}, "out of range"),
        ({"horizons": (400,)}, "out of range; the data have 500 steps"),
        ({"weights": ["A"]}, "is not NAME=AMOUNT"),
        ({"weights": ["A=-1"]}, "amount above 0"),
        ({"weights": ["C=1"]}, "there is no price 'C'; choose from A, B"),
        ({"weights": ["Spread=1"]}, "there is no price 'Spread'"),
    ],
)
def test_invalid_arguments(run, settings, message, tmp_path):
    with pytest.raises(InputError, match=message):
        scenarios(run, tmp_path / "risk", **{"n": 200, **settings})
    assert not (tmp_path / "risk").exists()


def test_scenarios_need_prices(tmp_path):
    model = sparring.train("gan", "digits", out=tmp_path / "run", steps=1, quiet=True, device="cpu")
    with pytest.raises(InputError, match="generates images; scenarios need a model of prices"):
        scenarios(model, tmp_path / "risk")

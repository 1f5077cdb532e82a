"""Kinds of channels do not hang on single values, and samples stay where the data are."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparring.data import Items
from sparring.errors import InputError
from sparring.modalities import Series
from sparring.modalities.series.fitting import kind_of, without_spikes


def walk(n=1200, seed=0, deviation=0.02, start=60.0):
    return start * np.exp(np.random.default_rng(seed).normal(0, deviation, n).cumsum())


def fitted(columns, **fields):
    frame = pd.DataFrame(columns)
    items = Items("data", "series", frame)
    return Series(window=32, **fields).fit(items), items


def paths(series, n=20, length=100, size=3.0):
    drawn = np.random.default_rng(1).normal(size=(n, length, len(series.learned))) * size
    return series.destandardize(drawn)


@pytest.mark.parametrize(
    "spoiled",
    [
        {900: -37.63, 901: 10.01, 902: 13.78},  # oil in April 2020
        {100: -5.0},
        {0: -1.0},
        {1199: -2.0},
        {300: -40.0, 700: -20.0},
    ],
)
def test_a_price_that_was_below_zero_still_goes_on_from_the_last_one(spoiled):
    price = walk()
    price[list(spoiled)] = list(spoiled.values())
    series, _ = fitted({"WTI": price})
    assert series.channels[0].kind == "differences"
    assert abs(np.median(paths(series, size=1)[:, 0]) - price[-1]) < 3


@pytest.mark.parametrize("zeros", [[5], [0, 1, 2], [1199], [400, 401, 900]])
def test_a_zero_among_prices_stands_for_a_missing_one(zeros):
    price = walk()
    price[zeros] = 0
    series, items = fitted({"Close": price, "Spread": np.random.default_rng(3).normal(size=1200)})
    assert series.channels[0].kind == "returns"
    assert (paths(series)[..., 0] > 0).all()
    notes = series.encode(items).notes
    assert any(f"{len(zeros)} of 1,200 steps are left out: Close is not above 0 there" in note for note in notes)
    assert len(series.values(items)) == 1200 - len(zeros)


@pytest.mark.parametrize("factor", [100.0, 0.01, 20.0])
def test_a_wrong_quotation_does_not_make_a_price_stationary(factor):
    price = walk()
    price[500] *= factor
    assert kind_of(price, True) == "returns"


def test_spikes_are_removed_only_where_they_are_rare():
    x = np.random.default_rng(0).standard_t(2, 1000)
    assert (without_spikes(x) == x).mean() > 0.98
    assert (without_spikes(np.zeros(50)) == 0).all()
    calm = walk(200)
    assert (without_spikes(calm) == calm).all()


@pytest.mark.parametrize("share", [0.001, 0.04, 0.3, 0.8])
def test_volumes_with_zeros_are_never_below_zero(share):
    random = np.random.default_rng(0)
    volume = random.lognormal(9, 1, 1000).round()
    volume[random.random(1000) < share] = 0
    volume[7] = 0
    series, items = fitted({"Close": walk(1000), "Volume": volume})
    assert series.channels[1].kind == "log1p"
    made = paths(series)[..., 1]
    assert (made >= 0).all()
    assert (made == 0).any()
    again = series.destandardize(series.standardize(series.values(items)[:900]))[:, 1]
    assert again == pytest.approx(volume[1:900], rel=1e-3, abs=0.51)


@given(
    st.lists(st.one_of(st.just(0.0), st.floats(0.001, 1e9)), min_size=80, max_size=80, unique_by=lambda x: x or id(x))
)
@settings(max_examples=15, deadline=None)
def test_what_is_never_below_zero_stays_so(values):
    try:
        series, items = fitted({"x": np.array(values)})
    except InputError:  # constant
        return
    made = paths(series, size=4)
    assert np.isfinite(made).all()
    assert (made >= 0).all()
    assert series.encode(items).notes


def test_a_walk_that_touches_zero_is_reflected_there():
    """Open contracts, say: a sum of steps that cannot be negative."""
    x = np.abs(np.random.default_rng(2).integers(-3, 4, 1500).cumsum()).astype(float)
    series, _ = fitted({"open": x})
    made = paths(series, length=500)
    assert (made >= 0).all()
    assert (made[:, -1] > 0).any()


def test_temperatures_may_be_below_zero():
    day = np.arange(1500)
    degrees = 8 + 12 * np.sin(day / 58) + np.random.default_rng(0).normal(0, 3, 1500)
    series, _ = fitted({"t": degrees})
    assert series.channels[0].least is None
    assert (paths(series) < 0).any()


def test_one_highest_price_below_the_close_is_a_wrong_one():
    close = walk().round(2)
    wick = np.abs(np.random.default_rng(1).normal(0, 0.004, 1200))
    high = (close * np.exp(wick)).round(2)
    low = (close / np.exp(wick)).round(2)
    high[700] = close[700] * 0.9
    low[300] = close[300] * 1.1
    series, items = fitted({"Close": close, "High": high, "Low": low})
    assert [c.kind for c in series.channels] == ["returns", "highest", "lowest"]
    notes = series.encode(items).notes
    assert "High is not the highest in 1 steps; it is taken as equal there" in notes
    made = paths(series)
    assert (made[..., 1] >= made[..., 0]).all()
    assert (made[..., 2] <= made[..., 0]).all()


def test_one_value_with_many_decimals_does_not_give_all_of_them():
    price = walk().round(2)
    price[50] = 61.123456789
    assert fitted({"x": price})[0].channels[0].decimals == 2


def test_two_unrelated_prices_are_not_tied_by_a_wrong_quotation():
    a, b = walk(seed=1), walk(seed=2)
    b[600] *= 50
    assert [c.kind for c in fitted({"A": a, "B": b})[0].channels] == ["returns", "returns"]


def test_data_unlike_those_of_the_training_are_refused():
    series, _ = fitted({"x": walk()})
    below = pd.DataFrame({"x": walk() - 70})
    with pytest.raises(InputError, match="'x' has values that are not above 0, unlike the training data"):
        series.values(Items("new", "series", below))


def test_given_kinds_are_kept():
    volume = np.r_[0.0, walk(600)]
    assert fitted({"v": volume}, told=("v=log1p",))[0].channels[0].kind == "log1p"
    assert fitted({"v": volume}, told=("v=returns",))[0].channels[0].kind == "returns"
    with pytest.raises(InputError, match="values that are below 0 and cannot be log1p"):
        fitted({"v": np.random.default_rng(0).normal(size=300)}, told=("v=log1p",))

"""Time series: representations of channels and their inverses, files, dates, gaps, and unusable data."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sparring
from sparring.data import Items
from sparring.errors import InputError
from sparring.modalities import Samples, Series, find
from sparring.modalities.series.channels import Channel
from sparring.modalities.series.fitting import kind_of
from sparring.modalities.series.reading import steps
from sparring.modalities.series.series import training_steps


def prices(n=600, seed=0, **columns):
    random = np.random.default_rng(seed)
    close = 50 * np.exp(random.standard_t(4, n).cumsum() * 0.01)
    columns_by_name = {
        "Open": close * np.exp(random.normal(0, 0.004, n)),
        "Close": close,
        "Volume": np.exp(12 + random.normal(0, 0.5, n)).round(),
        "Spread": random.normal(0, 1, n),
        "Drift": random.normal(0, 1, n).cumsum() - 100,
    }
    return pd.DataFrame({"Date": pd.bdate_range("2020-01-01", periods=n), **columns_by_name, **columns})


def fitted(frame, **fields):
    items = Items("prices", "series", frame)
    return Series(window=32, **fields).fit(items), items


def test_kinds_of_channels_are_detected():
    series, _ = fitted(prices())
    assert {c.name: c.kind for c in series.channels} == {
        "Open": "ratio", "Close": "returns", "Volume": "log", "Spread": "level", "Drift": "differences",
    }  # fmt: skip
    assert series.channels[0].anchor == 1
    assert [c.decimals for c in series.channels][2] == 0


def test_highest_and_lowest_prices_keep_their_order():
    frame = prices()[["Date", "Open", "Close"]]
    wicks = np.abs(np.random.default_rng(1).normal(0, 0.003, (2, len(frame))))
    frame["High"] = frame[["Open", "Close"]].max(axis=1) * np.exp(wicks[0])
    frame["Low"] = frame[["Open", "Close"]].min(axis=1) / np.exp(wicks[1])
    frame["Adj Close"] = frame["Close"]
    series, items = fitted(frame)
    kinds = {c.name: c.kind for c in series.channels}
    assert kinds == {"Open": "ratio", "Close": "returns", "High": "highest", "Low": "lowest", "Adj Close": "ratio"}
    assert series.shape == (4, 32)  # the adjusted close is constant relative to the close
    sampled = series.destandardize(np.random.default_rng(0).normal(size=(20, 100, 4)) * 3)
    open_, close, high, low, adjusted = sampled.transpose(2, 0, 1)
    assert (high >= np.maximum(open_, close)).all()
    assert (low <= np.minimum(open_, close)).all()
    assert (adjusted == close).all()
    values = series.values(items)[: training_steps(600)]
    again = series.destandardize(series.standardize(values))
    assert np.allclose(again[:, 2] / again[:, 1], values[1:, 2] / values[1:, 1], rtol=1e-4)
    with pytest.raises(InputError, match="'Open' is not always the highest"):
        fitted(frame, told=("Open=highest",))


def test_constant_series_are_refused():
    with pytest.raises(InputError, match="are constant"):
        fitted(pd.DataFrame({"x": np.ones(200)}))


def test_a_seasonal_series_is_no_walk():
    t = np.arange(2000)
    assert kind_of(20 + 5 * np.sin(t / 24) + np.random.default_rng(0).normal(0, 1, 2000), True) in ("level", "log")


def test_values_survive_a_round_trip():
    frame = prices()
    series, items = fitted(frame)
    values = series.values(items)
    values = values[: training_steps(len(values))]  # later values may be clipped to the range of these
    again = series.destandardize(series.standardize(values))
    walks = [c.walks for c in series.channels]
    # walks continue the last value, so that only their steps are restored
    assert np.allclose(again[:, 3], values[1:, 3], atol=1e-5)
    assert np.allclose(again[:, 2], values[1:, 2], atol=0.51)
    assert np.allclose(np.diff(np.log(again[:, 1])), np.diff(np.log(values[1:, 1])), atol=1e-4)
    assert np.allclose(again[:, 0] / again[:, 1], values[1:, 0] / values[1:, 1], rtol=1e-4)
    assert sum(walks) == 2


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(2.2, 30))
def test_tails_survive_a_round_trip(seed, freedom):
    x = np.random.default_rng(seed).standard_t(freedom, 500)[:, None]
    series, _ = fitted(pd.DataFrame({"x": x[:, 0]}), told=("x=level",))
    channel = series.channels[0]
    inner = channel.gaussianize(x[1:450, 0])
    assert abs(inner.mean()) < 0.05
    assert inner.std() == pytest.approx(1, abs=0.05)
    assert channel.degaussianize(channel.gaussianize(x[1:450, 0])) == pytest.approx(x[1:450, 0], rel=1e-5, abs=1e-6)


def test_the_lambert_w_transform_is_goergs():
    """u exp(delta u^2 / 2), equation 4 of Goerg 2015."""
    channel = Channel("x", "level", delta=0.2, low=-99, high=99)
    u = np.linspace(-3, 3, 7)
    assert channel.degaussianize(u) == pytest.approx(u * np.exp(0.1 * u**2))
    assert channel.gaussianize(channel.degaussianize(u)) == pytest.approx(u)


def test_held_out_windows_come_after_the_training_windows():
    frame = prices(n=400)
    series, items = fitted(frame)
    encoded = series.encode(items)
    rows, held = series.split(items).samples(encoded.items, encoded.span)
    trained = training_steps(400)
    assert encoded.values.shape == (400 - 1 - 32 + 1, 5, 32)
    # window i holds the steps from value i to i + 1 up to value i + 31 to i + 32
    assert rows.max() + 32 == trained - 1
    assert held.min() >= trained - 1
    assert not set(rows) & set(held)


def test_statistics_do_not_depend_on_held_out_steps():
    frame = prices(n=400)
    wild = frame.copy()
    wild.loc[training_steps(400) :, "Spread"] = 1e6
    a, b = (fitted(f)[0].channels[3] for f in (frame, wild))
    assert (a.mean, a.deviation, a.delta) == (b.mean, b.deviation, b.delta)
    assert b.last == 1e6


def test_paths_continue_the_dates():
    series, _ = fitted(prices(n=300))
    sampled = series.frame(np.ones((2, 3, 5)))
    assert sampled["path"].tolist() == [1, 1, 1, 2, 2, 2]
    last = pd.bdate_range("2020-01-01", periods=300)[-1]
    assert sampled["Date"].tolist()[:3] == pd.bdate_range(last, periods=4)[1:].tolist()
    assert str(sampled["Volume"].dtype) == "int64"
    monthly = prices(n=100)
    monthly["Date"] = pd.date_range("1990-01-01", periods=100, freq="MS")
    assert str(fitted(monthly)[0].frame(np.ones((1, 1, 5)))["Date"][0].date()) == "1998-05-01"


def test_without_dates_steps_are_numbered():
    series, _ = fitted(prices().drop(columns="Date"))
    sampled = series.frame(np.ones((1, 4, 5)))
    assert sampled["step"].tolist() == [1, 2, 3, 4]
    assert "path" not in sampled


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".npz", ".png"])
def test_paths_are_written(suffix, tmp_path):
    series, _ = fitted(prices())
    items = series.destandardize(np.random.default_rng(0).normal(size=(3, 10, 5)))
    Samples(items, None, series).save(tmp_path / f"p{suffix}")
    if suffix == ".csv":
        again = pd.read_csv(tmp_path / "p.csv")
        assert np.allclose(again["Close"].to_numpy().reshape(3, 10), items[..., 1])
    if suffix == ".npz":
        assert np.array_equal(np.load(tmp_path / "p.npz")["series"], items)


def test_a_csv_with_dates_in_order_is_a_series(tmp_path):
    prices(n=50).to_csv(tmp_path / "p.csv", index=False)
    assert find(tmp_path / "p.csv").kind == "series"
    shuffled = prices(n=50).sample(frac=1, random_state=0)
    shuffled.to_csv(tmp_path / "q.csv", index=False)
    assert find(tmp_path / "q.csv").kind == "rows"
    prices(n=50, Who=["a", "b"] * 25).to_csv(tmp_path / "r.csv", index=False)
    assert find(tmp_path / "r.csv").kind == "rows"
    (tmp_path / "one.csv").write_text("x\n" + "\n".join(str(i**0.5) for i in range(50)))
    assert find(tmp_path / "one.csv").kind == "series"


def test_descending_dates_are_sorted(tmp_path):
    prices(n=50).iloc[::-1].to_csv(tmp_path / "p.csv", index=False)
    values, dates, _ = steps(find(tmp_path / "p.csv"))
    assert dates.is_monotonic_increasing
    assert values["Close"].iloc[0] == pytest.approx(prices(n=50)["Close"].iloc[0])


def test_several_files_are_joined_by_their_dates(tmp_path):
    for i, name in enumerate(("AA", "BB")):
        prices(n=200, seed=i).iloc[i:].to_csv(tmp_path / f"{name}_2020.csv", index=False)
    items = find(tmp_path)
    assert items.kind == "series"
    assert len(items) == 199
    assert "1 of 200 dates are left out" in items.notes[0]
    assert Series(window=16).fit(items).names == ["AA Close", "BB Close"]
    assert Series(window=16, wanted=("Volume",)).fit(items).names == ["AA Volume", "BB Volume"]
    assert Series(window=16, wanted=("BB Close", "AA")).fit(items).names[:2] == ["BB Close", "AA Open"]


def test_steps_with_missing_values_are_left_out():
    frame = prices(n=300)
    frame.loc[[5, 9], "Close"] = None
    series, items = fitted(frame)
    encoded = series.encode(items)
    assert "2 of 300 steps have a missing value" in encoded.notes[0]
    assert len(encoded.values) == 298 - 32


@pytest.mark.parametrize(
    ("change", "fields", "message"),
    [
        (lambda f: f.head(40), {}, "has 40 steps without missing values; windows of 32 steps need 64; give window=10"),
        (lambda f: f, {"wanted": ("Clsoe",)}, "has no channel 'Clsoe'; did you mean 'Close'"),
        (lambda f: f, {"told": ("Close",)}, "has no kind"),
        (lambda f: f, {"told": ("Close=price",)}, "cannot be 'price'"),
        (lambda f: f, {"told": ("Shut=level",)}, "there is no channel 'Shut'"),
        (lambda f: f, {"told": ("Spread=log",)}, "values that are not above 0"),
        (lambda f: f[["Date"]].assign(a="x"), {}, "no numeric column"),
        (lambda f: pd.concat([f, f.tail(50)]).assign(Drift=range(650)), {}, "twice, with other values"),
    ],
)
def test_unusable_series(change, fields, message):
    with pytest.raises(InputError, match=message):
        fitted(change(prices()), **fields)


def test_an_archive_of_one_table_is_that_table(tmp_path):
    import zipfile

    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr("people.csv", "a,b\n" + "1,x\n2,y\n" * 20)
    items = find(tmp_path / "z.zip")
    assert (items.kind, items.name, len(items)) == ("rows", "z", 40)


def test_a_table_next_to_an_archive_of_images_is_not_the_data(tmp_path):
    import zipfile

    from PIL import Image

    with zipfile.ZipFile(tmp_path / "pictures.zip", "w") as archive:
        for i in range(3):
            Image.new("L", (8, 8), 60 * i).save(tmp_path / "one.png")
            archive.write(tmp_path / "one.png", f"{i}.png")
    (tmp_path / "one.png").unlink()
    (tmp_path / "labels.csv").write_text("name,label\n0,a\n1,b\n")
    assert find(tmp_path).kind == "images"


def test_files_without_dates_are_not_joined(tmp_path):
    for name in "ab":
        prices(n=50).drop(columns="Date").to_csv(tmp_path / f"{name}.csv", index=False)
    with pytest.raises(InputError, match="has no column of dates"):
        find(tmp_path)


def test_only_series_have_a_length(tmp_path):
    model = sparring.train("gan", "digits", out=tmp_path / "r", steps=1, quiet=True, device="cpu")
    with pytest.raises(InputError, match="length=9 was given, but this model of images does not support length"):
        model.sample(1, length=9)
    with pytest.raises(InputError, match="does not support given") as refused:  # the content of a file is not repeated
        model.sample(1, given=["picture=" + 1000 * "A"])
    assert len(str(refused.value)) < 250


def test_walks_are_distinguished_from_stationary_series():
    random = np.random.default_rng(0)
    walk = random.normal(size=1500).cumsum()
    assert kind_of(np.exp(walk / 100), True) == "returns"
    assert kind_of(walk - walk.min() + 1, True) in ("returns", "differences")
    assert kind_of(np.arange(1.0, 800.0), True) == "differences"
    reverting = np.zeros(1500)
    for t in range(1, 1500):
        reverting[t] = 0.93 * reverting[t - 1] + random.normal()
    assert kind_of(reverting, False) == "level"
    smoothed = np.convolve(walk, np.ones(6) / 6, "valid")
    assert kind_of(smoothed, False) == "differences"


def test_samples_exceed_the_range_of_the_data_by_a_tenth_at_most():
    x = np.random.default_rng(0).standard_t(2.5, 800)
    x[x > 0] *= 0.2  # one tail only is heavy
    series, _ = fitted(pd.DataFrame({"x": x}), told=("x=level",))
    training = x[1 : training_steps(800)]
    sampled = series.destandardize(np.linspace(-50, 50, 101)[:, None])[:, 0]
    mean = training.mean()
    assert sampled.min() == pytest.approx(training.min() + 0.1 * (training.min() - mean))
    assert sampled.max() == pytest.approx(training.max() + 0.1 * (training.max() - mean))


def test_nothing_held_out_is_trained_on_even_in_a_short_series():
    series, items = fitted(prices(n=70))
    encoded = series.encode(items)
    rows, held = series.split(items).samples(encoded.items, encoded.span)
    assert len(held) == 0
    assert rows.max() + 32 <= training_steps(70) - 1


def test_rounding_keeps_the_highest_price_the_highest():
    frame = prices()[["Date", "Close"]].round(2)
    frame["High"] = np.ceil(frame["Close"] * 10 + 1) / 10
    series, _ = fitted(frame)
    assert [c.kind for c in series.channels] == ["returns", "highest"]
    sampled = series.destandardize(np.random.default_rng(0).normal(size=(50, 60, 2)))
    assert (sampled[..., 1] >= sampled[..., 0]).all()


def test_frequencies_of_dates_are_detected():
    months = pd.date_range("2000-01-01", periods=120, freq="MS").delete(50)
    frame = prices(n=119).assign(Date=months)
    assert fitted(frame)[0].frame(np.ones((1, 3, 5)))["Date"].dt.day.tolist() == [1, 1, 1]
    zoned = prices(n=100)
    zoned["Date"] = zoned["Date"].dt.tz_localize("America/New_York")
    assert fitted(zoned)[0].end.endswith("+00:00")
    gaps = prices(n=100)
    gaps.loc[90:, "Close"] = None
    assert fitted(gaps)[0].end == gaps["Date"][89].isoformat()
    gaps.loc[7:9, "Date"] = None
    with pytest.raises(InputError, match="no date in row 8"):
        fitted(gaps)


def test_dates_of_an_index_are_kept():
    frame = prices(n=100).set_index("Date")
    assert find(frame).kind == "series"
    assert fitted(find(frame).items)[0].stamp == "Date"


def test_slowly_reverting_ratios_are_separate_prices():
    """A ratio that reverts within a month looks like a walk in daily windows."""
    random = np.random.default_rng(0)
    common, apart = random.normal(0, 0.01, 2000).cumsum(), np.zeros(2000)
    for t in range(1, 2000):
        apart[t] = 0.9 * apart[t - 1] + random.normal(0, 0.01)
    series, _ = fitted(pd.DataFrame({"A": np.exp(common), "B": np.exp(common + apart)}))
    assert [c.kind for c in series.channels] == ["returns", "returns"]


def test_channels_are_chosen_if_there_are_many():
    random = np.random.default_rng(0)
    closes = pd.DataFrame({f"S{i} Close": np.exp(random.normal(0, 0.01, 100).cumsum()) for i in range(20)})
    assert len(fitted(closes)[0].names) == 20
    with pytest.raises(InputError, match="has 20 channels; choose some of them"):
        fitted(closes.rename(columns=lambda name: name.replace("Close", "Level")))


def test_columns_with_a_common_ending_do_not_come_from_several_files():
    frame = prices(n=100)[["Date", "Close", "Spread"]].rename(columns={"Close": "House Price"})
    frame["Land Price"] = frame["House Price"] * 2 + frame["Spread"]
    series, items = fitted(frame)
    assert series.names == ["House Price", "Spread", "Land Price"]
    assert "not learned: Spread" in fitted(frame, wanted=("House Price",))[0].encode(items).notes[0]


@pytest.mark.parametrize("name", ["series", "quantgan", "timegan"])
def test_a_window_that_is_too_short(name):
    from sparring import recipes

    with pytest.raises(InputError, match="window=1 is too short"):
        recipes.find(name).set({"window": 1})

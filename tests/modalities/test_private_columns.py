"""Columns and marginals that are fitted from noisy counts."""

import math

import numpy as np
import pandas as pd
import pytest
import torch

import sparring
from sparring.data.items import Items
from sparring.data.tensors import VALUES
from sparring.errors import InputError
from sparring.games.discriminator_pass import DiscriminatorPass
from sparring.games.marginals import Marginals
from sparring.layers.spans import Spans
from sparring.modalities import Table
from sparring.nets.table import Discriminator, Generator
from sparring.privacy import SecretNoise

N = 5000


@pytest.fixture(scope="module")
def frame():
    random = np.random.default_rng(0)
    city = random.choice(["Bern", "Oslo", "Rome"], N, p=[0.6, 0.3, 0.1])
    return pd.DataFrame(
        {
            "age": random.integers(17, 91, N),
            "gain": np.where(random.random(N) < 0.9, 0, random.lognormal(8, 1, N).round()).astype(int),
            "height": random.normal(1.7, 0.1, N),
            "balance": random.normal(0, 1000, N),
            "city": city,
            "member": random.random(N) < np.where(city == "Bern", 0.8, 0.2),
        }
    )


def fitted(frame, columns=1.0, pairs=math.inf, selection=1e-6, **settings):
    table = Table(asking="target", **settings)
    return table.fit_privately(Items("t", "rows", frame), columns, pairs, selection, SecretNoise())


def column(table, name):
    return next(c for c in table.columns if c.name == name)


def test_with_little_noise_quantiles_and_levels_are_those_of_the_data(frame):
    table = fitted(frame, 1e-3)
    for name, near in (("age", 2), ("height", 0.06), ("balance", 100)):  # parts are a 32nd of a power of two
        for share in (0.1, 0.5, 0.9):
            assert np.quantile(column(table, name).knots, share) == pytest.approx(frame[name].quantile(share), abs=near)
    gain = column(table, "gain")
    assert gain.spikes == (0.0,)
    assert gain.spike_counts[0] == pytest.approx((frame["gain"] == 0).sum() * 0.9, rel=0.02)
    city = column(table, "city")
    assert city.levels == ("Bern", "Oslo", "Rome")


def test_rows_survive_encoding(frame):
    table = fitted(frame)
    decoded = table.decode({VALUES: table.scale(table.encode(Items("t", "rows", frame)).values)})
    assert list(decoded) == list(frame)
    assert decoded.dtypes.equals(frame.dtypes)
    assert (decoded["city"] == frame["city"]).all()
    assert (decoded["age"] - frame["age"]).abs().mean() < 2
    assert (decoded["balance"] - frame["balance"]).abs().mean() < 60


def test_a_rare_level_and_an_extreme_number_are_not_published(frame):
    """They would reveal that somebody's record is among the data."""
    marked = frame.copy()
    marked.loc[::2500, "city"] = "Atlantis"  # two rows
    marked.loc[0, "balance"] = 1e9
    for _ in range(20):
        table = fitted(marked, 5.0)
        assert "Atlantis" not in column(table, "city").levels
        assert max(column(table, "balance").knots) < 1e7


def test_counts_are_noisy_each_time(frame):
    counts = [column(fitted(frame, 20.0), "city").counts[0] for _ in range(30)]
    expected = 20 * math.sqrt(frame.shape[1])  # all columns share one release
    assert np.std(counts) == pytest.approx(expected, rel=0.5)


def test_marginals_are_those_of_the_data_with_noise(frame):
    table = fitted(frame, pairs=3.0, target="member")
    names = [c.name for c in table.learned]
    i, j = names.index("city"), names.index("member")
    measured = next(pair for pair in table.measured.pairs if set(pair[:2]) == {i, j})
    shares = np.array(measured[2]).reshape(table.widths[measured[0]], table.widths[measured[1]])
    city, member = column(table, "city").levels, column(table, "member").levels
    train = frame.iloc[table.split(Items("t", "rows", frame)).train]
    real = [[((train["city"] == c) & (train["member"] == m)).mean() for m in member] for c in city]
    assert np.abs(shares - (np.array(real) if measured[0] == i else np.array(real).T)).max() < 6 * measured[3]
    # Pairs with the target are measured more precisely; all of them together cost as much as one with noise 3.
    deviations = np.array([pair[3] for pair in table.measured.pairs]) * table.measured.rows
    assert (deviations**-2).sum() == pytest.approx(3.0**-2)
    assert len({round(d, 6) for d in deviations}) == 2
    assert table.measured.releases[1].noise == 3.0


@pytest.mark.parametrize(
    ("change", "told", "message"),
    [
        (lambda f: f.assign(day=pd.Timestamp("2024-01-01")), (), "column 'day' holds dates"),
        (lambda f: f.assign(name=[f"n{i}" for i in range(N)]), (), "column 'name' has no level of at least"),
        (lambda f: f, ("city=number",), "columns=city=number was given, but the column holds"),
        (lambda f: f, ("city=identifier",), "columns=city=identifier is not fitted privately"),
        (
            lambda f: f.assign(name=[f"n{i}" if i % 2 else None for i in range(N)]),
            (),
            "column 'name' has no level of at least",  # but for missing values, which say nothing of the others
        ),
        (
            lambda f: f.assign(**{"the name": [f"n{i}" for i in range(N)], "day": pd.Timestamp("2024-01-01")}),
            (),
            "nor can 'day' be fitted; 'columns=the name=omit,day=omit' leaves them out",
        ),
        (lambda f: f, ("town=category",), "'t' has no column 'town'"),
    ],
)
def test_what_cannot_be_fitted_privately(frame, change, told, message):
    with pytest.raises(InputError, match=message):
        fitted(change(frame), told=told)


def test_what_is_left_out_takes_no_part_of_the_budget(frame):
    names = frame.assign(name=[f"n{i}" for i in range(N)])
    without, left_out = fitted(frame), fitted(names, told=("name=omit",))
    assert [column.name for column in left_out.columns] == [column.name for column in without.columns]
    assert left_out.measured.releases == without.measured.releases


def test_the_term_is_the_squared_distance_in_units_of_noise():
    torch.manual_seed(0)
    G = Generator(4, Spans((3, 2), ()), 8, 1)
    target = torch.rand(3, 2)
    term = Marginals(G, [(0, 1, target.flatten().tolist(), 0.1)], 1.0)
    asked = torch.tensor([[-1, 1]] * 8)
    z = torch.randn(8, 4 + 5)
    D = Discriminator(G.spans, 8, 1)
    passed = DiscriminatorPass(D, "G", z, asked, real=lambda: None, fake=lambda: None, observe=lambda **_: None)
    chances = G.logits(z, asked)[:, :3].softmax(1)  # the second column is given
    halves = [torch.stack([torch.zeros(3), half.mean(0)], 1) - target for half in chances.chunk(2)]
    torch.testing.assert_close(term(passed), (halves[0] * halves[1]).mean() / 0.1**2)


def test_G_learns_the_marginals(frame, tmp_path):
    pytest.importorskip("opacus")
    frame.to_csv(tmp_path / "t.csv", index=False)
    settings = {"width": 32, "depth": 1, "D": 8, "G_batch": 200, "z": 8, "batch": 100, "lr": 5e-3, "ema_kimg": 2.0}
    model = sparring.train(
        "dptable", tmp_path / "t.csv", out=tmp_path / "run", steps=150, quiet=True, device="cpu", privacy=20.0,
        target="member", **settings,
    )  # fmt: skip
    rows = model.sample(2000, seed=0).items
    shares = rows.groupby("city")["member"].apply(lambda m: (m.astype(str) == "True").mean())
    assert shares["Bern"] - shares["Oslo"] > 0.4  # 0.6 in the data
    where = model.sample(20, seed=0, where={"city": "Rome"}).items
    assert (where["city"] == "Rome").all()
    loaded = sparring.load(tmp_path / "run")
    assert loaded.modality == model.modality
    assert loaded.modality.measured.pairs
    assert sum(p.rate < 1 for p in loaded.modality.measured.releases) == 0


def test_with_realistic_noise_numbers_of_both_signs_have_no_spike_at_zero():
    """Epsilon 1 for 10 columns, of which a tenth is spent on them."""
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(0, 1, (N, 10)), columns=[f"x{i}" for i in range(10)])
    for one in fitted(frame, 12.0).columns:
        knots = np.array(one.knots)
        grid = np.linspace(-3, 3, 6001)
        shares = np.interp(
            grid, np.maximum.accumulate(knots) + np.arange(len(knots)) * 1e-12, np.linspace(0, 1, len(knots))
        )
        near_zero = float(np.interp(0.01, grid, shares) - np.interp(-0.01, grid, shares))
        assert near_zero < 0.06  # 0.008 of the data
        assert np.quantile(knots, 0.1) == pytest.approx(-1.28, abs=0.5)
        assert np.quantile(knots, 0.9) == pytest.approx(1.28, abs=0.5)


def test_codes_of_digits_are_categories_and_written_numbers_keep_their_form(frame):
    codes = np.random.default_rng(0).choice(["00849", "10115", "90210"], N)
    dollars = [f"${value:,.2f}" for value in np.random.default_rng(1).normal(3000, 500, N)]
    table = fitted(frame.assign(zip=codes, price=dollars))
    assert column(table, "zip").levels[0] in ("00849", "10115", "90210")
    assert column(table, "price").kind == "number"
    assert np.quantile(column(table, "price").knots, 0.5) == pytest.approx(3000, abs=150)
    rows = Items("t", "rows", frame.assign(zip=codes, price=dollars))
    decoded = table.decode({VALUES: table.scale(table.encode(rows).values)})
    assert column(table, "price").written(decoded["price"]).str.startswith("$").all()

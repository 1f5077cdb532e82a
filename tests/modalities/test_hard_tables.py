"""Values that are easily lost: codes with zeros, other scripts, distant dates, large integers, rare levels."""

import datetime
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import sparring
from sparring.data.tensors import VALUES
from sparring.errors import InputError
from sparring.modalities import Table
from sparring.modalities.tables.columns import fit_column
from sparring.modalities.tables.columns.kinds import typed
from sparring.modalities.tables.columns.typing import in_memory, readings
from sparring.modalities.tables.reading import of_frame, read_table

random = np.random.default_rng(0)
N = 300


def round_trip(frame):
    items = of_frame(frame)
    modality = Table().fit(items)
    return modality.decode({VALUES: modality.scale(modality.encode(items).values)})


@pytest.mark.parametrize(
    "values",
    [
        random.random(N) * 1e-4,
        random.random(N).astype(np.float32).round(1) + np.linspace(0, 9, N).astype(np.float32).round(2),
        random.integers(2**60, 2**60 + 4, N),
        pd.array([None if i % 5 == 0 else 2**60 + i % 4 for i in range(N)], dtype="Int64"),
        pd.Series(pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(N) % 50, "h")),
        pd.Series([pd.Timestamp("9999-12-31") if i % 3 else pd.Timestamp("2020-03-01") for i in range(N)]),
        pd.Series(pd.date_range("2020-01-01", periods=N, tz="Europe/Berlin")),
        pd.Categorical(random.choice(["low", "mid", "high"], N), ["low", "mid", "high", "unseen"], ordered=True),
        random.choice([True, False], N),
        -random.integers(0, 10**6, N),
    ],
    ids=["small", "float32", "large", "large with gaps", "hours", "far", "zoned", "ordered", "truth", "negative"],
)
def test_values_survive_a_round_trip(values):
    frame = pd.DataFrame({"x": values, "y": random.choice(["a", "b"], N)})
    back = round_trip(frame)
    assert back["x"].dtype == frame["x"].dtype
    assert (back["x"].isna() == frame["x"].isna()).all()
    if frame["x"].dtype.kind == "f":
        assert np.allclose(back["x"], frame["x"], rtol=1e-3, atol=0)
    else:
        assert (back["x"] == frame["x"])[frame["x"].notna()].all()


def of_text(tmp_path, text):
    (tmp_path / "t.csv").write_text(text, encoding="utf-8", newline="")
    return read_table(tmp_path / "t.csv")


def test_codes_keep_their_zeros(tmp_path):
    frame = of_text(tmp_path, "zip,n\n01364,1\n10001,2\n00501,3\n").items
    assert frame["zip"].tolist() == ["01364", "10001", "00501"]
    assert frame["n"].tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("text", "expected", "note"),
    [
        ('n,m\n"3,340",a\n630,b\n"1,234,567",c\n', [3340, 630, 1234567], "commas between thousands"),
        ("n;m\n3,340;a\n630;b\n", [3.34, 630], "decimal commas"),
        ("n;m\n6.357;a\n1.234.567;b\n1,5;c\n", [6357, 1234567, 1.5], "decimal commas"),
    ],
)
def test_commas(tmp_path, text, expected, note):
    frame = of_text(tmp_path, text).items
    assert in_memory(frame)["n"].tolist() == expected
    assert note in readings(frame)["n"].notes[0]


def test_common_formats_of_dates(tmp_path):
    frame = of_text(
        tmp_path, "a,b,c\n31/01/2020,1.2.2020,2020-01-01T10:00:00Z\n01/02/2020,31.12.2020,2020-01-01T12:00+02:00\n"
    ).items
    dates = in_memory(frame)
    assert dates["a"].dt.month.tolist() == [1, 2]
    assert dates["b"].dt.month.tolist() == [2, 12]
    assert dates["c"].nunique() == 1
    assert "day, month, year" in readings(frame)["a"].notes[0]


@pytest.mark.parametrize("letters", ["Иванов", "一丁七万丈", "éèêëàâ"])
def test_new_identifiers_do_not_repeat_letters_of_other_scripts(letters):
    values = pd.Series(["".join(random.choice(list(letters), 6)) + str(i) for i in range(N)], name="id")
    column = fit_column(values)
    assert column.kind == "identifier"
    new = column.decode(np.zeros(N, int), np.zeros(N), random.random(N))
    assert not set(new) & set(values)
    assert not set("".join(column.shapes)) & set(letters)


def test_identifiers_keep_their_common_prefix():
    values = pd.Series([f"P{i:03}" for i in range(N)], name="id")
    new = fit_column(values).decode(np.zeros(N, int), np.zeros(N), random.random(N))
    assert all(v[0] == "P" and v[1:].isdigit() and len(v) == 4 for v in new)


def test_numeric_identifiers_keep_missing_values():
    values = pd.Series([None if i % 4 == 0 else 10_000 + 7 * i for i in range(N)], dtype="Int64", name="id")
    frame = pd.DataFrame({"id": values, "y": random.choice(["a", "b"], N)})
    modality = Table(told=("id=identifier",)).fit(of_frame(frame))
    back = modality.decode({VALUES: modality.scale(modality.encode(of_frame(frame)).values)})["id"]
    assert back.dtype == "Int64"
    assert 0.15 < back.isna().mean() < 0.35


REFUSED = {
    "complex": np.arange(N) * 1j,
    "lists": [[i] for i in range(N)],
    "bytes": [b"a", b"b"] * (N // 2),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_unsupported_types_are_refused(kind):
    with pytest.raises(InputError, match="column 'x' holds"):
        of_frame(pd.DataFrame({"x": REFUSED[kind], "y": 1}))


def test_unusual_frames_and_files(tmp_path):
    days = [datetime.date(2020, 1, 1 + i % 28) for i in range(N)]
    frame = pd.DataFrame({"self": days, "p=q": random.normal(size=N), "p": random.choice(["a", "b"], N)})
    modality = Table().fit(of_frame(frame))
    assert modality.request(where=["p=q>0"]).rules[0].column == "p=q"
    assert modality.request(where=["p=a"]).rules[0].column == "p"
    assert of_text(tmp_path, "a,b\r1,x\r2,y\r").items["a"].tolist() == [1, 2]
    assert list(of_text(tmp_path, '"a,x";"b,y"\n1;2\n3;4\n').items.columns) == ["a,x", "b,y"]
    (tmp_path / "u.csv").write_text("a,b\n1,ä\n2,x\n", encoding="utf-16")
    assert read_table(tmp_path / "u.csv").items["b"].tolist() == ["ä", "x"]
    with pytest.raises(InputError, match="line 2 has 3 values"):
        of_text(tmp_path, "a,b\n1,2,3\n4,5,6\n")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model of a table with many rare cities, each in one country."""
    folder = tmp_path_factory.mktemp("cities")
    n = 3000
    city = (random.pareto(0.7, n) * 20).astype(int) % 160
    frame = pd.DataFrame(
        {
            "id": [f"P{i:05}" for i in random.permutation(n)],
            "city": [f"c{i:03}" for i in city],
            "country": [f"k{i % 7}" for i in city],
            "age": random.integers(18, 80, n),
            "when": pd.date_range("2020-01-01", periods=n, freq="h", tz="UTC"),
            "flag": random.choice(["true", "false"], n),
        }
    )
    frame.loc[::9, "age"] = None
    frame.to_csv(folder / "t.csv", index=False)
    rules = ("unique(id)", "together(city|country)", "age>=18")
    settings = {"steps": 30, "quiet": True, "device": "cpu", "batch": 100, "width": 32, "D": 32, "z": 8}
    return sparring.train("table", folder / "t.csv", out=folder / "run", constraints=rules, **settings)


def test_every_row_satisfies_conditions_and_constraints(model):
    combinations = set(zip(*(find_frame(model)[c] for c in ("city", "country")), strict=True))
    rare = model.modality.learned[0].rare[3]
    for where in ([], [f"city!={rare}"], ["age<40", "when<2020-03-01"], [f"city={rare}"], ["age=missing"]):
        rows = model.sample(60, seed=3, where=where).items
        assert len(rows) == 60
        assert rows["id"].is_unique
        assert set(zip(rows["city"], rows["country"], strict=True)) <= combinations
        assert (rows["age"].dropna() >= 18).all()
    assert (model.sample(20, seed=0, where=[f"city={rare}"]).items["city"] == rare).all()
    assert model.sample(20, seed=0, where={"age": None}).items["age"].isna().all()
    assert (model.sample(20, seed=0, where=["flag=TRUE"]).items["flag"] == "true").all()


def find_frame(model):
    from sparring.modalities import find

    return find(model.about["data"]).items


def test_rows_of_a_seed_do_not_depend_on_their_number(model):
    few, many = (model.sample(n, seed=1).items for n in (5, 1500))
    pd.testing.assert_frame_equal(few, many[:5])


@pytest.mark.parametrize(
    ("where", "message"),
    [
        (["age<when"], "not both numbers or both dates"),
        (["id<3"], "is an identifier"),
        (["age>missing"], "cannot be compared"),
        (["flag>1"], "has levels"),
        (["age>=30", "age<30"], "cannot both hold"),
    ],
)
def test_invalid_conditions(model, where, message):
    with pytest.raises(InputError, match=message):
        model.sample(5, where=where)


def test_dates_cannot_be_categories():
    frame = pd.DataFrame({"d": pd.date_range("2020-01-01", periods=N), "y": 1.5})
    with pytest.raises(InputError, match="holds dates and cannot be 'category'"):
        Table(told=("d=category",)).fit(of_frame(frame))


@pytest.mark.slow
def test_a_million_rows_of_a_hundred_thousand_levels_take_less_than_two_gigabytes(tmp_path):
    n = 1_000_000
    levels = [f"L{i}" for i in random.integers(0, 100_000, n)]
    pd.DataFrame({"level": levels, "x": random.normal(size=n).round(3)}).to_csv(tmp_path / "t.csv", index=False)
    code = (
        "import resource, sparring\n"
        "model = sparring.train('table', 't.csv', out='run', steps=3, quiet=True)\n"
        "assert model.sample(5000, seed=0).items['level'].nunique() > 10\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert int(done.stdout) * 1024 < 2e9


def test_levels_that_do_not_fit_the_type_of_their_column_are_damage():
    column = replace(fit_column(pd.Series(["x", "y"] * 50, name="job")), dtype="float128")
    with pytest.raises(InputError, match="column 'job' of the model is damaged: "):
        typed(column, np.array(["x", "y"], object))

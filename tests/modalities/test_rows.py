"""Tables: encoding and decoding, conditions on rows, and constraints on all rows."""

import json
import re
import shlex
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sparring.data.items import Items
from sparring.data.tensors import VALUES
from sparring.errors import InputError
from sparring.files import as_plain
from sparring.modalities import Table
from sparring.modalities.tables.columns import fit_column
from sparring.modalities.tables.columns.typing import in_memory
from sparring.modalities.tables.reading import of_frame

random = np.random.default_rng(0)
N = 400


def mixed(n=N):
    """A data frame with every type of column and missing values."""
    frame = pd.DataFrame(
        {
            "id": np.arange(7, 7 + n),
            "code": [f"AB-{i:04}x" for i in random.permutation(n)],
            "age": random.integers(17, 90, n).astype(np.int16),
            "price": np.round(random.lognormal(3, 1, n), 2),
            "gain": np.where(random.random(n) < 0.9, 0, random.integers(1000, 9000, n)),
            "city": random.choice(["Rome", "Oslo", "Bonn"], n, p=[0.7, 0.2, 0.1]),
            "member": random.random(n) < 0.3,
            "rooms": random.integers(1, 6, n).astype(float),
            "when": pd.Timestamp("2020-01-01") + pd.to_timedelta(random.integers(0, 900, n), "D"),
            "size": pd.Categorical(random.choice(["S", "M", "L"], n), ["S", "M", "L"], ordered=True),
        }
    )
    for column in ("price", "city", "rooms", "when"):
        frame.loc[random.random(n) < 0.1, column] = None
    return frame


def round_trip(frame, **fields):
    items = of_frame(frame)
    modality = Table(**fields).fit(items)
    return modality, modality.decode({VALUES: modality.scale(modality.encode(items).values)})


def test_column_types_are_detected():
    modality = Table().fit(of_frame(mixed()))
    kinds = {column.name: column.kind for column in modality.columns}
    assert [name for name, kind in kinds.items() if kind == "identifier"] == ["id", "code"]
    assert [name for name, kind in kinds.items() if kind == "number"] == ["age", "price", "gain", "when"]
    assert modality.shape[0] == sum(modality.widths) + len(modality.scalars)


def test_columns_that_are_left_out():
    frame = mixed()
    _, decoded = round_trip(frame, told=("code=omit", "city=omit"))
    assert list(decoded) == [name for name in frame if name not in ("code", "city")]
    for told, target, message in (
        (("city=omit",), "city", "target=city is left out"),
        (tuple(f"{name}=omit" for name in frame if name != "age"), "", "leaves fewer than two columns"),
        (("town=omit",), "", "no column 'town'"),
        (("city=omitt",), "", "column 'city' cannot be 'omitt'; did you mean 'omit'"),
    ):
        with pytest.raises(InputError, match=message):
            Table(told=told, target=target).fit(of_frame(frame))


def test_advice_can_be_typed_in_a_shell():
    """Names of columns have spaces and signs that shells read."""
    names = pd.DataFrame({"Customer No. (new)": [f"K-{i:05}" for i in range(100)], "n": [1, 2] * 50})
    (note,) = (note for column in Table().fit(of_frame(names)).columns for note in column.notes)
    typed = [word for word in shlex.split(note.partition("; ")[2]) if "=" in word]
    assert typed == ["columns=Customer No. (new)=category", "columns=Customer No. (new)=omit"]


def test_values_dtypes_and_missing_values_survive_a_round_trip():
    frame = mixed()
    modality, back = round_trip(frame)
    assert back.dtypes.map(str).tolist() == frame.dtypes.map(str).tolist()
    learned_columns = [c.name for c in modality.learned]
    assert (back[learned_columns].isna() == frame[learned_columns].isna()).all().all()
    for name in ("age", "gain", "city", "member", "rooms", "when", "size"):
        assert (back[name].astype(object) == frame[name].astype(object))[frame[name].notna()].all(), name
    assert np.abs(back["price"] - frame["price"]).max() < 0.02
    assert back["size"].cat.ordered


def test_nullable_dtypes_survive_a_round_trip(tmp_path):
    mixed().to_csv(tmp_path / "t.csv", index=False)
    from sparring.modalities import find

    raw = find(tmp_path / "t.csv").items
    back, frame = round_trip(raw)[1], in_memory(raw)
    assert back.dtypes.map(str).tolist() == frame.dtypes.map(str).tolist()
    assert back["rooms"].isna().sum() == frame["rooms"].isna().sum() > 0


def test_samples_get_new_identifiers():
    frame = mixed()
    _, back = round_trip(frame)
    assert back["id"].tolist() == list(range(7 + N, 7 + 2 * N))
    assert back["code"].str.fullmatch(r"[A-Z]{2}-\d{4}[a-z]").all()
    assert not set(back["code"]) & set(frame["code"])
    assert back["code"].nunique() > 0.99 * N


def test_a_number_with_many_different_values_is_no_identifier():
    frame = pd.DataFrame({"x": random.permutation(10**6)[:N], "y": random.normal(size=N)})
    assert [column.kind for column in Table().fit(of_frame(frame)).columns] == ["number", "number"]
    modality = Table(told=("x=identifier",)).fit(of_frame(frame))
    assert modality.columns[0].kind == "identifier"


def test_rare_levels_share_a_code_and_keep_their_frequency():
    frame = pd.DataFrame({"zip": [f"z{i}" for i in (random.pareto(0.6, 20_000) * 9).astype(int) % 5000], "y": 1.5})
    frame["y"] = random.normal(size=len(frame))
    modality, back = round_trip(frame)
    assert modality.learned[0].width == 100
    assert back["zip"].isin(frame["zip"]).all()
    rare = set(modality.learned[0].rare)
    assert back["zip"].isin(rare).mean() == pytest.approx(frame["zip"].isin(rare).mean())
    assert back["zip"][back["zip"].isin(rare)].nunique() > 0.5 * len(rare)


def test_the_number_of_codes_is_bounded():
    values = pd.Series([str(i) for i in random.integers(0, 100_000, 200_000)], name="level")
    column = fit_column(values)
    assert column.width == 100
    codes, _ = column.encode(values)
    assert codes.max() == 99


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6, allow_nan=False) | st.integers(-5, 5), min_size=2, max_size=300))
def test_numbers_survive_a_round_trip(values):
    series = pd.Series(np.round(np.array(values, float), 3), name="x")
    column = fit_column(series, "number")
    codes, scalars = column.encode(series)
    assert codes.min() >= 0
    assert codes.max() < column.width
    assert np.abs(scalars).max() <= 1
    back = column.decode(codes, scalars, np.zeros(len(codes)))
    spread = max(1.0, np.ptp(series))
    assert np.abs(back - series).max() <= 1e-6 * spread + 0.0011


def test_the_fitted_state_is_json_and_can_be_restored():
    modality = Table(constraints=("age>=0", "together(city|size)")).fit(of_frame(mixed()))
    stored = json.loads(json.dumps(asdict(modality)))

    def tuples(value):
        return tuple(map(tuples, value)) if isinstance(value, list) else value

    restored = replace(Table(), **{name: tuples(value) for name, value in stored.items()})
    assert restored == modality


def test_decoding_does_not_depend_on_the_batch():
    frame = mixed()
    modality = Table().fit(of_frame(frame))
    x = modality.scale(modality.encode(of_frame(frame)).values)
    whole, part = (modality.decode({VALUES: values}) for values in (x, x[:50]))
    pd.testing.assert_frame_equal(whole[:50], part)


def test_conditions_of_a_batch_are_its_own_values():
    modality = Table().fit(of_frame(mixed()))
    encoded = modality.encode(of_frame(mixed())).values
    torch.manual_seed(0)
    batch = modality.batch({"values": encoded})
    codes, given = encoded[:, : modality.condition_width].long(), batch["condition"]
    assert torch.equal(torch.where(given >= 0, given, codes), codes)
    free = (given < 0).sum(1)
    assert 0.05 < (free == given.shape[1]).float().mean() < 0.25  # unconditional
    gaps = given[free == 1] < 0
    assert 0.25 < len(gaps) / len(given) < 0.45  # all but one column
    assert 0.4 < gaps[:, modality.target_index].float().mean() < 0.7  # the target in half of them


CONDITIONS = {
    "city=Rome": lambda f: f["city"] == "Rome",
    "city!=Rome": lambda f: f["city"] != "Rome",
    "age>=40": lambda f: f["age"] >= 40,
    "age=40": lambda f: f["age"] == 40,
    "gain=0": lambda f: f["gain"] == 0,
    "rooms=3": lambda f: f["rooms"] == 3,
    "rooms>3": lambda f: f["rooms"] > 3,
    "member=True": lambda f: f["member"],
    "price=missing": lambda f: f["price"].isna(),
    "city=missing": lambda f: f["city"].isna(),
    "when<2021-01-01": lambda f: f["when"] < pd.Timestamp("2021-01-01"),
    "gain<age": lambda f: f["gain"] < f["age"],
}


@pytest.mark.parametrize("text", CONDITIONS)
def test_conditions(text):
    frame = mixed()
    modality = Table().fit(of_frame(frame))
    request = modality.request(where=[text])
    satisfied = request.rules[0].holds(frame)
    assert satisfied.any()
    assert np.array_equal(satisfied, CONDITIONS[text](frame).fillna(False).to_numpy(bool))
    codes = modality.encode(of_frame(frame)).values[:, : modality.condition_width].long()
    requested = request.condition >= 0  # these columns have the requested code in all rows that satisfy the condition
    assert (codes[torch.from_numpy(satisfied)][:, requested] == request.condition[requested]).all()


REFUSED = {
    ("town=Rome",): "no column 'town'",
    ("city=Roma",): "no level 'Roma'; did you mean 'Rome'?",
    ("age=old",): "'old' is not a number",
    ("city>3",): "levels, not numbers",
    ("city",): "is not a condition",
    ("id=9",): "is an identifier",
    ("city=Rome", "city=Oslo"): "cannot both hold",
    ("age>50", "age<20"): "cannot both hold",
    ("age=30", "age>50"): "cannot both hold",
    ("age=missing",): "have no missing value",
    ("city<age",): "not both numbers",
    ("when=soon",): "is not a date",
}


@pytest.mark.parametrize("where", REFUSED, ids=" ".join)
def test_invalid_conditions(where):
    modality = Table().fit(of_frame(mixed()))
    with pytest.raises(InputError, match=REFUSED[where].replace("?", r"\?")):
        modality.request(where=where)


@pytest.mark.parametrize(
    ("constraint", "message"),
    [
        ("age>50", "'frame' violates it, first in row"),
        ("unique(city)", "violates it"),
        ("each(age)", "is not a condition"),
    ],
)
def test_constraints_that_the_data_violate(constraint, message):
    with pytest.raises(InputError, match=message):
        Table(constraints=(constraint,)).fit(of_frame(mixed()))


def test_a_sheet_shows_every_learned_column():
    modality, back = round_trip(mixed())
    from sparring.modalities import Samples

    assert Samples(back, None, modality).preview().size[1] > 100


NAMES = (
    "label", "where", "length", "values", "condition", "n", "seed", "class", "self", "kind", "name", "items", "index",
    "columns", "missing", "a", "a=b", "a=b=c", "x<3", "p>q", ">=", "=", "!=", "with space", "b[0]", "{x}", "unique(a)",
    "a|b", "50%", "#", "a,b", 'quo"te', "new\nline", "None", "nan", "0", "1.5", "ünï", "long" * 100, "__class__",
    "[bold]",
)  # fmt: skip


def test_columns_may_have_any_name(tmp_path):
    frame = pd.DataFrame({name: random.choice(["u", "v w"], N) for name in NAMES} | {"x": random.normal(size=N)})
    frame.to_csv(tmp_path / "t.csv", index=False)
    from sparring.modalities import find

    items = find(tmp_path / "t.csv")
    assert list(items.items.columns) == [*NAMES, "x"]
    modality = Table(target="a=b").fit(items)
    assert modality.learned[modality.target_index].name == "a=b"
    for name in NAMES:
        for where in ([f"{name}=v w"], {name: "v w"}):
            holds = modality.request(where=where).rules[0].holds(items.items)
            assert holds.tolist() == (frame[name] == "v w").tolist(), name
    assert {column["name"] for column in modality.describe_conditions()["columns"]} == {*NAMES, "x"}


DAMAGED = {
    "kind": ("other", "column 'a' is damaged: its kind is 'other'"),
    "name": (5, "column '5' is damaged: name is 5, not text"),
    "knots": ([1.0, "x"], 'knots[1] is "x", not a number'),
    "unit": ({}, "unit is {}, not a whole number"),
    "spikes": ([[1]], "spikes[0] is [1], not a number or null"),
    "bin_counts": ([1], "values, but counts"),
    "spike_counts": ([-1], "column 'a' is damaged"),
    "form": ({"kind": "other"}, "form of a column is damaged: its kind is 'other'"),
}


@pytest.mark.parametrize("key", DAMAGED)
def test_a_damaged_column_of_a_model_is_named(key):
    table = Table().fit(Items("t", "rows", pd.DataFrame({"a": np.linspace(0, 1, 200), "b": ["x"] * 200})))
    stored = as_plain(asdict(table))["columns"]
    assert replace(Table(), columns=stored).columns == table.columns
    value, why = DAMAGED[key]
    with pytest.raises(InputError, match=re.escape(why)):
        replace(Table(), columns=[stored[0] | {key: value}])

"""Parquet files and data frames with columns of every type, and whole numbers of any size."""

import datetime
import json
from dataclasses import asdict
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow
import pytest
from pyarrow import parquet

from sparring.data.tensors import VALUES
from sparring.errors import InputError
from sparring.json_files import build
from sparring.modalities import Samples, Table, find
from sparring.modalities.tables.reading import of_frame

random = np.random.default_rng(0)
N = 120
DAY = datetime.date(2021, 1, 1)


def gaps(values, kind):
    return pyarrow.array([None if i % 7 == 0 else value for i, value in enumerate(values)], kind)


TIMES = [
    datetime.time(int(h), int(m), 5) for h, m in zip(random.integers(0, 24, N), random.integers(0, 60, N), strict=True)
]
DAYS = [DAY + datetime.timedelta(int(d)) for d in random.integers(0, 700, N)]
CENTS = [Decimal(int(c)) / 100 for c in random.integers(0, 500_000, N)]
COLUMNS = {
    "days": gaps(DAYS, pyarrow.date32()),
    "times": gaps(TIMES, pyarrow.time64("us")),
    "times in seconds": gaps(TIMES, pyarrow.time32("ms")),
    "durations": gaps([datetime.timedelta(0, int(s)) for s in random.integers(0, 10**6, N)], pyarrow.duration("us")),
    "decimals": gaps(CENTS, pyarrow.decimal128(12, 2)),
    "wide decimals": gaps(CENTS, pyarrow.decimal256(50, 2)),
    "few decimals": gaps([c % 3 for c in CENTS], pyarrow.decimal128(12, 2)),
    "whole decimals": gaps([Decimal(int(c)) for c in random.integers(0, 900, N)], pyarrow.decimal128(19, 0)),
    "truth with gaps": gaps([bool(b) for b in random.random(N) < 0.3], pyarrow.bool_()),
    "integers with gaps": gaps([int(i) for i in random.integers(0, 200, N)], pyarrow.uint8()),
    "large integers": pyarrow.array([int(i) * 2 + 2**63 for i in random.integers(0, 2**62, N)], pyarrow.uint64()),
    "halves": pyarrow.array(random.normal(size=N).astype(np.float16)),
    "moments": gaps([datetime.datetime(2021, 1, 1, i % 24) for i in range(N)], pyarrow.timestamp("ns", "Asia/Tokyo")),
    "dictionary": gaps(list(random.choice(["x", "y"], N)), pyarrow.string()).dictionary_encode(),
}  # fmt: skip


def back(items):
    """Rows of an identity: what a model that has learned them perfectly generates."""
    modality = Table().fit(items)
    return Samples(modality.decode({VALUES: modality.scale(modality.encode(items).values)}), None, modality)


@pytest.mark.parametrize("case", COLUMNS)
def test_columns_of_parquet_keep_their_types(tmp_path, case):
    column = COLUMNS[case]
    table = pyarrow.table({"x": column, "y": random.choice(["a", "b"], N)})
    parquet.write_table(table, tmp_path / "t.parquet")
    items = find(tmp_path / "t.parquet")
    samples = back(items)
    samples.save(tmp_path / "rows.parquet")
    samples.save(tmp_path / "rows.csv")
    written = parquet.read_table(tmp_path / "rows.parquet")["x"]
    was = column.type.value_type if pyarrow.types.is_dictionary(column.type) else column.type
    now = written.type.value_type if pyarrow.types.is_dictionary(written.type) else written.type
    assert now == was
    assert written.null_count == column.null_count
    if case == "large integers":  # identifiers: new, different, of as many digits
        assert written.to_pandas().is_unique
        assert set(written.to_pandas().astype(str).str.len()) <= {19, 20}
    elif case != "halves":
        assert written.to_pylist() == column.to_pylist()
    assert samples.modality.as_json(samples)["rows"][1]["y"] in ("a", "b")
    plain = pd.read_parquet(tmp_path / "rows.parquet")["x"].dtype
    if column.null_count and case not in ("truth with gaps", "integers with gaps"):
        assert plain == table.to_pandas()["x"].dtype


def test_decimals_of_few_bits(tmp_path):
    kind = getattr(pyarrow, "decimal32", pyarrow.decimal128)(7, 2)
    parquet.write_table(pyarrow.table({"x": gaps(CENTS, kind), "y": ["a"] * N}), tmp_path / "t.parquet")
    assert back(find(tmp_path / "t.parquet")).items["x"].dropna().tolist() == [c for i, c in enumerate(CENTS) if i % 7]


def test_conditions_on_days_decimals_and_times(tmp_path):
    table = pyarrow.table({"day": COLUMNS["days"], "cost": COLUMNS["decimals"], "time": COLUMNS["times"]})
    parquet.write_table(table, tmp_path / "t.parquet")
    items = find(tmp_path / "t.parquet")
    modality = Table().fit(items)
    for text, name, holds in (
        ("day>=2021-06-01", "day", lambda v: v >= datetime.date(2021, 6, 1)),
        ("cost<1000.5", "cost", lambda v: v < Decimal("1000.5")),
        ("time>12:00", "time", lambda v: v > datetime.time(12)),
        ("time<=08:30:05", "time", lambda v: v <= datetime.time(8, 30, 5)),
    ):
        values = table[name].to_pylist()
        expected = [value is not None and holds(value) for value in values]
        assert modality.request(where=[text]).rules[0].holds(items.items).tolist() == expected


@pytest.mark.parametrize(
    "column",
    [
        pyarrow.array([[1, 2]] * N),
        pyarrow.array([{"a": 1}] * N),
        pyarrow.array([[("a", 1)]] * N, pyarrow.map_(pyarrow.string(), pyarrow.int64())),
        pyarrow.array([b"ab"] * N),
        pyarrow.array([b"ab"] * N, pyarrow.binary(2)),
    ],
    ids=["list", "struct", "map", "binary", "fixed"],
)
def test_types_that_are_refused_by_name(tmp_path, column):
    parquet.write_table(pyarrow.table({"y": list(range(N)), "tags": column}), tmp_path / "t.parquet")
    left_out = r"or remove it from the data \(columns=tags=omit leaves out only what can be read\)$"
    with pytest.raises(InputError, match=rf"t.parquet: column 'tags' holds .*; convert it .*, {left_out}"):
        find(tmp_path / "t.parquet")


def test_objects_of_python_get_types():
    frame = pd.DataFrame({"d": DAYS, "c": CENTS, "t": TIMES, "n": [None if i % 5 == 0 else i for i in range(N)]})
    frame["n"] = frame["n"].astype(object)
    items = of_frame(frame.assign(span=pd.to_timedelta(np.arange(N), "h")))
    assert back(items).items["d"].tolist() == DAYS
    assert back(items).items["c"].tolist() == CENTS
    assert back(items).items["t"].tolist() == TIMES
    assert back(items).items["span"].tolist() == list(pd.to_timedelta(np.arange(N), "h"))
    assert items.items["n"].isna().sum() == N // 5


def test_indices_and_labels_of_frames():
    days = pd.date_range("2021-01-01", periods=N, name="date")
    frame = pd.DataFrame({"date": random.normal(size=N), 3: 1, ("a", "b"): 2.5}, index=days)
    frame.columns = ["date", 3, ("a", "b")]
    assert list(of_frame(frame).items.columns) == ["date", "date.1", "3", "a b"]
    months = pd.DataFrame({"x": random.normal(size=N)}, index=pd.period_range("2000-01", periods=N, freq="M"))
    assert of_frame(months).items["date"].iloc[1] == pd.Timestamp("2000-02-01")


IDENTIFIERS = {
    "19 digits": random.choice(10**9, N, replace=False) + 1_700_000_000_000_000_000,
    "uint64": (random.integers(0, 2**62, N, dtype=np.uint64) * 2 + 2**63).astype(np.uint64),
    "up to the largest": np.arange(N) + (2**63 - 1 - N),
    "up to the largest unsigned": np.arange(N, dtype=np.uint64) + np.uint64(2**64 - 1 - N),
    "below zero": -random.integers(2**61, 2**62, N),
    "on both sides of zero": random.integers(-(2**62), 2**62, N),
    "with gaps": pd.array([None if i % 5 == 0 else 9 * 10**18 + i * 7919 for i in range(N)], "Int64"),
    "text of 21 digits": [str(10**20 + int(i)) for i in random.permutation(10**6)[:N]],
}


@pytest.mark.parametrize("case", IDENTIFIERS)
def test_identifiers_of_any_size(case):
    frame = pd.DataFrame({"id": IDENTIFIERS[case], "y": random.choice(["a", "b"], N)})
    items = of_frame(frame)
    modality = stored(Table().fit(items))
    made = modality.decode({VALUES: modality.scale(modality.encode(items).values)}, start=1000)["id"]
    assert modality.columns[0].kind == "identifier"
    assert made.dtype == frame["id"].dtype
    present = made.dropna()
    assert present.is_unique
    assert not set(present.astype(str)) & set(frame["id"].dropna().astype(str))


def stored(table):
    """As it is read from a model's file."""
    return build(Table, json.loads(json.dumps(asdict(table))), "model.json")


def test_few_large_numbers_are_levels():
    values = random.choice(np.array([2**64 - 1, 2**64 - 2, 2**63 + 5], np.uint64), N)
    items = of_frame(pd.DataFrame({"x": values, "y": 1.5}))
    assert back(items).items["x"].tolist() == values.tolist()
    assert stored(Table().fit(items)) == Table().fit(items)

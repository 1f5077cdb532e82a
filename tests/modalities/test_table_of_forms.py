"""The table of forms in docs/tables.md is true: every example in it is read as it says, and written back as it says."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sparring.data.tensors import VALUES
from sparring.modalities import Table
from sparring.modalities.tables.columns import fit_column
from sparring.modalities.tables.columns.recognition import recognized, whole_dates
from sparring.modalities.tables.reading import read_table

PAGE = (Path(__file__).parents[2] / "docs" / "tables.md").read_text()
N = 200


def rows():
    """The examples of each row of the table, and what they are read as."""
    section = PAGE.partition("## Forms of values")[2].partition("\n## ")[0]
    lines = [line.split(" | ") for line in section.splitlines() if line.startswith("| `")]
    return [(re.findall("`([^`]+)`", line[0]), line[1]) for line in lines]


def examples(*words):
    """The examples of the rows that are read as something."""
    return [(example, meaning) for found, meaning in rows() for example in found if meaning.startswith(words)]


MEASURES = ("dates", "times", "durations", "numbers")
BESIDE = {"2h 50m": ["26h 5m"], "PT2H50M": ["P1DT3H"], "1.10": ["1.1", "1.9"]}  # other values of the column
WHOLE = {  # values beside the example, by its digits
    8: lambda: pd.date_range("2015-01-01", periods=N).strftime("%Y%m%d"),
    6: lambda: pd.date_range("1995-01-01", periods=N, freq="MS").strftime("%Y%m"),
    14: lambda: pd.date_range("2015-01-01", periods=N, freq="97h").strftime("%Y%m%d%H%M%S"),
    3: lambda: [f"{m // 60}{m % 60:02}" for m in range(60, 1440, 7)],
    4: lambda: [f"{m // 60}{m % 60:02}" for m in range(60, 1440, 7)],
    5: lambda: [f"{s // 3600}{s // 60 % 60:02}{s % 60:02}" for s in range(3600, 86_400, 371)],
}


def test_every_row_is_tried():
    known = (*MEASURES, "whole numbers", "codes", "missing")
    assert len(rows()) > 12
    assert all(meaning.startswith(known) for _, meaning in rows())


@pytest.mark.parametrize(("example", "meaning"), examples(*MEASURES))
def test_text_has_the_form_and_is_written_back(example, meaning):
    form = recognized(pd.Series([example, *BESIDE.get(example, [example])], name="x")).form
    assert form is not None
    assert form.measure == meaning.split()[0].strip(";:")
    assert list(form.texts(form.numbers([example]))) == [example]


@pytest.mark.parametrize(("example", "meaning"), examples("whole numbers"))
def test_whole_numbers_are_dates_and_times(example, meaning):
    since_1970 = "1970" in meaning
    digits = example[2:4] + example[:2] + example[4:] if example == "31012021" else example
    beside = [int(example) + i * 86_400 * 10 ** (len(example) - 10) for i in range(N)] if since_1970 else None
    if example == "31012021":
        beside = [int(day) for day in pd.date_range("2015-01-01", periods=N).strftime("%d%m%Y")]
    values = beside or [int(value) for value in WHOLE[len(digits)]()]
    form = whole_dates(pd.Series([*values, int(example)], dtype="Int64", name="time" if since_1970 else "x")).form
    assert form is not None
    assert form.measure == ("times" if "times" in meaning else "dates")
    numbers = form.numbers([example.zfill(len(str(max(values))))])
    assert int(form.texts(numbers)[0]) == int(example)


@pytest.mark.parametrize(("example", "meaning"), examples("codes"))
def test_codes_keep_every_character(example, meaning, tmp_path):
    others = ["blue", "N.B."] if "levels" in meaning else [_other(example, i) for i in range(9)]
    others = BESIDE.get(example, others)
    frame = pd.DataFrame({"code": np.resize([example, *others], N), "x": np.arange(N) % 7 / 4})
    frame.to_csv(tmp_path / "t.csv", index=False)
    items = read_table(tmp_path / "t.csv")
    column = fit_column(items.items["code"])
    assert (column.kind, column.form) == ("category", None)
    table = Table().fit(items)
    back = table.written(table.decode({VALUES: table.scale(table.encode(items).values)}))
    assert back["code"].astype(str).tolist() == frame["code"].tolist()


def _other(example, i):
    """A code like another one, with one digit changed, so that it is a code for the same reason."""
    place = next(k for k in reversed(range(len(example))) if example[k].isdigit() and example[k] != "0")
    digit = "123456789".replace(example[place], "")[i % 8]
    return example[:place] + digit + example[place + 1 :]


@pytest.mark.parametrize(("marker", "meaning"), examples("missing"))
def test_markers_are_missing(marker, meaning, tmp_path):
    assert "empty" not in meaning
    random = np.random.default_rng(0)
    days = pd.date_range("2020-01-01", periods=N).strftime("%Y-%m-%d").tolist()
    frame = pd.DataFrame({"x": random.normal(5, 2, N).round(2).astype(str), "day": days})
    frame.iloc[::20] = marker
    frame.to_csv(tmp_path / "t.csv", index=False)
    items = read_table(tmp_path / "t.csv")
    table = Table().fit(items)
    assert items.items.isna().sum().tolist() == [10, 10]
    assert [column.kind for column in table.columns] == ["number", "number"]
    table.written(table.decode({VALUES: table.scale(table.encode(items).values)})).to_csv(
        tmp_path / "b.csv", index=False
    )
    assert (tmp_path / "b.csv").read_text().count(",\n") + (tmp_path / "b.csv").read_text().count("\n,") > 0

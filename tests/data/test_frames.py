"""Tables as people's files have them."""

import numpy as np
import pandas as pd
import pytest

from sparring.errors import InputError
from sparring.modalities import find
from sparring.modalities.tables.columns.typing import in_memory, readings
from sparring.modalities.tables.reading import of_frame, read_table


def frame_of(tmp_path, text, name="t.csv", encoding="utf-8"):
    (tmp_path / name).write_bytes(text.encode(encoding))
    return read_table(tmp_path / name)


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("a,b\n1,x\n2,y\n", ["a", "b"]),
        ("a;b\n1;x\n2;y\n", ["a", "b"]),
        ("\ufeffa\tb\r\n1\tx\r\n2\ty\r\n", ["a", "b"]),
        ("1,2\n3,4\n", ["x0", "x1"]),
        (' a , b \n 1, "x, y"\n 2, z\n', ["a", "b"]),
    ],
)
def test_separators_and_headers(tmp_path, text, columns):
    frame = frame_of(tmp_path, text).items
    assert list(frame.columns) == columns
    assert len(frame) == 2
    assert str(frame.dtypes.iloc[0]) == "Int64"


def test_decimal_commas_are_found_and_told(tmp_path):
    frame = frame_of(tmp_path, "price;what\n1.234,5;a\n7,25;b\n-3;c\n").items
    assert in_memory(frame)["price"].tolist() == [1234.5, 7.25, -3.0]
    assert "column 'price' holds numbers such as '1.234,5', with decimal commas" in readings(frame)["price"].notes


def test_dates_are_dates_and_missing_values_stay(tmp_path):
    frame = in_memory(frame_of(tmp_path, "when,n,word\n2020-01-31,1,None\n,2.5,NA\n2021-02-28 12:30,,b\n").items)
    assert frame["when"].tolist()[::2] == [pd.Timestamp("2020-01-31"), pd.Timestamp("2021-02-28 12:30")]
    assert frame.isna().sum().tolist() == [1, 1, 1]
    assert frame["word"].iloc[0] == "None"  # a level, as many tables have it


def test_other_encodings(tmp_path):
    items = frame_of(tmp_path, "name,n\nMüller,1\nÅse,2\n", encoding="cp1252")
    assert items.items["name"].tolist() == ["Müller", "Åse"]
    assert "not UTF-8" in items.notes[0]


def test_parquet_keeps_its_dtypes(tmp_path):
    frame = pd.DataFrame({"a": np.array([1, 2], np.int16), "b": pd.Categorical(["x", "y"]), "c": [True, False]})
    frame.to_parquet(tmp_path / "t.parquet")
    assert find(tmp_path / "t.parquet").items.dtypes.map(str).tolist() == ["int16", "category", "bool"]


def test_frames_of_pandas_and_arrow():
    import pyarrow

    frame = pd.DataFrame({"a": [1, 2], 3: ["x", "y"]})
    assert find(frame).items.columns.tolist() == ["a", "3"]
    assert len(find(pyarrow.table({"a": [1, 2], "b": ["x", "y"]}))) == 2
    with pytest.raises(InputError, match="list is not data"):
        find([1, 2])


BAD = {
    "empty file": ("", "is empty"),
    "one column": ("a\n1\n2\n", "one column, 'a'"),
    "no rows": ("a,b\n", "0 rows"),
    "too many values": ("a,b\n1,2\n1,2,3\n", "is not a table"),
    "infinite": ("a,b\n1.5,x\ninf,y\n", "column 'a' holds infinite numbers"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_table(case, tmp_path):
    text, said = BAD[case]
    with pytest.raises(InputError, match=said):
        frame_of(tmp_path, text)


def test_objects_of_several_kinds():
    with pytest.raises(InputError, match="holds int and str"):
        of_frame(pd.DataFrame({"a": [1, "x"], "b": [1, 2]}))

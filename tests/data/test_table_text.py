"""Text files of tables as spreadsheets, loggers, statistical offices and databases write them."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparring.errors import InputError
from sparring.modalities import find
from sparring.modalities.tables.files.text import read_text
from sparring.modalities.tables.reading import read_table

ROWS = [(i, "xyz"[i % 3], round(1.5 * i, 2)) for i in range(30)]


def read(tmp_path, content, name="t.csv"):
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(tmp_path / name)


def lines(separator=",", decimal=".", end="\n", trailing=""):
    return [f"{a}{separator}{b}{separator}{str(c).replace('.', decimal)}{trailing}{end}" for a, b, c in ROWS]


def check(items, names=("a", "b", "c")):
    """The table that all of the files hold."""
    frame = items.items
    assert tuple(frame.columns) == names
    assert frame.iloc[:, 0].tolist() == [a for a, _, _ in ROWS]
    assert frame.iloc[:, 1].tolist() == [b for _, b, _ in ROWS]
    assert [float(str(c).replace(",", ".")) for c in frame.iloc[:, 2]] == [c for _, _, c in ROWS]


HEADER = "a,b,c\n"
FILES = {
    "plain": HEADER + "".join(lines()),
    "semicolons and decimal commas": "a;b;c\n" + "".join(lines(";", ",")),
    "a mark and carriage returns": "\ufeffa;b;c\r\n" + "".join(lines(";", ",", "\r\n")),
    "carriage returns of an old Mac": "a,b,c\r" + "".join(lines(end="\r")),
    "UTF-16 with a mark": ("a\tb\tc\n" + "".join(lines("\t"))).encode("utf-16"),
    "UTF-16 without a mark": (HEADER + "".join(lines())).encode("utf-16-le"),
    "UTF-16 without a mark, big end first": (HEADER + "".join(lines())).encode("utf-16-be"),
    "UTF-32": (HEADER + "".join(lines())).encode("utf-32"),
    "a declared separator": "sep=;\na;b;c\n" + "".join(lines(";", ",")),
    "a declared separator that is rare": 'sep=^\n"a"^"b"^"c"\n' + "".join(lines("^")),
    "trailing separators": "a,b,c,\n" + "".join(lines(trailing=",")),
    "trailing separators of the rows only": HEADER + "".join(lines(trailing=",,")),
    "trailing separators of the header only": "a,b,c,,\n" + "".join(lines()),
    "empty columns and rows at the end": "a;b;c;;\n" + "".join(lines(";", ",", trailing=";;")) + ";;;;\n" * 9,
    "empty lines": "\n\n" + HEADER + "\n" + "\n".join(lines()) + "\n\n",
    "a title": "Sales of 2021\n\n" + HEADER + "".join(lines()),
    "a title in a padded row": "Sales of 2021,,\n,,\n" + HEADER + "".join(lines()),
    "comments": "# made by a logger\n# unit: V, A\n" + HEADER + "".join(lines()),
    "a commented header": "# made by a logger\n#a,b,c\n" + "".join(lines()),
    "a note at the end": HEADER + "".join(lines()) + "\nSource: office of statistics\nRetrieved: 2021\n",
    "a note in a padded row": HEADER + "".join(lines()) + "Source: the office,,\n",
    "a row of totals": HEADER + "".join(lines()) + "Total,,652.5\n",
    "a row of totals in another language": "a;b;c\n" + "".join(lines(";", ",")) + ";Summe;652,5\n",
    "quotes around all": '"a","b","c"\n' + "".join(f'"{a}","{b}","{c}"\n' for a, b, c in ROWS),
    "spaces after separators": "a, b, c\n" + "".join(lines(", ")),
    "names with spaces around": " a , b ,c \n" + "".join(lines()),
    "bars": "a|b|c\n" + "".join(lines("|")),
}


@pytest.mark.parametrize("case", FILES)
def test_the_same_table_in_many_files(case, tmp_path):
    check(read(tmp_path, FILES[case]))


@pytest.mark.parametrize("name", ["t.txt", "t.dat", "t.data"])
def test_columns_of_spaces_in_free_text(tmp_path, name):
    check(read(tmp_path, "a  b   c\n" + "".join(f"{a:5} {b:>3}  {c:8.2f}\n" for a, b, c in ROWS), name))


def test_what_was_left_out_is_said(tmp_path):
    def notes(text):
        return " / ".join(read(tmp_path, text).notes)

    assert "2 lines before the header are left out, first 'made by hand'" in notes(
        "made by hand\nin 2021\n" + HEADER + "".join(lines())
    )
    assert "the last row is no data and left out: 'Total 652.5'" in notes(FILES["a row of totals"])
    assert "the last 2 rows are no data" in notes(FILES["a note at the end"])
    assert "not UTF-8; it is read as Windows-1252" in " ".join(read(tmp_path, "ä,b\n1,ö\n2,ü\n".encode("cp1252")).notes)
    assert notes(FILES["plain"]) == notes(FILES["trailing separators"]) == ""


def test_a_level_called_total_is_kept(tmp_path):
    text = "part,n\n" + "".join(f"{'Total' if i % 5 == 4 else 'part'},{i}\n" for i in range(20))
    assert len(read(tmp_path, text).items) == 20


def test_several_lines_of_header(tmp_path):
    days = [f"2021-01-{i + 1:02},{i}.5,{i * 2}\n" for i in range(20)]
    units = read(tmp_path, "time,temp,wind\n,°C,m/s\n" + "".join(days)).items
    assert list(units.columns) == ["time", "temp", "wind"]
    assert len(units) == 20
    download = "Price,Close,Volume\nTicker,ABC,ABC\nDate,,\n" + "".join(days)
    assert list(read(tmp_path, download).items.columns) == ["Date", "Close", "Volume"]
    two = "Price,Close,Close\nTicker,ABC,XYZ\nDate,,\n" + "".join(days)
    assert list(read(tmp_path, two).items.columns) == ["Date", "Close ABC", "Close XYZ"]
    merged = "Day,Sales,\n,North,South\n" + "".join(days)
    assert list(read(tmp_path, merged).items.columns) == ["Day", "Sales North", "Sales South"]
    assert "2 lines below the names are a part of the header" in " ".join(read(tmp_path, download).notes)


def test_a_first_row_with_gaps_is_no_header(tmp_path):
    text = "name,age,score\nann,NA,\nbob,3,2.5\ncid,4,3.5\neve,5,1.5\n"
    assert read(tmp_path, text).items["name"].tolist() == ["ann", "bob", "cid", "eve"]
    text = "a,b\nx,y\nz,w\n"  # nothing but words
    assert len(read(tmp_path, text).items) == 2


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("1,2.5\n3,4.5\n", ["x0", "x1"]),
        ("2021-01-01,2.5\n2021-01-02,4.5\n", ["x0", "x1"]),
        ("country,2019,2020\nA,1,2\nB,3,4\n", ["country", "2019", "2020"]),
        (",a\n0,x\n1,y\n", ["x0", "a"]),
        ("a,a,a.1\n1,2,3\n4,5,6\n", ["a", "a.2", "a.1"]),
        ("a,,a\n1,2,3\n4,5,6\n", ["a", "x1", "a.1"]),
    ],
)
def test_names_of_columns(tmp_path, text, names):
    assert list(read(tmp_path, text).items.columns) == names


def test_many_columns_with_one_name_twice(tmp_path):
    names = [f"f{i}" for i in range(1000)] + ["f7"]
    text = ",".join(names) + "\n" + (",".join(["1"] * len(names)) + "\n") * 2
    items = read(tmp_path, text)
    assert items.items.columns[-1] == "f7.1"
    assert items.notes == ("column 1001 is the second one called 'f7'; it is called 'f7.1'",)


def test_ragged_rows_are_named_by_their_line(tmp_path):
    with pytest.raises(InputError, match="line 5 has 4 values, the header has 3"):
        read(tmp_path, "# a comment\na,b,c\n1,2,3\n\n1,2,3,4\n")
    with pytest.raises(InputError, match="line 4 has 3 values, the header has 2"):
        read(tmp_path, 'a,b\n1,"two\nlines"\n1,2,3\n')
    items = read(tmp_path, HEADER + "".join(lines()) + "1\n" + "2,x,3\n" * 12)
    assert items.items["c"].isna().sum() == 1
    assert "line 32 has 1 values, the header has 3; the rest are missing" in items.notes


def test_quoted_cells_keep_their_characters(tmp_path):
    text = 'a,b\n1," x, ""y""\nz"\n2,"w "\n3,v\n'
    assert read(tmp_path, text).items["b"].tolist() == [' x, "y"\nz', "w ", "v"]


def test_what_is_no_text(tmp_path):
    with pytest.raises(InputError, match="holds binary data, not text"):
        read(tmp_path, b"a,b\n\x00\x01\x02,\xff\n1,2\n")
    with pytest.raises(InputError, match="is a quotation mark not closed"):
        read(tmp_path, 'a,b\n1,"' + "x" * 200_000 + "\n2,3\n")
    for empty in ("", "\n\n", "\ufeff", ",,\n,,\n", "sep=;\n"):
        with pytest.raises(InputError, match="is empty"):
            read(tmp_path, empty)


def test_an_empty_column_stays_empty(tmp_path):
    items = read(tmp_path, "a,notes,b\n" + "".join(f"{a},,{b}\n" for a, b, _ in ROWS))
    assert items.items["notes"].isna().all()
    assert "column 'notes' is empty" in items.notes


MARKED = (
    ".",
    "..",
    "?",
    "-",
    "--",
    "\u2013",
    "#N/A",
    "NA",
    "n/a",
    "nan",
    "NULL",
    r"\N",
    "None",
    "N.A.",
    " ",
    ":",
    "#DIV/0!",
)


@pytest.mark.parametrize("marker", MARKED)
def test_markers_of_missing_numbers(tmp_path, marker):
    items = read(tmp_path, "n,b\n" + "".join(f"{marker if i % 7 == 0 else i / 4},x\n" for i in range(70)))
    column = items.items["n"]
    assert column.isna().sum() == 10
    assert any(f"taken as missing: {marker!r} in 'n'" in note for note in items.notes) == bool(marker.strip())


def test_markers_that_are_levels(tmp_path):
    """A question mark among words, NA among codes of countries, a minus among signs."""
    countries = ["NA", "DE", "FR", "AT", "IT", "ES", "PT", "PL", "CZ", "SE", "FI", "NO"]
    rows = [
        (countries[i % 12], "?" if i % 4 else "private", ["-", "+", "1+", "2+"][i % 4], "NA" if i % 5 else "word")
        for i in range(60)
    ]
    items = read(tmp_path, "country,work,dip,text\n" + "".join(",".join(row) + "\n" for row in rows))
    assert items.items[["country", "work", "dip"]].notna().all().all()
    assert items.items["text"].isna().sum() == 48
    assert items.notes == ("taken as missing: 'NA' in 'text'",)


def test_dates_with_markers(tmp_path):
    items = read(
        tmp_path, "d,x\n" + "".join(f"{'-' if i % 5 == 0 else f'2021-03-{i % 28 + 1:02}'},a\n" for i in range(40))
    )
    assert items.items["d"].isna().sum() == 8


@pytest.mark.parametrize(("prefix", "share"), [("C", 0.02), ("A-", 0.05), ("x", 0.5)])
def test_codes_some_of_which_have_letters(tmp_path, prefix, share):
    random = np.random.default_rng(0)
    codes = [f"{prefix if random.random() < share else ''}{536_000 + i}" for i in range(400)]
    items = read(tmp_path, "invoice,n\n" + "".join(f"{code},{i % 9}\n" for i, code in enumerate(codes)))
    assert items.items["invoice"].tolist() == codes


def test_whole_numbers_beyond_sixty_four_bits(tmp_path):
    rows = [(9 * 10**18 + i, 18 * 10**18 + i, 10**20 + i, f"{i:04}") for i in range(40)]
    frame = read(tmp_path, "a,b,c,d\n" + "".join(",".join(map(str, row)) + "\n" for row in rows)).items
    assert [str(dtype) for dtype in frame.dtypes] == ["Int64", "UInt64", "string", "string"]
    assert [tuple(row) for row in frame.to_numpy()] == [(a, b, str(c), d) for a, b, c, d in rows]


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\x00"), max_size=8).map(str.strip)


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(-(10**6), 10**6), TEXTS.filter(lambda text: len(text) > 1)), min_size=20, max_size=60
    )
)
def test_text_survives_a_file_of_pandas(rows):
    from pathlib import Path

    frame = pd.DataFrame(rows, columns=["number", "text"]).assign(word="word")
    columns = read_text(Path("t.csv"), frame.to_csv(index=False).encode(), []).columns
    assert columns["number"].to_pylist() == [str(n) for n, _ in rows]
    for back, (_, text) in zip(columns["text"].to_pylist(), rows, strict=True):
        assert back == text or back is None


def test_compressed_files(tmp_path):
    import bz2
    import gzip
    import lzma

    text = FILES["plain"].encode()
    for name, packed in (
        ("t.csv.gz", gzip.compress(text)),
        ("t.csv.bz2", bz2.compress(text)),
        ("t.tsv.xz", lzma.compress(text.replace(b",", b"\t"))),
    ):
        (tmp_path / name).write_bytes(packed)
        check(find(tmp_path / name))
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(text)[:-9])
    with pytest.raises(InputError, match="is cut off or damaged"):
        find(tmp_path / "cut.csv.gz")
    (tmp_path / "no.csv.gz").write_bytes(text)
    with pytest.raises(InputError, match="is cut off or damaged"):
        find(tmp_path / "no.csv.gz")


def test_json_records(tmp_path):
    records = [{"a": a, "b": b, "c": c, "d": None if a % 3 else True, "id": 10**18 + a} for a, b, c in ROWS]
    for name, text in (
        ("t.jsonl", "".join(json.dumps(record) + "\n" for record in records)),
        ("t.json", json.dumps(records, indent=1)),
        ("t.ndjson", "\n".join(json.dumps({k: v for k, v in record.items() if v is not None}) for record in records)),
    ):
        items = read(tmp_path, text, name)
        check(replace(items, items=items.items[["a", "b", "c"]]))
        assert items.items["d"].tolist()[:3] == [True, pd.NA, pd.NA]
        assert items.items["id"].tolist() == [10**18 + a for a, _, _ in ROWS]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1, "b": 2}\n{"a": 1,\n', "line 2 is not JSON"),
        ('{"a": 1, "b": 2}\n3\n', "line 2 is no record"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "is empty"),
    ],
)
def test_json_that_is_no_table(tmp_path, text, said):
    with pytest.raises(InputError, match=said):
        read(tmp_path, text, "t.jsonl")


def test_records_within_records_become_columns(tmp_path):
    text = "".join(
        json.dumps({"id": i, "user": {"name": f"n{i}", "at": {"city": "Oslo"}}, "tags": [1]}) + "\n" for i in range(5)
    )
    frame = read(tmp_path, text, "t.jsonl").items
    assert list(frame) == ["id", "user.name", "user.at.city", "tags"]
    assert frame.iloc[0].tolist() == [0, "n0", "Oslo", "[1]"]

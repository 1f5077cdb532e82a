"""Excel workbooks."""

import datetime
import sys
import zipfile

import pytest

from sparring.errors import InputError
from sparring.modalities import find

openpyxl = pytest.importorskip("openpyxl")


def saved(path, *sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for i, rows in enumerate(sheets):
        sheet = book.create_sheet(f"Sheet{i}")
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def rows(n=40):
    day = datetime.datetime(2021, 1, 1)
    return [(i, "xyz"[i % 3], i / 4 if i % 9 else None, day + datetime.timedelta(i), i % 2 == 0) for i in range(n)]


def test_a_workbook_is_a_table(tmp_path):
    path = saved(tmp_path / "t.xlsx", [], [("Sales of 2021",), (), ("n", "word", "x", "day", "flag"), *rows()])
    items = find(path)
    frame = items.items
    assert list(frame.columns) == ["n", "word", "x", "day", "flag"]
    assert frame["n"].tolist() == list(range(40))
    assert frame["x"].isna().sum() == 5
    assert str(frame["day"].iloc[3])[:10] == "2021-01-04"
    assert "t.xlsx has 2 sheets; 'Sheet1' is read" in items.notes
    assert "1 line before the header is left out, first 'Sales of 2021'" in " ".join(items.notes)


def test_cells_keep_their_digits(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(("zip", "text", "share"))
    for i in range(30):
        sheet.append((i, f"00{i}", i / 8))
        sheet.cell(i + 2, 1).number_format = "00000"
    book.save(tmp_path / "t.xlsx")
    frame = find(tmp_path / "t.xlsx").items
    assert frame["zip"].tolist() == [f"{i:05}" for i in range(30)]
    assert frame["text"].tolist() == [f"00{i}" for i in range(30)]
    assert [float(value) for value in frame["share"]] == [i / 8 for i in range(30)]


def test_errors_of_formulas_are_missing(tmp_path):
    path = saved(tmp_path / "t.xlsx", [("n", "x"), *((i, "#N/A" if i % 6 == 0 else i / 8) for i in range(60))])
    items = find(path)
    assert items.items["x"].isna().sum() == 10
    assert "taken as missing: '#N/A' in 'x'" in items.notes


def test_workbooks_that_cannot_be_read(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "made.xlsx", "w") as packed:
        packed.writestr("[Content_Types].xml", "<Types/>")
        packed.writestr("xl/workbook.xml", "<workbook/>")
        packed.writestr("xl/media/image1.png", "no image")
    (tmp_path / "text.xlsx").write_text("a,b\n1,2\n")
    (tmp_path / "locked.xlsx").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    (tmp_path / "old.xls").write_bytes(b"\xd0\xcf\x11\xe0")
    saved(tmp_path / "empty.xlsx", [], [])
    for name, said in (
        ("made", "is not a workbook that can be read"), ("text", "is damaged"),
        ("locked", "is protected by a password"), ("empty", "is empty"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=f"{name}.xlsx {said}"):
            find(tmp_path / f"{name}.xlsx")
    with pytest.raises(InputError, match=r"old.xls is a workbook .*; save it as .xlsx or .csv"):
        find(tmp_path / "old.xls")
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(InputError, match=r"pip install 'sparring\[excel\]', or save the sheet as .csv"):
        find(tmp_path / "empty.xlsx")


def test_a_workbook_of_a_cell_far_away(tmp_path):
    book = openpyxl.Workbook()
    for row in [("a", "b"), *((i, i * 2) for i in range(30))]:
        book.active.append(row)
    book.active.cell(1_000_000, 3, "far")
    book.save(tmp_path / "t.xlsx")
    assert len(find(tmp_path / "t.xlsx").items) == 30

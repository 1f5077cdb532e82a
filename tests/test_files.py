"""Files are written completely or not at all, under names that nobody else has."""

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, NotRequired, TypedDict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparring import files
from sparring.errors import InputError
from sparring.files import LEFTOVER_AGE, atomic_path, resolved, write_bytes, write_text
from sparring.json_files import mismatch, parse_json, read_json, read_lines

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def test_names_are_not_those_of_an_older_process(tmp_path):
    """The number of a process repeats in containers."""
    (tmp_path / f".out.csv.part{os.getpid()}").mkdir()
    write_bytes(tmp_path / "out.csv", b"1")
    with atomic_path(tmp_path / "a") as one, atomic_path(tmp_path / "a") as other:
        assert one != other
        one.write_bytes(b"one")
        other.write_bytes(b"other")
    write_bytes(tmp_path / ("n" * 250), b"a long name")
    assert not list(tmp_path.glob("*.part"))


def test_a_file_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    def flushed(number):
        flushes.append((os.fstat(number).st_size, (tmp_path / "out").exists()))

    flushes = []
    monkeypatch.setattr("os.fsync", flushed)
    write_bytes(tmp_path / "out", b"123")
    assert flushes == [(3, False)]


def test_only_old_leftovers_of_ours_are_removed(tmp_path):
    old = time.time() - 2 * LEFTOVER_AGE
    ours, running, mine = (
        tmp_path / name for name in (f".sparring-{'a' * 32}.part", f".sparring-{'b' * 32}.part", ".sparring-notes.part")
    )
    for folder in (ours, running):
        folder.mkdir()
        (folder / "rows.npy").touch()
    mine.touch()
    for path in (ours / "rows.npy", ours, running, mine):
        os.utime(path, (old, old))  # a file in `running` has just been written to
    files._remove_leftovers.cache_clear()
    write_bytes(tmp_path / "out", b"")
    assert not ours.exists()
    assert running.exists()
    assert mine.exists()


class Kind(TypedDict):
    n: int
    x: NotRequired[float]
    names: list[str]
    best: Literal["low", "high"]
    more: dict[str, int | None]


GOOD = {"n": 1, "names": ["a"], "best": "low", "more": {"a": 1, "b": None}, "unknown": [[]]}
WRONG = {
    "n is 1.5, not a whole number": {"n": 1.5},
    "n is true, not a whole number": {"n": True},
    "n is 1000": {"n": 10**30},
    'x is "1", not a number': {"x": "1"},
    "names is {}, not a list": {"names": {}},
    "names[1] is 2, not text": {"names": ["a", 2]},
    "best is \"mid\", not 'low' or 'high'": {"best": "mid"},
    "more.a is [], not a whole number or null": {"more": {"a": []}},
}


@pytest.mark.parametrize("message", WRONG)
def test_what_is_wrong_is_named(message):
    assert mismatch(GOOD, Kind) == mismatch(GOOD | {"x": 1}, Kind) == ""
    assert mismatch(GOOD | WRONG[message], Kind).startswith(message)


class Partial(TypedDict, total=False):
    step: int


class Whole(Partial):
    name: str


def test_a_type_may_have_only_some_of_its_keys():
    assert mismatch({}, Partial) == mismatch({"name": "a"}, Whole) == ""
    assert mismatch({}, Whole) == "name is missing"
    assert mismatch({"step": "1"}, Partial).startswith("step is")


@settings(deadline=None)
@given(JSON)
def test_any_value_is_checked_without_an_error(value):
    text = mismatch(value, Kind)
    assert "\n" not in text
    assert text or set(value) >= {"n", "names"}


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_json_or_an_input_error(content):
    with suppress(InputError):
        assert isinstance(parse_json(content, dict[str, Any], "file"), dict)


def test_incomplete_last_lines_are_left_out(tmp_path):
    path = tmp_path / "log.jsonl"
    assert read_lines(path, dict[str, float]) == []
    path.write_text('{"a": 1}\n{"a": 2}\n{"a"')
    assert read_lines(path, dict[str, float]) == [{"a": 1}, {"a": 2}]
    path.write_text('{"a": 1}\n{"a": []}\n')
    with pytest.raises(InputError, match=r"log.jsonl, line 2 is damaged: a is \[\], not a number"):
        read_lines(path, dict[str, float])


def test_files_that_are_too_large_are_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("sparring.json_files.MAX_BYTES", 10)
    Path(tmp_path / "a.json").write_text(" " * 11)
    with pytest.raises(InputError, match="is larger than"):
        read_json(tmp_path / "a.json", dict)


def test_tuples_of_fixed_length_are_checked_place_by_place():
    assert mismatch([1, "a"], tuple[int, str]) == ""
    assert mismatch([1, 2], tuple[int, str], "x") == "x[1] is 2, not text"
    assert mismatch([1], tuple[int, str], "x") == "x has 1 values, not 2"
    assert mismatch([[1, 2], [3, "a"]], tuple[tuple[int, int], ...], "x") == 'x[1][1] is "a", not a whole number'


def test_links_in_circles_are_resolved(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    assert resolved(tmp_path / "loop").name == "loop"
    (tmp_path / "link").symlink_to(tmp_path)
    assert resolved(tmp_path / "link" / "x") == tmp_path.resolve() / "x"


def test_names_that_are_not_utf_8_are_written(tmp_path):
    write_text(tmp_path / "a.txt", "a \udcff")
    assert (tmp_path / "a.txt").read_text() == "a \\udcff"

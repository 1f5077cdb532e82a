"""Data sets are found by name, by path and in memory, by whichever kind of data recognizes them."""

import zipfile
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from sparring.data import Items
from sparring.errors import InputError
from sparring.modalities import Points, Series, Table, find, kind_of, kinds
from sparring.modalities.find import set_names


@dataclass(frozen=True)
class Words(Points):
    """Words of letters: a kind of data outside of the package."""

    kind: ClassVar[str] = "words"
    files: ClassVar[str] = "a .words file"
    sets: ClassVar[dict] = {"alphabet": lambda: Items("alphabet", "words", np.eye(26))}

    @classmethod
    def read(cls, path):
        return Items(path.stem, "words", path.read_text().split()) if path.suffix == ".words" else None

    @classmethod
    def adopt(cls, data):
        return Items("list", "words", data) if isinstance(data, list) else None


def test_every_kind_is_registered_by_its_package():
    assert {kind.kind for kind in kinds()} >= {"points", "images", "rows", "series", "pairs", "unpaired", "degraded"}
    assert len({kind.kind for kind in kinds()}) == len(kinds())
    assert kinds()[-1] is Table  # accepts what more specific kinds may claim
    assert kind_of(find("ring")) is Points


def test_a_kind_of_a_recipe_is_asked_first(tmp_path):
    (tmp_path / "poem.words").write_text("a red rose")
    items = find(tmp_path / "poem.words", [Words])
    assert (items.kind, len(items)) == ("words", 3)
    assert kind_of(items, [Words]) is Words
    assert find("alphabet", [Words]).name == "alphabet"
    assert find(["a", "b"], [Words]).kind == "words"
    with pytest.raises(InputError, match=r"poem\.words is not recognized as data; give .*, or a table \(.csv"):
        find(tmp_path / "poem.words")
    with pytest.raises(InputError, match="is of the unknown kind 'words'"):
        kind_of(items)


TABLE = "name,height\n" + "ann,1\nbob,2\n" * 9
SERIES = "date,value\n" + "".join(f"2020-01-{day:02},{day}\n" for day in range(1, 29))


@pytest.mark.parametrize(("text", "kind"), [(TABLE, Table), (SERIES, Series)])
@pytest.mark.parametrize("place", ["file", "folder", "archive", "folder with an archive"])
def test_tables_and_series_in_every_place(text, kind, place, tmp_path):
    file = tmp_path / "data" / "it.csv"
    file.parent.mkdir()
    file.write_text(text)
    if "archive" in place:
        with zipfile.ZipFile(file.with_suffix(".zip"), "w") as archive:
            archive.write(file, "it.csv")
    path = {"file": file, "archive": file.with_suffix(".zip")}.get(place, file.parent)
    assert kind_of(find(path)) is kind


def test_a_changed_table_is_read_again(tmp_path):
    path = tmp_path / "it.csv"
    path.write_text(TABLE)
    assert len(find(path)) == 18
    path.write_text(TABLE + "cid,3\n")
    assert len(find(path)) == 19


def test_names_of_sets(tmp_path, monkeypatch):
    monkeypatch.setenv("SPARRING_DATA", str(tmp_path))
    (tmp_path / "mine").mkdir()
    (tmp_path / "weights").mkdir()
    names = set_names()
    assert {"digits", "mnist", "fsdd", "drums"} <= set(names)
    assert names[-1] == "mine"  # after the built-in ones
    assert "weights" not in names
    with pytest.raises(InputError, match="did you mean 'mine'"):
        find("mime")


def test_versions_of_a_published_set(tmp_path, pictures):
    """Of a folder with several versions of a set, the first complete one is read; its archives become one set."""
    for name, size in (("images_background_small1", 4), ("images_background_small2", 6), ("images_background", 9)):
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as archive:
            for i, file in enumerate(sorted(pictures(1).rglob("*.png"))[:size]):
                archive.write(file, f"{name}/{'ab'[i % 2]}/{name}-{i}.png")
    assert len(find(tmp_path)) == 10

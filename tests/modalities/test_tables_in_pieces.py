"""Tables of Parquet files that do not fit into the memory, and folders of Parquet files."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow
import pytest
import torch
from pandas.testing import assert_frame_equal
from pyarrow import parquet

import sparring
from sparring.data.store import Stored
from sparring.data.tensors import VALUES
from sparring.errors import InputError
from sparring.explore import explore
from sparring.modalities import find
from sparring.modalities.tables import Table
from sparring.modalities.tables.columns import fit_column
from sparring.modalities.tables.files import memory, parts
from sparring.modalities.tables.in_pieces import deviation
from sparring.modalities.tables.judge import TableJudge

ROWS = 3000


@pytest.fixture
def people():
    random = np.random.default_rng(0)
    age = random.integers(18, 80, ROWS)
    return pd.DataFrame({
        "age": age,
        "income": np.round(random.lognormal(7, 1, ROWS), 2),
        "city": random.choice(["Rome", "Oslo", "Lima"], ROWS),
        "born": pd.Timestamp("2020-01-01") - pd.to_timedelta(365 * age, "D"),
        "children": pd.array(np.where(random.random(ROWS) < 0.1, None, random.integers(0, 4, ROWS)), "Int64"),
    })  # fmt: skip


@pytest.fixture
def folder(people, tmp_path):
    """The same rows in three files."""
    place = tmp_path / "people"
    place.mkdir()
    for i, part in enumerate(np.array_split(np.arange(ROWS), 3)):
        people.iloc[part].to_parquet(place / f"part-{i}.parquet", index=False, row_group_size=400)
    (place / "_SUCCESS").touch()
    return place


@pytest.fixture
def small(monkeypatch):
    """A machine whose memory the table exceeds by far."""
    monkeypatch.setattr(parts, "PIECE", 300)
    monkeypatch.setattr("sparring.modalities.tables.files.parts.memory", lambda: 400_000)
    monkeypatch.setattr("sparring.modalities.tables.files.memory.memory", lambda: 400_000)


def test_a_folder_of_files_is_one_table(people, folder):
    items = find(folder)
    assert items.kind == "rows"
    assert items.notes == ("3,000 rows in 3 files",)
    assert_frame_equal(items.items, people, check_dtype=False)


@pytest.mark.usefixtures("small")
def test_rows_that_do_not_fit_are_read_by_number(people, folder):
    data = find(folder).items
    assert isinstance(data, parts.Parts)
    assert (len(data), data.columns, "city" in data, "town" in data) == (ROWS, list(people), True, False)
    wanted = np.array([2999, 0, 1700, 3, 3, 399, 400])
    assert_frame_equal(data.rows(wanted), people.iloc[wanted].reset_index(drop=True), check_dtype=False)
    drawn = data.drawn(100_000)
    assert 2 <= len(drawn) <= 400_000 / 8 / 5 / 40  # an eighth of the memory
    assert len(drawn.drop_duplicates()) == len(drawn)


@pytest.mark.usefixtures("small")
def test_encoding_in_pieces_equals_encoding_at_once(people, folder):
    """Of columns that were fitted to all rows; what is stored is found again."""
    table = Table().fit(find_frame(people))
    data = find(folder)
    encoded = table.encode(data)
    stored = encoded.tensors[VALUES]
    assert isinstance(stored, Stored)
    assert torch.equal(stored.load(), table.encode(find_frame(people)).tensors[VALUES])
    made = stored.path.stat().st_mtime_ns
    again = table.encode(data)
    assert (again.tensors[VALUES].path.stat().st_mtime_ns, again.notes) == (made, encoded.notes)
    stored.path.write_bytes(stored.path.read_bytes()[:-4])
    assert torch.equal(table.encode(data).tensors[VALUES].load(), table.encode(find_frame(people)).tensors[VALUES])


def find_frame(frame):
    return sparring.modalities.find(frame)


@pytest.mark.usefixtures("small")
def test_levels_that_were_not_drawn_are_counted(people, folder):
    known = people[people.city != "Lima"]
    notes = Table().fit(find_frame(known)).encode(find(folder)).notes
    count = int((people.city == "Lima").sum())
    assert f"column 'city': {count:,} rows have levels that are not among those drawn, and count as the rarest" in notes


def test_the_deviation_of_a_sample_holds():
    """In at least 95% of draws, the empirical distribution function is as near as that to the true one everywhere."""
    random, n = np.random.default_rng(0), 400
    grid = np.arange(1, n + 1) / n
    draws = np.sort(random.random((2000, n)), 1)
    largest = np.maximum(np.abs(grid - draws), np.abs(draws - (grid - 1 / n))).max(1)
    assert 0.94 < (largest <= deviation(n)).mean() <= 1
    assert (largest <= 0.9 * deviation(n)).mean() < 0.95


@pytest.mark.usefixtures("small")
def test_train_evaluate_explore_and_resume(folder, tmp_path, capsys, monkeypatch):
    out = tmp_path / "run"
    sparring.train("table", folder, out=out, steps=3, device="cpu")
    printed = capsys.readouterr()
    assert "is read in pieces" in printed.out + printed.err
    assert "rows, drawn at random: the share of rows below any value is off by at most" in printed.out + printed.err

    def sizes(judge, *_):  # training its classifiers takes long
        raise InputError(f"{len(judge.train)} and {len(judge.held)} rows")

    monkeypatch.setattr(TableJudge, "evaluate", sizes)
    with pytest.raises(InputError, match="2700 and 300 rows"):
        sparring.evaluate(out, samples=200)
    explore(out, tmp_path / "page", only=["neighbors"])
    assert (tmp_path / "page" / "index.html").is_file()
    sparring.train("table", folder, out=out, steps=5, device="cpu", resume=True)
    assert "5 steps in" in capsys.readouterr().out


@pytest.mark.usefixtures("small")
def test_ctgan_finds_its_own_data_again(folder, tmp_path):
    """Rows by their levels are drawn in training alone, for which they are loaded."""
    sparring.train("ctgan", folder, out=tmp_path / "run", steps=1, device="cpu", quiet=True)
    model = sparring.load(tmp_path / "run")
    assert len(model.find_items()) == ROWS
    changed = folder / "part-0.parquet"
    pd.read_parquet(changed).assign(city="Rome").to_parquet(changed, index=False, row_group_size=400)
    with pytest.raises(InputError, match="holds other data than those that the model was trained on"):
        sparring.load(tmp_path / "run").find_items()


@pytest.mark.usefixtures("small")
def test_constraints_are_checked_in_every_piece(people, folder):
    fitted = Table(constraints=("together(city|children)",)).fit(find(folder))
    assert len(fitted.combinations[0]) == len(people[["city", "children"]].drop_duplicates())
    worst = int(people.index[people.age == 18][0]) + 1
    with pytest.raises(InputError, match=f"'people' violates it, first in row {worst};"):
        Table(constraints=("age>=19",)).fit(find(folder))


@pytest.mark.usefixtures("small")
def test_what_needs_all_rows_in_memory_is_refused(folder, tmp_path):
    for recipe, message in (("ctgan", "must fit into the memory"), ("series", "larger than the memory")):
        with pytest.raises(InputError, match=message):
            sparring.train(recipe, folder, out=tmp_path / recipe, steps=1, quiet=True, memory="1k")


def test_files_with_other_columns_are_named(people, folder):
    more = folder / "part-9.parquet"
    for changed, message in (
        (people.rename(columns={"city": "town"}), "part-9.parquet has no column 'city', unlike .*part-0.parquet"),
        (people.assign(town="x"), "part-9.parquet has a column 'town', unlike .*part-0.parquet"),
        (people.assign(age="old"), r"part-9.parquet: column 'age' holds .*string, but int64 in the files before it"),
    ):
        changed.head(9).to_parquet(more, index=False)
        with pytest.raises(InputError, match=message):
            find(folder)


@pytest.mark.parametrize("fixture", ["small", ""])
def test_parts_as_pandas_writes_them(people, folder, fixture, request):
    """Another order, gaps that make whole numbers decimals, a part with gaps only, numbers as names, an index."""
    if fixture:
        request.getfixturevalue(fixture)
    part = people.tail(400)[list(people)[::-1]].assign(age=np.r_[np.nan, people.age.tail(399)], city=None)
    part.to_parquet(folder / "part-3.parquet", index=False)
    frame = table_of(find(folder))
    assert (len(frame), list(frame), frame.age.isna().sum(), frame.city.isna().sum()) == (3400, list(people), 1, 400)
    for i, dated in enumerate((pd.date_range("2020", periods=1500, name="day"), pd.Index(np.arange(1500) * 7))):
        other = folder.parent / f"numbers{i}"
        other.mkdir()
        for name in "ab":
            values = pd.DataFrame(np.random.default_rng(0).normal(size=(1500, 3)), index=dated)
            values.to_parquet(other / f"{name}.parquet")
        assert list(table_of(find(other))) == [*(["day"] if i == 0 else []), "0", "1", "2"]


def table_of(items):
    return items.items.rows(np.arange(len(items))) if isinstance(items.items, parts.Parts) else items.items


@pytest.mark.parametrize("fixture", ["small", ""])
def test_whole_numbers_with_gaps_in_some_parts_stay_exact(tmp_path, fixture, request):
    """As pandas writes them: int64 where none is missing, float64 elsewhere. 2**53 + 1 is no float64."""
    if fixture:
        request.getfixturevalue(fixture)
    keys = np.arange(3000) + 2**53 + 1
    pd.DataFrame({"key": keys, "x": 0.5}).to_parquet(tmp_path / "0.parquet")
    pd.DataFrame({"key": [7.0, np.nan] * 500, "x": 0.5}).to_parquet(tmp_path / "1.parquet")
    frame = table_of(find(tmp_path))
    assert (str(frame.key.dtype), frame.key.head(3000).tolist()) == ("Int64", keys.tolist())
    assert (frame.key.tail(1000).isna().sum(), frame.key.iloc[-2]) == (500, 7)


def test_values_that_do_not_fit_into_one_type_are_not_called_damaged(tmp_path):
    first, second = tmp_path / "0.parquet", tmp_path / "1.parquet"
    x = {"x": [0.5, 1.5]}
    for a, b, message in (
        (pd.Series([1, 2**53 + 1]), pd.Series([0.5, 7.0]), "0.parquet: column 'a' holds int64, .* fit into double"),
        (pd.Series([1, 2]), pd.Series([2**64 - 1, 0], dtype="uint64"), "1.parquet: column 'a' holds uint64"),
        (
            pd.Series([np.datetime64("2020-01-01", "ns")] * 2), pd.Series([np.datetime64("3020-01-01", "us")] * 2),
            r"1.parquet: column 'a' holds timestamp\[us\], .* fit into timestamp\[ns\]",
        ),
    ):  # fmt: skip
        pd.DataFrame({"a": a, **x}).to_parquet(first)
        pd.DataFrame({"a": b, **x}).to_parquet(second)
        with pytest.raises(InputError, match=f"{message}.*; write it alike in all files"):
            find(tmp_path)


@pytest.mark.parametrize("fixture", ["small", ""])
def test_categories_stay_such_whichever_each_part_has(tmp_path, fixture, request):
    if fixture:
        request.getfixturevalue(fixture)
    kinds = (["red", "green"] * 700, ["blue", "red"] * 700, [None] * 1400)
    for i, colors in enumerate(kinds):
        colors = pd.Categorical(colors, categories=sorted({color for color in colors if color}))
        pd.DataFrame({"color": colors, "x": np.arange(1400) * 0.25}).to_parquet(tmp_path / f"{i}.parquet")
    items = find(tmp_path)
    frame = table_of(items)
    assert frame.color.dtype.categories.tolist() == ["green", "red", "blue"]
    assert frame.color.astype(object).where(frame.color.notna(), None).tolist() == [*kinds[0], *kinds[1], *kinds[2]]
    [color, _] = Table().fit(items).columns
    assert color.dtype == "category"
    assert set(color.order) == {"green", "red", "blue"}


@pytest.mark.parametrize("fixture", ["small", ""])
def test_names_are_those_of_a_file_in_memory(tmp_path, fixture, request):
    """Without a name, of several levels, of an index without a name, and with spaces around it."""
    values = np.random.default_rng(0).normal(size=(3000, 2))
    dated = pd.date_range("2020", periods=3000, name="day")
    both = [pd.RangeIndex(3000), dated]
    frames = {
        "empty": (pd.DataFrame(values, columns=["a", ""]), ["a", "x1"]),
        "levels": (pd.DataFrame(values, columns=pd.MultiIndex.from_tuples([("a", "b"), ("a", "")])), ["a b", "a"]),
        "dates": (pd.DataFrame(values, columns=["a", " b "], index=dated.rename(None)), ["date", "a", "b"]),
        "two": (pd.DataFrame(values, columns=["a", "b"], index=pd.MultiIndex.from_arrays(both)), ["a", "b"]),
    }
    for name, (frame, expected) in frames.items():
        (tmp_path / name).mkdir()
        for i in range(2):
            frame.to_parquet(tmp_path / name / f"{i}.parquet")
        alone = find(tmp_path / name / "0.parquet").items
        if fixture:
            request.getfixturevalue(fixture)
        items = find(tmp_path / name)
        assert isinstance(items.items, parts.Parts) == bool(fixture)
        assert list(table_of(items)) == list(alone) == expected
        assert any("has no name; it is called 'x1'" in note for note in items.notes) == (name == "empty")


def test_files_about_the_data_are_passed_over(folder):
    (folder / "README.md").write_text("# People")
    (folder / "state.json").write_text("{}")
    items = find(folder)
    assert (len(items), items.notes) == (ROWS, ("3,000 rows in 3 files", "passed over: README.md, state.json"))
    for i in (1, 2):
        (folder / f"part-{i}.parquet").unlink()
    items = find(folder)
    assert (len(items), items.notes) == (1000, ("passed over: README.md, state.json",))


@pytest.mark.parametrize("recipe", ["table", "series"])
def test_tables_of_text_beside_parquet_are_refused(people, folder, tmp_path, recipe):
    people.to_csv(folder / "x.csv", index=False)
    with pytest.raises(InputError, match=r"people holds x.csv beside part-0.parquet; give one of them"):
        sparring.train(recipe, folder, out=tmp_path / "run", steps=1, quiet=True)


def test_the_folder_that_holds_the_files_is_named(folder, tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "README.md").write_text("# People")
    folder.rename(tmp_path / "set" / "data")
    with pytest.raises(
        InputError, match=r"set holds Parquet files in a folder within it; give that folder, .*set/data"
    ):
        find(tmp_path / "set")


def test_a_link_to_nowhere_is_not_damaged(folder):
    (folder / "part-9.parquet").symlink_to(folder / "gone.parquet")
    with pytest.raises(InputError, match=r"^cannot read .*part-9.parquet: no such file or directory$"):
        find(folder)


def test_parts_that_agree_with_the_first_but_not_with_one_another(people, folder):
    """The first has gaps only, with which any type agrees."""
    people.head(9).assign(age=None).to_parquet(folder / "part-.parquet", index=False)
    people.head(9).assign(age="old").to_parquet(folder / "part-9.parquet", index=False)
    with pytest.raises(InputError, match=r"part-9.parquet: column 'age' holds .*string, but int64 in the files before"):
        find(folder)


def test_an_empty_file_is_named(folder):
    (folder / "part-9.parquet").touch()
    with pytest.raises(InputError, match=r"part-9.parquet is damaged: Parquet file size is 0 bytes"):
        find(folder)


def test_columns_of_the_same_name_are_refused(folder):
    table = pyarrow.Table.from_arrays([pyarrow.array([1, 2]), pyarrow.array([3, 4])], names=["a", "a"])
    for file in folder.iterdir():
        parquet.write_table(table, file.with_suffix(".parquet"))
    with pytest.raises(InputError, match=r"has several columns 'a'; give them different names"):
        find(folder)


def test_folders_within_are_not_left_out_silently(people, folder, tmp_path):
    within = tmp_path / "years" / "year=2020"
    within.mkdir(parents=True)
    people.to_parquet(within / "part-0.parquet")
    with pytest.raises(InputError, match=r"years holds Parquet files in folders within it, such as year=2020"):
        find(tmp_path / "years")
    within.rename(folder / "more")
    with pytest.raises(InputError, match=r"people holds Parquet files in folders within it, such as more"):
        find(folder)


def test_a_folder_with_one_file_is_read_as_the_file(tmp_path):
    (tmp_path / "one").mkdir()
    texts = [f"the {a} {b} sleeps" for a in ("black", "white", "old", "new") for b in ("cat", "dog", "cow", "owl")]
    pd.DataFrame({"text": 4 * texts}).to_parquet(tmp_path / "one" / "train-00000.parquet")
    assert find(tmp_path / "one").kind == find(tmp_path / "one" / "train-00000.parquet").kind == "text"


def test_texts_and_molecules_in_parts_are_such(tmp_path, request):
    pytest.importorskip("rdkit")
    texts = [f"the {word} cat sleeps under tree {i}" for word in ("black", "white", "old", "new") for i in range(160)]
    smiles = ["CCO", "CCN", "CCC", "c1ccccc1", "CC(=O)O", "CCCl", "CCBr", "CNC"]
    frames = {
        "texts": pd.DataFrame({"text": texts}),
        "labeled": pd.DataFrame({"text": texts, "label": 320 * ["a", "b"]}),
        "molecules": pd.DataFrame({"smiles": 80 * smiles}),
    }
    for name, frame in frames.items():
        (tmp_path / name).mkdir()
        for i in range(2):
            frame.to_parquet(tmp_path / name / f"{i}.parquet")
        found = find(tmp_path / name)
        assert (found.kind, len(found)) == (name if name == "molecules" else "text", 2 * len(frame))
        assert f"{2 * len(frame):,} rows in 2 files" in found.notes
    assert find(tmp_path / "labeled").classes == ("a", "b")
    request.getfixturevalue("small")
    monkeypatch = request.getfixturevalue("monkeypatch")
    for module in (parts, memory):
        monkeypatch.setattr(module, "memory", lambda: 4000)
    for path in (tmp_path / "labeled", tmp_path / "labeled" / "0.parquet"):
        with pytest.raises(InputError, match="holds texts in column 'text', which must fit into the memory"):
            find(path)
    with pytest.raises(InputError, match="molecules has 1,280 rows"):
        find(tmp_path / "molecules")


@pytest.mark.usefixtures("small")
def test_what_was_not_drawn_is_represented_or_counted(people, folder):
    """Of 208 rows that are drawn, none has the gap, and none the number beyond the others."""
    first = people.head(1000).assign(income=np.r_[people.income.head(999), 1e9])
    first.loc[5, "children"] = None
    whole = pd.concat([first, *[people.iloc[1000:].assign(children=1)]], ignore_index=True).assign(row=np.arange(ROWS))
    whole.loc[6:, "children"] = 1
    for file in folder.glob("*.parquet"):
        file.unlink()
    for i in range(3):
        whole.iloc[1000 * i : 1000 * (i + 1)].to_parquet(folder / f"{i}.parquet", index=False)
    items = find(folder)
    table = Table().fit(items)
    columns = {column.name: column for column in table.columns}
    assert columns["row"].kind == "identifier"
    assert None in columns["children"].levels
    notes = " ".join(table.encode(items).notes)
    assert "column 'income': " in notes
    assert "rows have numbers beyond those drawn, and count as the nearest of these" in notes


@pytest.mark.usefixtures("small")
def test_missing_values_that_no_drawn_row_has_are_counted_apart(people, folder):
    """Arrow writes what is no number in floats as a value, which the files do not count as missing."""
    first = people.head(1000)
    income = np.r_[np.nan, 1e9, first.income.tail(998)]
    table = pyarrow.Table.from_pandas(first, preserve_index=False)
    table = table.set_column(1, "income", pyarrow.array(income))
    assert table.column("income").null_count == 0
    parquet.write_table(table, folder / "part-0.parquet")
    known = people.tail(2000)
    fitted = Table().fit(find_frame(known))
    low = known.income.min()
    count = 1 + outside(first, known)
    assert [note for note in fitted.encode(find(folder)).notes if "income" in note] == [
        f"column 'income': 1 rows have no value, unlike all rows drawn, and count as {low}",
        f"column 'income': {count:,} rows have numbers beyond those drawn, and count as the nearest of these",
    ]
    mixture = Table(numbers="mixture").fit(find_frame(known))
    [number] = [column for column in mixture.columns if column.name == "income"]
    [note] = [note for note in mixture.encode(find(folder)).notes if "income': 1 rows have no value" in note]
    assert float(note.rpartition("count as ")[2]) == pytest.approx(number.means[0], abs=0.01)


def outside(frame, known):
    """How many numbers but the first two are beyond those known."""
    income = frame.income.tail(998)
    return int(((income < known.income.min()) | (income > known.income.max())).sum())


def test_a_number_beside_levels_only_is_the_nearest_of_these():
    """24 values, each so frequent that it is a level of its own."""
    values = pd.Series(np.repeat(np.arange(24) * 10.0, 40), name="x")
    column = fit_column(values, "number")
    assert column.bins == 0
    codes, scalars = column.encode(pd.Series([10.0, 98.0, 1e6, -4.0]))
    assert column.decode(codes, scalars, np.zeros(4)).tolist() == [10, 100, 230, 0]


@pytest.mark.usefixtures("small")
def test_bad_pieces(people, folder):
    people.head(400).assign(income=np.inf).to_parquet(folder / "part-3.parquet", index=False)
    with pytest.raises(InputError, match=r"part-3.parquet: column 'income' holds infinite numbers"):
        Table().fit(find_frame(people)).encode(find(folder))
    content = (folder / "part-1.parquet").read_bytes()
    (folder / "part-1.parquet").write_bytes(content[:4] + bytes(len(content) // 2) + content[4 + len(content) // 2 :])
    with pytest.raises(InputError, match=r"part-1.parquet is damaged"):
        list(find(folder).items.pieces())


MILLIONS = """
import sys, threading, time
from pathlib import Path
import sparring
from sparring.modalities.tables.files import memory, parts

def anonymous():
    fields = dict(line.split(":", 1) for line in open("/proc/self/status"))
    return int(fields["RssAnon"].split()[0]) / 1024

sizes = []
def watch():
    while True:
        sizes.append(anonymous())
        time.sleep(0.02)

folder, out = Path(sys.argv[1]), sys.argv[2]
for module in (memory, parts):
    module.memory = lambda: 2**29
threading.Thread(target=watch, daemon=True).start()
sparring.train("table", folder / "few", out=out + "/few", steps=5, quiet=True, device="cpu", memory="64M")
before = max(sizes)
sparring.train("table", folder / "many", out=out + "/many", steps=5, quiet=True, device="cpu", memory="64M")
print(max(sizes) - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the memory is read as Linux tells it")
def test_millions_of_rows_take_little_memory(tmp_path):
    """At once, 4,000,000 rows took 1,100 MiB; what is left is the order of the rows, 50 bytes for each."""
    random = np.random.default_rng(0)
    for name, files in (("few", 1), ("many", 40)):
        (tmp_path / name).mkdir()
        for i in range(files):
            frame = pd.DataFrame(random.normal(size=(100_000, 5)), columns=list("abcde"))
            frame.assign(kind=random.choice(["x", "y"], 100_000)).to_parquet(tmp_path / name / f"{i:02}.parquet")
    words = [sys.executable, "-c", MILLIONS, tmp_path, tmp_path / "runs"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert float(done.stdout) < 400

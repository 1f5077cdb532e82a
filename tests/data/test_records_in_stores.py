"""Sets in shards in a store: an S3 server and a web server on this machine, which fail, are killed, and come back."""

import shutil
import threading

import pytest
import torch
from safetensors.torch import load_file

import sparring
from sparring.data import stores
from sparring.data.records import reading
from sparring.data.records.cache import FOLDER
from sparring.data.records.place import FolderPlace, Objects, StorePlace
from sparring.data.records.reading import RecordBatches, open_set
from sparring.data.tensors import VALUES
from sparring.errors import InputError
from sparring.files import cached
from sparring.modalities import find
from sparring.seeds import Seeds
from tests.commands import command
from tests.data.test_records import numbered, numbers, small  # noqa: F401
from tests.data.test_stores import Files, brief, s3, web, with_s3  # noqa: F401

pytest.importorskip("pyarrow.fs")
FIELDS = "--recipe gan batch=8 G=8 D=8 z=4 --device cpu"


def in_store(monkeypatch, capsys, n=400):
    """A set of n images, in a folder and in the store."""
    numbered("source.npz", n)
    for out in ("local", "s3://bucket/sets/far/"):
        assert command(monkeypatch, capsys, f"shards source.npz -o {out}") == (0, [])


def batches(place, **more):
    return RecordBatches(open_set(place), [VALUES], 10, 1, Seeds(1), **more)


@with_s3
def test_import_and_training(s3, monkeypatch, capsys, tmp_path):  # noqa: F811
    """The shards in a store are those of a folder, and so are the weights; nothing else of the set is copied."""
    in_store(monkeypatch, capsys)
    far = s3.root / "bucket" / "sets" / "far"
    assert {p.name: p.read_bytes() for p in far.iterdir()} == {
        p.name: p.read_bytes() for p in (tmp_path / "local").iterdir()
    }
    status, errors = command(monkeypatch, capsys, "shards source.npz -o s3://bucket/sets/far/")
    assert (status, len(errors)) == (2, 1)
    assert "s3://bucket/sets/far holds a set in shards" in errors[0]
    for data, run in (("local", "near"), ("s3://bucket/sets/far/", "far")):
        assert command(monkeypatch, capsys, f"train {data} --out {run} --steps 6 {FIELDS}") == (0, [])
    near, away = (load_file(tmp_path / run / "model" / "weights.safetensors") for run in ("near", "far"))
    assert all(torch.equal(tensor, away[name]) for name, tensor in near.items())
    assert not cached("stores").exists()
    assert find("s3://bucket/sets/far").notes[-1].startswith("read by ranges from s3://bucket/sets/far; up to ")
    place = cached(FOLDER)
    assert str(place) in find("s3://bucket/sets/far").notes[-1]


@with_s3
def test_a_server_that_is_killed_and_started_again(s3, monkeypatch, capsys):  # noqa: F811
    """In the middle of an epoch: no record is lost or doubled, and the batches are those of an undisturbed reader."""
    in_store(monkeypatch, capsys)
    monkeypatch.setattr(stores, "WAITS", (0.1,) * 50)
    undisturbed = batches(FolderPlace(find("local").records.place.path))
    read, count = Objects.read, []

    def killing(*arguments):
        count.append(None)
        if len(count) == 40:
            s3.kill()
            threading.Timer(0.5, s3.start).start()
        return read(*arguments)

    far = batches(StorePlace("s3://bucket/sets/far"))
    shutil.rmtree(cached(FOLDER), ignore_errors=True)
    monkeypatch.setattr(Objects, "read", killing)
    trained = far.records.index.train.records
    assert trained % 10 == 0
    drawn = []
    for number in range(trained // 10):
        batch = far(number, 0)[VALUES]
        assert torch.equal(batch, undisturbed(number, 0)[VALUES])
        drawn += numbers(batch)
    assert len(count) > 40
    assert len(set(drawn)) == len(drawn) == trained


@with_s3
def test_a_store_that_stays_away(s3, monkeypatch, capsys, tmp_path):  # noqa: F811
    """One line, and the run resumes exactly when the store is back."""
    in_store(monkeypatch, capsys)
    monkeypatch.setattr(reading, "MAX_DRAWN", 40)
    assert command(monkeypatch, capsys, f"train local --out whole --steps 60 {FIELDS}") == (0, [])
    assert command(monkeypatch, capsys, f"train s3://bucket/sets/far/ --out run --steps 3 {FIELDS}") == (0, [])
    shutil.rmtree(cached(FOLDER))
    drawn = reading.RecordSet.drawn

    def killing(records):
        found = drawn(records)
        s3.kill()
        return found

    monkeypatch.setattr(reading.RecordSet, "drawn", killing)
    line = f"train s3://bucket/sets/far/ --out run --steps 60 --resume {FIELDS}"
    status, errors = command(monkeypatch, capsys, line)
    assert (status, len(errors)) == (2, 1), errors
    assert "s3://bucket/sets/far/train-" in errors[0]
    assert "cannot be read after 3 tries" in errors[0]
    assert errors[0].endswith("a run continues with --resume")
    status, errors = command(monkeypatch, capsys, line)
    assert (status, len(errors)) == (2, 1), errors
    monkeypatch.setattr(reading.RecordSet, "drawn", drawn)
    s3.start()
    assert command(monkeypatch, capsys, line) == (0, [])
    whole, run = (load_file(tmp_path / name / "model" / "weights.safetensors") for name in ("whole", "run"))
    assert all(torch.equal(tensor, run[name]) for name, tensor in whole.items())


@with_s3
def test_a_store_that_is_away_when_a_command_starts(s3, monkeypatch, capsys):  # noqa: F811
    """The index and the blocks that were kept are enough; without them, the command ends with one line."""
    in_store(monkeypatch, capsys, 100)
    address = "s3://bucket/sets/far/"
    assert command(monkeypatch, capsys, f"train {address} --out run --steps 40 {FIELDS}") == (0, [])
    assert sparring.load("run").find_items().total == 100  # without naming the address again
    s3.kill()
    assert find(address).notes[-1].startswith("s3://bucket/sets/far cannot be reached; what was kept in ")
    assert command(monkeypatch, capsys, f"train {address} --out run --steps 50 --resume {FIELDS}") == (0, [])
    assert sparring.load("run").find_items().total == 100
    shutil.rmtree(cached(FOLDER))
    status, errors = command(monkeypatch, capsys, f"train {address} --out run --steps 60 --resume {FIELDS}")
    assert (status, len(errors)) == (2, 1), errors
    assert "s3://bucket/sets/far cannot be read after 3 tries" in errors[0]
    with pytest.raises(InputError, match=f"the training data are at {address}; give that address to read them"):
        sparring.load("run").find_items()
    s3.start()


@with_s3
def test_an_address_with_a_dot(s3, monkeypatch, capsys):  # noqa: F811
    """`photos.v2` is as much a folder as `photos`."""
    numbered("source.npz", 60)
    assert command(monkeypatch, capsys, "shards source.npz -o s3://bucket/photos.v2") == (0, [])
    assert (s3.root / "bucket" / "photos.v2").is_dir()
    assert find("s3://bucket/photos.v2").records is not None
    assert not cached("stores").exists()


@with_s3
def test_a_truncated_shard_in_a_store(s3, monkeypatch, capsys):  # noqa: F811
    in_store(monkeypatch, capsys)
    path = next((s3.root / "bucket" / "sets" / "far").glob("train-*-00030.npy"))
    whole = path.read_bytes()
    path.write_bytes(whole[:-50])
    s3.kill()  # it remembers sizes
    s3.start()
    far = open_set(StorePlace("s3://bucket/sets/far"))
    side = far.index.train
    with pytest.raises(InputError, match=rf"far/{path.name} has {len(whole) - 50} bytes instead of {len(whole)}: "):
        far.all(side, range(side.blocks))
    path.unlink()
    s3.kill()
    s3.start()
    with pytest.raises(InputError, match=f"there is nothing at s3://bucket/sets/far/{path.name}"):
        far.all(side, range(side.blocks))


@with_s3
def test_an_import_continues_in_a_store(s3, monkeypatch, capsys):  # noqa: F811
    """The store goes away for good; later, the same command writes what is missing."""
    numbered("source.npz", 100)
    put, count = Objects.put, []

    def killing(*arguments):
        count.append(None)
        if len(count) == 5:
            s3.kill()
        put(*arguments)

    monkeypatch.setattr(Objects, "put", killing)
    status, errors = command(monkeypatch, capsys, "shards source.npz -o s3://bucket/far")
    assert (status, len(errors)) == (2, 1), errors
    assert "cannot be written after 3 tries" in errors[0]
    assert errors[0].endswith("the same command continues")
    s3.start()
    status, errors = command(monkeypatch, capsys, "train s3://bucket/far --steps 1")
    assert (status, len(errors)) == (2, 1), errors
    assert "s3://bucket/far/shards.json is of a set that is not complete" in errors[0]
    count.clear()
    monkeypatch.setattr(Objects, "put", lambda *arguments: (count.append(None), put(*arguments)))
    assert command(monkeypatch, capsys, "shards source.npz -o s3://bucket/far") == (0, [])
    assert find("s3://bucket/far").total == 100
    assert len(count) == 12 + 2 + 1 - 3  # shards and index, without those that were there


def test_a_set_on_the_web(web, monkeypatch, capsys):  # noqa: F811
    """Read by ranges; a server without ranges sends whole files, which is as correct."""
    folder, address = web
    numbered("source.npz", 100)
    assert command(monkeypatch, capsys, f"shards source.npz -o {folder / 'set'}") == (0, [])
    near = open_set(FolderPlace(folder / "set"))
    side = near.index.train
    whole = near.all(side, range(side.blocks))
    Files.fail = [503, 503]
    assert len(find(f"{address}/set/")) == 100
    assert sum(asked.startswith("bytes=") for asked in Files.asked) >= side.blocks
    shutil.rmtree(cached(FOLDER))
    Files.ranges = False
    far = open_set(StorePlace(f"{address}/set"))
    assert (far.all(side, range(side.blocks)) == whole).all()


def test_a_place_that_cannot_be_written_to(web, monkeypatch, capsys):  # noqa: F811
    numbered("source.npz", 60)
    status, errors = command(monkeypatch, capsys, f"shards source.npz -o {web[1]}/set")
    assert (status, len(errors)) == (2, 1)
    assert "/set/shards.json cannot be written after 3 tries (501" in errors[0]


def test_bad_sets_on_the_web(web, monkeypatch, capsys):  # noqa: F811
    folder, address = web
    (folder / "set").mkdir()
    (folder / "set" / "shards.json").write_text('{"format": "sparring shards 1"}')
    status, errors = command(monkeypatch, capsys, f"train {address}/set --steps 1")
    assert (status, len(errors)) == (2, 1)
    assert "shards.json is damaged: complete is missing" in errors[0]

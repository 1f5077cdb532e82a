"""Sets in shards of fixed-size records: their order, their import, and what is read of them."""

import json
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
import torch
from PIL import Image

import sparring
from sparring.console import Screen
from sparring.data.records import reading, writing
from sparring.data.records.cache import FOLDER, BlockCache
from sparring.data.records.index import NAME
from sparring.data.records.order import WINDOW, Order, Permutation
from sparring.data.records.place import FolderPlace
from sparring.data.records.reading import RecordBatches, open_set
from sparring.data.tensors import CONDITION, VALUES
from sparring.errors import InputError
from sparring.evaluation.audit import audit
from sparring.evaluation.evaluate import training_data
from sparring.evaluation.feature_judge import FeatureJudge
from sparring.files import cached
from sparring.modalities import find
from sparring.modalities.images import Images
from sparring.seeds import Seeds
from tests.commands import command

SEEDS = Seeds(3)


@pytest.fixture(autouse=True)
def small(monkeypatch, tmp_path):
    """Blocks of four records, shards of eight; a cache of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(writing, "MAX_BLOCK", 4)
    monkeypatch.setattr(writing, "MIN_BLOCK", 4)
    monkeypatch.setattr(writing, "SHARD_BYTES", 8 * (64 + 4))


def numbered(path, n, classes=3):
    """An array of images of 8 x 8 pixels, whose first two pixels are their numbers."""
    images = np.zeros((n, 8, 8), np.uint8)
    images[:, 0, 0], images[:, 0, 1] = np.divmod(np.arange(n), 256)
    images[:, 7, 7] = 255
    np.savez(path, images=images, labels=np.arange(n) % classes)


def numbers(values):
    return (values[:, 0, 0, 0].long() * 256 + values[:, 0, 0, 1].long()).tolist()


def imported(monkeypatch, capsys, n, out="set"):
    numbered(f"source{n}.npz", n)
    assert command(monkeypatch, capsys, f"shards source{n}.npz -o {out}") == (0, [])
    return open_set(FolderPlace(find(out).records.place.path))


@pytest.mark.parametrize("n", [1, 2, 3, 16, 17, 100, 257])
def test_a_permutation(n):
    """Each number once, back again, and another one for another key."""
    permutation = Permutation(n, 5)
    found = [permutation(i) for i in range(n)]
    assert sorted(found) == list(range(n))
    assert [permutation.place(number) for number in found] == list(range(n))
    if n > 16:
        assert found != [Permutation(n, 6)(i) for i in range(n)]


def test_a_permutation_is_as_random_as_it_should_be():
    """Over many keys, each number is at each place equally often, and neighbors are not correlated."""
    n, keys = 7, 2000
    counts, after = np.zeros((n, n)), np.zeros((n, n))
    for key in range(keys):
        found = [Permutation(n, key)(i) for i in range(n)]
        counts[range(n), found] += 1
        for one, next_ in pairwise(found):
            after[one, next_] += 1
    expected = keys / n
    assert ((counts - expected) ** 2 / expected).sum() < 36 + 5 * np.sqrt(2 * 36)  # chi square, 5 deviations
    expected = keys * (n - 1) / (n * (n - 1))
    assert ((after[~np.eye(n, dtype=bool)] - expected) ** 2 / expected).sum() < 42 + 5 * np.sqrt(2 * 42)


@pytest.mark.parametrize("records", [1, 3, 4, 5, 63, 64, 65, 67, 129, 200])
@pytest.mark.parametrize("block", [1, 4, 7])
def test_each_record_once_an_epoch(records, block):
    """Whatever the place of the short block, in batches of all sizes."""
    order = Order(records, block, SEEDS)
    for size in (5, 64, 2 * records + 1):
        place, drawn = 0, []
        while place < 3 * records:
            for epoch, window, begin, end in order.parts(place, size):
                blocks = order.blocks(epoch, window)
                inside = np.concatenate([np.arange(b * block, min(records, (b + 1) * block)) for b in blocks])
                assert len(inside) == len(order.rows(epoch, window))
                drawn += inside[order.rows(epoch, window)][begin:end].tolist()
            place += size
        epochs = [drawn[i * records : (i + 1) * records] for i in range(3)]
        assert all(sorted(epoch) == list(range(records)) for epoch in epochs)
        if records > 16:
            assert epochs[0] != epochs[1] != epochs[2] != sorted(epochs[2])


def test_windows_hold_other_blocks_in_each_epoch():
    order = Order(8 * WINDOW, 1, SEEDS)
    first, second = (set(order.blocks(epoch, 0)) for epoch in (0, 1))
    assert len(first) == len(second) == WINDOW
    assert len(first & second) < WINDOW // 2


def test_batches_are_a_function_of_position(monkeypatch, capsys):
    """No record lost or doubled in an epoch, its class beside it; equal for any number of shards of a batch, from any
    step on, and for a reader of its own for each shard.
    """
    records = imported(monkeypatch, capsys, 333)
    trained = records.index.train.records
    alone = RecordBatches(records, [VALUES, CONDITION], 12, 1, SEEDS)
    whole = [alone(number, 0) for number in range(2 * trained // 12 + 2)]
    drawn = [n for batch in whole for n in numbers(batch[VALUES])]
    assert [n % 3 for n in drawn] == [int(c) for batch in whole for c in batch[CONDITION]]
    assert whole[0][CONDITION].dtype == torch.int64
    assert len(set(drawn[:trained])) == len(set(drawn[trained : 2 * trained])) == trained
    assert drawn[:trained] != drawn[trained : 2 * trained]
    readers = [RecordBatches(records, [VALUES], 3, 4, SEEDS) for _ in range(4)]
    for number in (0, 1, 20, 21, 50):
        parts = torch.cat([readers[shard](number, shard)[VALUES] for shard in range(4)])
        assert torch.equal(parts, whole[number][VALUES])
    assert alone.records is records
    other = RecordBatches(records, [VALUES], 12, 1, Seeds(4))
    assert not torch.equal(other(0, 0)[VALUES], whole[0][VALUES])


def test_memory_is_two_windows(monkeypatch, capsys):
    """However many records there are."""
    records = imported(monkeypatch, capsys, 999)
    batches = RecordBatches(records, [VALUES], 10, 1, SEEDS)
    for number in range(60):
        batches(number, 0)
        assert len(batches._windows) == 2
        assert all(len(window.rows) <= WINDOW * 4 for window in batches._windows.values())


def test_what_is_imported(monkeypatch, capsys):
    """All images with their classes, those that training would hold out in shards of their own; plain .npy files."""
    records = imported(monkeypatch, capsys, 200)
    items = find("source200.npz")
    split = Images().split(items)
    for side, rows in ((records.index.train, split.train), (records.index.held, split.held)):
        found = records.all(side, range(side.blocks))
        own = reading.parts_of(found, [VALUES, CONDITION])
        assert sorted(numbers(own[VALUES])) == sorted(rows.tolist())
        assert numbers(own[VALUES]) != sorted(rows.tolist())
        assert own[CONDITION].tolist() == [n % 3 for n in numbers(own[VALUES])]
        assert sum(side.counts) == len(rows)
        files = [np.load(f"set/{side.file(shard)[0]}") for shard in range(side.shards)]
        assert len(files) > 1
        assert np.array_equal(np.concatenate(files), found)
    others = {p.name for p in records.place.path.iterdir()} - {NAME}
    assert others == {side.file(k)[0] for side in (records.index.train, records.index.held) for k in range(side.shards)}


def killed_after_five_files(monkeypatch, capsys, line):
    """Interrupt a command when it writes its sixth file; returns the names of the others."""
    put, done = FolderPlace.put, []

    def failing(place, name, content):
        if len(done) == 5:
            raise KeyboardInterrupt
        done.append(name)
        put(place, name, content)

    with monkeypatch.context() as patch:
        patch.setattr(FolderPlace, "put", failing)
        assert command(monkeypatch, capsys, line)[0] == 130
    return done


def test_an_import_that_is_killed_continues(monkeypatch, capsys, tmp_path):
    """Shards that are there are kept, and the result is the same; a set that is there is not overwritten."""
    imported(monkeypatch, capsys, 100, "whole")
    done = killed_after_five_files(monkeypatch, capsys, "shards source100.npz -o cut")
    status, errors = command(monkeypatch, capsys, "train cut --steps 1")
    assert (status, len(errors)) == (2, 1)
    assert "cut/shards.json is of a set that is not complete" in errors[0]
    numbered("other.npz", 90)
    status, errors = command(monkeypatch, capsys, "shards other.npz -o cut")
    assert (status, len(errors)) == (2, 1)
    assert "cut holds another set, which is not complete; add --force" in errors[0]
    inodes = {name: (tmp_path / "cut" / name).stat().st_ino for name in done[1:]}
    assert command(monkeypatch, capsys, "shards source100.npz -o cut") == (0, [])
    whole, cut = ({p.name: p.read_bytes() for p in (tmp_path / one).iterdir()} for one in ("whole", "cut"))
    assert whole == cut
    assert inodes == {name: (tmp_path / "cut" / name).stat().st_ino for name in inodes}
    status, errors = command(monkeypatch, capsys, "shards other.npz -o cut")
    assert (status, len(errors)) == (2, 1)
    assert "cut holds a set in shards; add --force to replace it, or choose another OUT" in errors[0]
    assert command(monkeypatch, capsys, "shards other.npz -o cut --force") == (0, [])
    assert find("cut").total == 90
    assert len(list((tmp_path / "cut").iterdir())) == 11 + 2 + 1  # no shard of the other set is left


def test_a_replacement_that_is_killed_leaves_nothing_of_the_other_set(monkeypatch, capsys, tmp_path):
    imported(monkeypatch, capsys, 100, "set")
    numbered("other.npz", 90)
    killed_after_five_files(monkeypatch, capsys, "shards other.npz -o set --force")
    assert command(monkeypatch, capsys, "shards other.npz -o set") == (0, [])
    assert len(list((tmp_path / "set").iterdir())) == 11 + 2 + 1


def test_files_of_the_user_are_kept(monkeypatch, capsys, tmp_path):
    numbered("source.npz", 50)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("x")
    for force in ("", " --force"):
        status, errors = command(monkeypatch, capsys, f"shards source.npz -o mine{force}")
        assert (status, len(errors)) == (2, 1)
        assert "mine holds other files (notes.txt), which are not overwritten" in errors[0]
    assert [p.name for p in (tmp_path / "mine").iterdir()] == ["notes.txt"]


def test_an_index_of_another_program_is_kept(monkeypatch, capsys, tmp_path):
    numbered("source.npz", 50)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / NAME).write_text('{"shards": 3}')
    status, errors = command(monkeypatch, capsys, "shards source.npz -o mine --force")
    assert (status, len(errors)) == (2, 1)
    assert "mine holds other files (shards.json), which are not overwritten" in errors[0]
    assert (tmp_path / "mine" / NAME).read_text() == '{"shards": 3}'


def test_what_is_refused_is_refused_before_anything_is_decoded(monkeypatch, capsys):
    imported(monkeypatch, capsys, 60)
    monkeypatch.setattr(Images, "encode", lambda *_: pytest.fail("decoded for nothing"))
    status, errors = command(monkeypatch, capsys, "shards source60.npz -o set")
    assert (status, len(errors)) == (2, 1)
    assert "set holds a set in shards; add --force to replace it" in errors[0]


def test_images_that_cannot_be_read_are_counted(monkeypatch, capsys, tmp_path):
    (tmp_path / "photos").mkdir()
    for i in range(60):
        Image.fromarray(np.full((8, 8), i, np.uint8)).save(tmp_path / "photos" / f"{i:02}.png")
    for i in range(5):
        (tmp_path / "photos" / f"bad{i}.png").write_bytes(b"no image")
    said = []
    monkeypatch.setattr("sparring.cli.shards.say", said.append)
    assert command(monkeypatch, capsys, "shards photos -o out") == (0, [])
    assert [text for text in said if text.startswith("skipped 5 of 65 (bad0.png: ")], said
    assert find("out").total == 60


REFUSED = {
    "shards ring -o out foo=3": "'ring' holds points, which cannot be imported into shards",
    "shards source.npz -o out size=-3": "size=-3 is out of range; it must be at least 0 and at most 1024",
    "shards source.npz -o out channels=7": "channels=7 is not supported; choose from 0, 1, 3, 4",
    "shards source.npz -o s3://b/out*": "s3://b/out* is not the address of a folder",
    "shards source.npz -o source.npz": "source.npz is a file, and a folder is to be written",
    "train set --recipe dpgan privacy=3 batch=8 --steps 2": "'set' is a set in shards, read in",
    "shards ring -o out": "'ring' holds points, which cannot be imported into shards",
    "shards source.npz": "with -o",
    "shards set -o out": "set is a set in shards already",
    "shards source.npz -o out width=3": "width=3 is not a field of shards",
    "shards source.npz -o out size=big": "size=big is not a whole number",
    "train set --steps 1 size=16": "size=16 was given, but the images in set have 8 pixels; import them again",
    "train set --steps 1 --recipe stylegan2 alpha=true": "alpha=true was given, but the images in set have 1 channel",
    "train set/1 --steps 1": "is a set in shards, whose classes are not read one by one",
    "train set --steps 1 --recipe srgan": "cannot be trained on 'set', a set in shards; give its images",
}


@pytest.mark.parametrize("line", REFUSED)
def test_what_is_refused(monkeypatch, capsys, line):
    imported(monkeypatch, capsys, 60)
    numbered("source.npz", 60)
    status, errors = command(monkeypatch, capsys, line)
    assert (status, len(errors)) == (2, 1), errors
    assert REFUSED[line] in errors[0]


def test_a_truncated_or_damaged_shard(monkeypatch, capsys, tmp_path):
    """One line that names it; nothing is changed."""
    records = imported(monkeypatch, capsys, 100)
    shard = tmp_path / "set" / records.index.train.file(3)[0]
    whole = shard.read_bytes()
    for content, problem in (
        (whole[:-1], f"set/{shard.name} has {len(whole) - 1} bytes instead of {len(whole)}: it is cut off"),
        (whole[:-1] + b"x", f"set/{shard.name} is damaged, or of another set: block 7 has another checksum"),
    ):
        shard.write_bytes(content)
        status, errors = command(
            monkeypatch, capsys, "train set --steps 30 --recipe gan --device cpu --out run --force"
        )
        assert (status, len(errors)) == (2, 1)
        assert problem in errors[0]
    shard.unlink()
    status, errors = command(monkeypatch, capsys, "train set --steps 30")
    assert (status, len(errors)) == (2, 1)
    assert f"set has no {shard.name}" in errors[0]


@pytest.mark.parametrize("change", [
    {"block": 0}, {"block": 2**40, "shard": 2**40},
    {"shard": 6}, {"offset": 0}, {"classes": ["a"]}, {"parts": {"values": {"dtype": "|O", "shape": [6]}}},
    {"parts": {"values": {"dtype": "|u1", "shape": [2**27, 2**27]}}}, {"format": "sparring shards 9"}, {"kind": "cats"},
    {"mark": "../../xy"}, {"complete": False},
    {"parts": {"values": {"dtype": "|u1", "shape": [64]}, "condition": {"dtype": "<i4", "shape": []}}},
])  # fmt: skip
def test_a_damaged_index(monkeypatch, capsys, tmp_path, change):
    imported(monkeypatch, capsys, 60)
    index = tmp_path / "set" / NAME
    index.write_text(json.dumps(json.loads(index.read_text()) | change))
    status, errors = command(monkeypatch, capsys, "train set --steps 1")
    assert (status, len(errors)) == (2, 1), errors


def test_training_resumes_exactly(monkeypatch, capsys, tmp_path):
    """Also with other ways to draw from it: the labels are used, and the model card counts all images."""
    from safetensors.torch import load_file

    imported(monkeypatch, capsys, 100)
    fields = "--recipe gan batch=8 G=8 D=8 z=4 --device cpu"
    for line in (
        f"train set --out whole --steps 20 {fields}",
        f"train set --out cut --steps 9 {fields}",
        f"train set --out cut --steps 20 --resume {fields}",
    ):
        assert command(monkeypatch, capsys, line) == (0, [])
    whole, cut = (load_file(tmp_path / run / "model" / "weights.safetensors") for run in ("whole", "cut"))
    assert all(torch.equal(tensor, cut[name]) for name, tensor in whole.items())
    about = json.loads((tmp_path / "whole" / "model" / "model.json").read_text())["about"]
    assert about["items"] == 100
    assert "100 items" in (tmp_path / "whole" / "README.md").read_text()
    numbered("other.npz", 90)
    assert command(monkeypatch, capsys, "shards other.npz -o set --force") == (0, [])
    status, errors = command(monkeypatch, capsys, f"train set --out cut --steps 30 --resume {fields}")
    assert (status, len(errors)) == (2, 1)
    assert "was trained on other data" in errors[0]


@pytest.mark.slow
def test_a_model_of_a_set_in_shards_is_used(monkeypatch, capsys):
    """What compares samples with the training data has a draw of them."""
    imported(monkeypatch, capsys, 200)
    for line in (
        "train set --recipe gan --steps 20 --device cpu --out run",
        "evaluate run",
        "explore run",
        "check set",
    ):
        assert command(monkeypatch, capsys, line) == (0, []), line


@pytest.mark.slow
def test_equal_on_one_and_two_ranks(monkeypatch, capsys, tmp_path):
    from safetensors.torch import load_file

    imported(monkeypatch, capsys, 100)
    for ranks in (1, 2):
        line = f"train set --out run{ranks} --steps 20 --ranks {ranks} --recipe gan batch=8 shards=2 --device cpu"
        assert command(monkeypatch, capsys, line)[0] == 0
    one, two = (load_file(tmp_path / f"run{ranks}" / "model" / "weights.safetensors") for ranks in (1, 2))
    assert all(torch.equal(tensor, two[name]) for name, tensor in one.items())


def test_images_without_classes_and_with_crops(monkeypatch, capsys):
    """Crops are cut from the stored images; other numbers are as they were imported."""
    images = np.random.default_rng(0).integers(0, 255, (60, 16, 16, 3), dtype=np.uint8)
    np.save("plain.npy", images)
    assert command(monkeypatch, capsys, "shards plain.npy -o plain size=10") == (0, [])
    items = find("plain")
    assert (items.labels, items.items.shape) == (None, (60, 10, 10, 3))
    whole = Images().fit(items)
    assert (whole.size, whole.channels, whole.classes) == (10, 3, ())
    cropped = Images(crop=0.25).fit(items)
    assert (cropped.size, cropped.kept) == (8, 10)
    with pytest.raises(InputError, match=r"size=10 was given, which with crop=0\.25 are cut from 12, but the images"):
        Images(size=10, crop=0.25).fit(items)
    assert command(monkeypatch, capsys, "train plain --steps 2 --recipe gan --device cpu crop=0.25 flip=true") == (
        0,
        [],
    )


def test_only_a_draw_is_in_memory(monkeypatch, capsys):
    """What does not train sees a part of a large set, and says so; classes are counted in all of it."""
    imported(monkeypatch, capsys, 300)
    monkeypatch.setattr(reading, "MAX_DRAWN", 40)
    items = find("set")
    assert (len(items), items.total) == (40 + items.records.index.held.records, 300)
    assert "270 images are trained on; all else, such as scores, sees a random draw of 40 of them" in items.notes
    assert items.class_counts(items.labels).tolist() == [100, 100, 100]


def test_a_draw_counts_as_the_whole_set(monkeypatch, capsys):
    """A model of a set of which only a draw is in memory is judged, audited and explored as one of a whole set."""
    imported(monkeypatch, capsys, 500)
    monkeypatch.setattr(reading, "MAX_DRAWN", 40)
    line = "train set --steps 2 --recipe gan batch=8 G=8 D=8 z=4 --device cpu --out run"
    assert command(monkeypatch, capsys, line) == (0, [])
    model = sparring.load("run")
    items = model.find_items()
    assert (len(items) < 100, items.total) == (True, 500)
    assert model._has_same_data  # the mark of the set was compared
    said = []
    monkeypatch.setattr(Screen, "say", lambda _, text: said.append(text))
    FeatureJudge(model.modality, training_data(model), None, (), torch.device("cpu"), Screen())
    assert "450 images are trained on; all else, such as scores, sees a random draw of 40 of them" in said
    assert not any("may have been trained on" in text for text in said)
    assert audit(model, samples=40).attacks  # it refuses data of another number of items
    numbered("other.npz", 490)
    assert command(monkeypatch, capsys, "shards other.npz -o set --force") == (0, [])
    with pytest.raises(InputError, match=r"had 500 images when the model was trained and has 490 now"):
        audit(sparring.load("run"))


def test_what_is_read_ahead_is_not_waited_for(monkeypatch, capsys):
    """Neither at the end of a training, nor after an error while the draw is read."""
    records = imported(monkeypatch, capsys, 500)
    monkeypatch.setattr(reading, "MAX_DRAWN", 40)
    monkeypatch.setattr(reading, "READERS", 1)
    read, names, ended = FolderPlace.read, [], threading.Event()
    needed = 2 * 40 // 4 + WINDOW  # blocks: the draw of each side, the first window
    limit = needed

    def waiting(place, name, *where):
        names.append(name)
        if len(names) > limit:
            ended.wait(10)
        return read(place, name, *where)

    monkeypatch.setattr(FolderPlace, "read", waiting)
    line = "train set --steps 1 --recipe gan batch=8 G=8 D=8 z=4 --device cpu --out run --force"
    assert command(monkeypatch, capsys, line) == (0, [])
    ended.set()
    time.sleep(0.1)
    assert needed <= len(names) <= needed + 1
    names.clear()
    ended.clear()
    limit = 1 + reading.TRIES
    shard = records.place.path / records.index.train.file(0)[0]
    shard.write_bytes(shard.read_bytes()[:-1] + b"x")  # the second block
    assert command(monkeypatch, capsys, line)[0] == 2
    ended.set()
    time.sleep(0.1)
    assert len(names) <= limit + 1


def test_the_cache_is_bounded(tmp_path):
    """The least recently used blocks are removed."""
    blocks = BlockCache(tmp_path / "blocks", 10_000)
    for i in range(50):
        blocks.write(f"set/{i}", bytes(900))
        assert blocks.read("set/0") is not None  # it is used again and again
        assert sum(p.stat().st_size for p in tmp_path.rglob("*") if p.is_file()) <= 10_000
    kept = {int(p.name) for p in (tmp_path / "blocks" / "set").iterdir()}
    assert {0, 49} <= kept
    assert len(kept) < 12
    assert min(kept - {0}) > 35
    blocks.write("set/large", bytes(20_000))
    assert blocks.read("set/large") is None


def test_processes_of_a_machine_fetch_a_block_once(monkeypatch, capsys):
    """Ranks need the same blocks at the same time."""
    monkeypatch.setattr(FolderPlace, "far", True)
    whole = imported(monkeypatch, capsys, 300)
    shutil.rmtree(cached(FOLDER), ignore_errors=True)
    read, fetched = FolderPlace.read, []

    def slowly(place, *where):
        fetched.append(where)
        time.sleep(0.01)
        return read(place, *where)

    monkeypatch.setattr(FolderPlace, "read", slowly)
    ranks = [reading.RecordSet(whole.place, whole.index) for _ in range(4)]
    side = whole.index.train
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda records: records.all(side, range(side.blocks)), ranks))
    assert all(np.array_equal(each, found[0]) for each in found)
    assert len(fetched) == len(set(fetched)) == side.blocks


def test_a_damaged_block_of_the_cache_is_read_again(monkeypatch, capsys):
    monkeypatch.setattr(FolderPlace, "far", True)
    records = imported(monkeypatch, capsys, 100)
    side = records.index.train
    before = records.all(side, range(side.blocks))
    kept = list(cached(FOLDER).rglob("train-*"))
    assert len(kept) == side.blocks
    kept[0].write_bytes(b"x" * kept[0].stat().st_size)
    kept[1].unlink()
    assert np.array_equal(records.all(side, range(side.blocks)), before)
    shutil.rmtree(records.place.path)
    assert np.array_equal(records.all(side, range(side.blocks)), before)  # all of them are on the local disk
    kept[2].unlink()
    with pytest.raises(InputError, match="cannot read"):
        records.all(side, range(side.blocks))

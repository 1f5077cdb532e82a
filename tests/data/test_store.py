"""Images are decoded once; batches come from memory and from disk."""

import os
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sparring.data import batches, store
from sparring.data.batches import Batches
from sparring.data.store import Stored
from sparring.errors import InputError
from sparring.modalities import find
from sparring.modalities.images import decoding
from sparring.modalities.images.decoding import decode
from sparring.seeds import Seeds


@pytest.fixture
def shades(tmp_path, monkeypatch):
    """A folder of 30 images, each with its own shade, and an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "set").mkdir()
    for i in range(30):
        Image.new("L", (6, 4), i).save(tmp_path / "set" / f"{i:02}.png")
    return tmp_path / "set"


def test_decoded_once(shades, monkeypatch):
    """The second time no file is opened; if a file changes, all are."""
    pictures = find(shades).items
    first = decode(pictures, 4, 1)
    assert first.rows.load().shape == (30, 1, 4, 4)
    assert first.rows.load()[:, 0, 0, 0].tolist() == list(range(30))
    with monkeypatch.context() as patch:
        patch.setattr(decoding, "loaded", None)
        assert decode(pictures, 4, 1).rows == first.rows
    Image.new("L", (6, 4), 99).save(shades / "07.png")
    os.utime(shades / "07.png", ns=(1, 1))
    again = decode(find(shades).items, 4, 1)
    assert again.rows != first.rows
    assert again.rows.load()[7, 0, 0, 0] == 99


def test_rows_in_blocks_are_not_stored_over_those_of_another_run(shades):
    """Which may have opened the files: of two runs that start together, the first one's stay."""
    files, stored = find(shades).items, []

    def store_rows(blocks):
        return store.store_blocks(files, blocks, 2, "rows", list)[0]

    def blocks():
        stored.append(store_rows(lambda: [np.ones((3, 2), np.float32)]).path.stat().st_ino)
        yield np.ones((3, 2), np.float32)

    assert store_rows(blocks).path.stat().st_ino == stored[0]
    assert len(list(files.path.parent.glob("cache/**/rows.npy"))) == 1


def test_bad_images_are_skipped_and_named(shades):
    (shades / "05.png").write_bytes(b"no picture")
    (shades / "09.png").write_bytes((shades / "08.png").read_bytes()[:50])
    found = decode(find(shades).items, 4, 3)
    assert found.rows.load().shape == (28, 3, 4, 4)
    assert found.rows.load()[:, 1, 0, 0].tolist() == found.kept.tolist()
    assert [name for name, _ in found.skipped] == ["05.png", "09.png"]
    assert "despite its suffix" in found.skipped[0][1]
    for path in list(shades.iterdir())[1:]:
        path.write_bytes(b"")
    with pytest.raises(InputError, match=r"of 30 files can be read \(.*give at least two"):
        decode(find(shades).items, 4, 1)


def test_progress_counts_all(shades):
    seen = []
    decode(find(shades).items, 4, 1, lambda done, total: seen.append((done, total)))
    assert seen[-1] == (30, 30)


def test_the_cache_is_kept_small(shades, monkeypatch):
    """The least recently used folder is removed first, but none that was used today."""
    monkeypatch.setattr(store, "MAX_CACHE_BYTES", 1)
    old, new, today = (decode(find(shades).items, size, 1).rows.path.parent for size in (4, 5, 6))
    for place, age in ((old, 5e5), (new, 3e5)):
        os.utime(place, (os.stat(place).st_mtime - age,) * 2)
    decode(find(shades).items, 7, 1)
    assert [p.exists() for p in (old, new, today)] == [False, False, True]


@given(length=st.integers(1, 20), size=st.integers(1, 9), shards=st.integers(1, 3), first=st.integers(0, 9))
def test_from_disk_as_from_memory(length, size, shards, first):
    """Batches are equal from memory and from disk, from any round on."""
    items = torch.arange(3 * length, dtype=torch.uint8).view(length, 3)
    folder = tempfile.TemporaryDirectory()  # a new one: workers may still be reading the last one
    path = Path(folder.name) / "made.npy"
    with path.open("wb") as file:
        store._header(file, (0, 3), np.dtype("uint8"))
        file.write(items.numpy().tobytes())
        store._header(file, (length, 3), np.dtype("uint8"))
    rows, labels = torch.arange(0, length, 2), torch.arange(length)
    memory = Batches({"values": items, "condition": labels}, rows, size, shards, Seeds(1))
    disk = Batches({"values": Stored(path), "condition": labels}, rows, size, shards, Seeds(1))
    for number in (first, first + 1, 0, first + 2):
        for shard in range(shards):
            one, two = memory(number, shard), disk(number, shard)
            assert torch.equal(one["values"], two["values"])
            assert torch.equal(one["condition"], two["condition"])
            assert torch.equal(one["values"][:, 0], (3 * one["condition"]).byte())


def test_only_the_given_rows_are_drawn():
    rows = torch.tensor([1, 4, 5])
    dealt = Batches({"values": torch.arange(10)}, rows, 3, 1, Seeds(0))
    assert Counter(torch.cat([dealt(n, 0)["values"] for n in range(5)]).tolist()) == dict.fromkeys([1, 4, 5], 5)


def test_memory_stays_flat(tmp_path, monkeypatch):
    """Pages that were read from a mapped file do not count as memory of this process."""
    monkeypatch.setattr(batches, "RELEASE_EVERY", 8)
    path = tmp_path / "big.npy"
    np.lib.format.open_memmap(path, "w+", np.uint8, (4096, 16384)).flush()  # 64 MiB
    dealt = Batches({"values": Stored(path)}, torch.arange(4096), 64, 1, Seeds(0))

    def resident():
        status = Path("/proc/self/status").read_text()
        return int(status.split("RssFile:")[1].split()[0]) / 1024

    if not os.path.exists("/proc/self/status"):
        pytest.skip("reads Linux's account of memory")
    before = resident()
    for number in range(64):
        dealt(number, 0)
    assert resident() - before < 32


@pytest.mark.parametrize("damage", ["short", "empty", "no rows", "no JSON", "another type", "another number"])
def test_a_damaged_cache_is_decoded_again(shades, damage):
    place = decode(find(shades).items, 4, 1).rows.path.parent
    rows, about = place / "rows.npy", place / "about.json"
    content = rows.read_bytes()
    abouts = {
        "no JSON": "{",
        "another type": '{"kept": "a", "skipped": []}',
        "another number": '{"kept": [1], "skipped": []}',
    }
    if damage == "no rows":
        rows.unlink()
    elif damage in abouts:
        about.write_text(abouts[damage])
    else:
        rows.write_bytes(content[:-5] if damage == "short" else b"")
    assert decode(find(shades).items, 4, 1).rows.path.read_bytes() == content
    assert {path.name for path in place.iterdir()} == {"rows.npy", "about.json"}

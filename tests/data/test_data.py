"""Users' data are read, and batches are drawn."""

import gzip
import hashlib
import struct
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sparring.data.batches import Batches
from sparring.data.sources import JoinedSource, ZipSource
from sparring.errors import InputError
from sparring.modalities import find
from sparring.modalities.images import sets
from sparring.seeds import Seeds


@given(length=st.integers(1, 20), size=st.integers(1, 30), shards=st.integers(1, 3), seed=st.integers(0, 99))
def test_every_epoch_draws_every_item_once(length, size, shards, seed):
    """For all sizes, and across shards: nothing is skipped or drawn twice in an epoch."""
    batches = Batches({"values": torch.arange(length)}, torch.arange(length), size, shards, Seeds(seed))
    rounds = -(-3 * length // (size * shards))
    dealt = torch.cat([batches(r, s)["values"] for r in range(rounds) for s in range(shards)]).tolist()
    for epoch in range(3):
        assert Counter(dealt[epoch * length : (epoch + 1) * length]) == Counter(range(length))


def test_batches_are_a_function_of_their_number():
    tensors = {"values": torch.arange(100), "condition": torch.arange(100) % 7}
    one, two = (Batches(tensors, torch.arange(100), 8, 1, Seeds(3)) for _ in range(2))
    later = [one(n, 0)["values"] for n in range(40)][30]
    assert torch.equal(two(30, 0)["values"], later)  # without the thirty before it
    assert torch.equal(two(30, 0)["condition"], later % 7)
    assert not torch.equal(Batches(tensors, torch.arange(100), 8, 1, Seeds(4))(30, 0)["values"], later)


def test_built_in_sets():
    digits = find("digits")
    assert digits.items.shape == (1797, 8, 8)
    assert (digits.items.max(), digits.items.dtype) == (255, np.uint8)
    ring, grid = find("ring"), find("grid")
    assert np.linalg.norm(ring.items, axis=1).std() == pytest.approx(0.01, abs=1e-3)
    assert np.abs(grid.items - np.round(grid.items / 2) * 2).std() < 0.05


ALL = (*sets.IDX, *sets.IDX_HELD)


def write_idx(path, array):
    content = struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


@pytest.mark.parametrize("end", ["", ".gz"])
def test_idx_folder(tmp_path, end):
    pictures = np.random.default_rng(0).integers(0, 255, (5, 4, 4), dtype=np.uint8)
    write_idx(tmp_path / f"train-images-idx3-ubyte{end}", pictures)
    write_idx(tmp_path / f"train-labels-idx1-ubyte{end}", np.array([0, 2, 1, 1, 0], np.uint8))
    items = find(tmp_path)
    assert np.array_equal(items.items, pictures)
    assert items.classes == ("0", "1", "2")
    path = tmp_path / f"train-images-idx3-ubyte{end}"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"cut off|cannot read"):
        find(tmp_path)


def test_mnist_where_its_files_are(tmp_path, monkeypatch):
    folder = tmp_path / "mnist"
    folder.mkdir()
    write_idx(folder / sets.IDX[0], np.zeros((3, 28, 28), np.uint8))
    write_idx(folder / sets.IDX[1], np.array([1, 9, 0], np.uint8))
    monkeypatch.setenv("SPARRING_DATA", str(tmp_path))
    assert len(find("mnist")) == 3


def test_download_checks_what_it_got(tmp_path, monkeypatch):
    """Downloaded once into the cache, refused if damaged; offline, the error says where to put which file."""
    monkeypatch.delenv("SPARRING_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    write_idx(mirror / sets.IDX[0], np.zeros((3, 28, 28), np.uint8))
    write_idx(mirror / sets.IDX[1], np.zeros(3, np.uint8))
    write_idx(mirror / sets.IDX_HELD[0], np.zeros((2, 28, 28), np.uint8))
    write_idx(mirror / sets.IDX_HELD[1], np.zeros(2, np.uint8))
    monkeypatch.setattr(sets, "MNIST", f"file://{mirror}/")
    monkeypatch.setattr(sets, "CHECKSUMS", {f"file://{mirror}/{name}": "0" for name in ALL})
    with pytest.raises(InputError, match="has changed or was damaged"):
        find("mnist")
    sums = {f"file://{mirror}/{name}": hashlib.sha256((mirror / name).read_bytes()).hexdigest() for name in ALL}
    monkeypatch.setattr(sets, "CHECKSUMS", sums)
    assert find("mnist").held.tolist() == [False] * 3 + [True] * 2
    (mirror / sets.IDX[0]).unlink()
    assert len(find("mnist")) == 5  # from the cache
    for cached in (tmp_path / "cache").rglob("*.gz"):
        cached.unlink()
    with pytest.raises(InputError, match=r"train-images.*SPARRING_DATA"):
        find("mnist")


def test_folder_of_classes(pictures):
    items = find(pictures(3))
    assert items.classes == ("cats", "dogs")
    assert items.labels.tolist() == [0] * 8 + [1] * 8


def test_folder_without_classes(tmp_path):
    for i in range(3):
        Image.new("L", (4, 4), i).save(tmp_path / f"{i}.png")
    (tmp_path / "notes.txt").write_text("not an image")
    items = find(tmp_path)
    assert (len(items), items.labels) == (3, None)


def test_npy_is_never_unpickled(tmp_path):
    np.save(tmp_path / "evil.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match=r"not a \.npy array of numbers"):
        find(tmp_path / "evil.npy")


def test_one_class_of_a_set(tmp_path):
    """By name, from arrays, folders and archives."""
    import zipfile

    fives = find("digits/5")
    whole = find("digits")
    assert len(fives) == (whole.labels == 5).sum()
    assert np.array_equal(fives.items, whole.items[whole.labels == 5])
    assert (fives.name, fives.labels, fives.classes) == ("digits-5", None, ())
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as archive:
        for i in range(6):
            Image.new("L", (8, 8), 40 * i).save(tmp_path / "x.png")
            archive.write(tmp_path / "x.png", f"{'cats' if i % 2 else 'dogs'}/{i}.png")
    cats = find(tmp_path / "p.zip" / "cats")
    assert cats.items.names == ("cats/1.png", "cats/3.png", "cats/5.png")
    with pytest.raises(InputError, match=r"no path .*/cows', and .* has no class 'cows'; choose from cats, dogs"):
        find(tmp_path / "p.zip" / "cows")
    with pytest.raises(InputError, match="there is no data set or path 'nowhere/cats'"):
        find("nowhere/cats")


def test_one_class_of_several_archives():
    parts = [
        ZipSource(Path("a.zip"), ("s/a/1.png", "s/a/2.png", "s/b/3.png")),
        ZipSource(Path("b.zip"), ("t/b/4.png", "t/a/5.png")),
    ]
    some = JoinedSource.of(parts).only([1, 2, 4])
    assert some.names == ("a/2.png", "b/3.png", "a/5.png")
    assert [part.names for part in some.parts] == [("s/a/2.png", "s/b/3.png"), ("t/a/5.png",)]


def test_a_folder_with_the_name_of_a_set_is_mentioned(tmp_path, monkeypatch):
    """Someone with a folder `digits` must not train on the built-in digits unknowingly."""
    monkeypatch.chdir(tmp_path)
    assert find("digits").notes == ()
    (tmp_path / "digits").mkdir()
    (note,) = find("digits").notes
    assert note == "digits is the set of this name; the digits in this folder is read as ./digits"

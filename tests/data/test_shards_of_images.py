"""Images in shards of WebDataset and in Parquet files."""

import io
import json
import tarfile

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from PIL import Image

from sparring.errors import InputError
from sparring.modalities import find
from sparring.modalities.images import Images


def png(value, size=6):
    """A small image, which its value tells."""
    pixels = np.full((size, size), value, np.uint8)
    pixels[0, 0] = 0
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def tar(path, members):
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def samples(values, suffix=".cls", said=str):
    """Members of a shard whose keys begin at 0 in each shard, as is usual."""
    members = {}
    for i, value in enumerate(values):
        members |= {f"{i:04}{suffix}": said(value % 3).encode(), f"{i:04}.png": png(value)}
    return members


def stored(items):
    """The lower right pixel of each stored image, in the order of the items."""
    return Images().fit(items).encode(items).values.load()[:, 0, -1, -1].tolist()


def test_shards(tmp_path):
    """Keys repeat in each shard, and no image is lost or doubled."""
    values = list(range(100, 130))
    for k in range(3):
        tar(tmp_path / "set" / f"photos-{k:06}.tar", samples(values[10 * k : 10 * k + 10]))
    items = find(tmp_path / "set")
    assert stored(items) == values
    assert items.classes == ("0", "1", "2")
    assert items.labels.tolist() == [value % 3 for value in values]
    assert items.held is None
    assert items.notes == ("30 images in 3 shards; their classes are the files .cls",)
    assert stored(find(tmp_path / "set" / "photos-000001.tar")) == values[10:20]


def test_fields_and_test_shards(tmp_path):
    members = samples(range(100, 110), ".json", lambda c: json.dumps({"caption": "x", "label": "abc"[c]}))
    members |= {f"{i:04}.seg.png": png(9) for i in range(10)}
    tar(tmp_path / "train-000.tar", members)
    tar(tmp_path / "test-000.tar", samples(range(110, 115), ".json", lambda c: json.dumps({"label": "abc"[c]})))
    items = find(tmp_path)
    assert stored(items) == [*range(110, 115), *range(100, 110)]
    assert items.classes == ("a", "b", "c")
    assert items.held.tolist() == [True] * 5 + [False] * 10
    assert items.notes[0].endswith(
        "15 images in 2 shards; their classes are 'label' in the files .json; 10 further images of the same samples "
        "are passed over"
    )


def test_a_truncated_shard(tmp_path):
    for k in range(2):
        tar(tmp_path / f"s-{k}.tar", samples(range(100, 110)))
    content = (tmp_path / "s-1.tar").read_bytes()
    (tmp_path / "s-1.tar").write_bytes(content[:3000])
    with pytest.raises(InputError, match=r"s-1\.tar is cut off or damaged"):
        find(tmp_path)


def write(path, values, names=(), **columns):
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pyarrow.table(columns | {"image": [{"bytes": None if v is None else png(v), "path": None} for v in values]})
    features = {"image": {"_type": "Image"}, "label": {"names": list(names), "_type": "ClassLabel"}}
    table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    pyarrow.parquet.write_table(table, path, row_group_size=4)


def test_parquet(tmp_path):
    """As the Hub stores it: several files, names of the classes in the schema, a split in the name of a file."""
    for k, word in enumerate(("test-00000-of-00001", "train-00000-of-00002", "train-00001-of-00002")):
        values = range(100 + 10 * k, 110 + 10 * k)
        write(tmp_path / "data" / f"{word}.parquet", values, ("cat", "dog"), label=[v % 2 for v in values])
    (tmp_path / "README.md").write_text("x")
    items = find(tmp_path)
    assert stored(items) == list(range(100, 130))
    assert items.classes == ("cat", "dog")
    assert items.labels.tolist() == [0, 1] * 15
    assert items.held.tolist() == [True] * 10 + [False] * 20
    some = items.items.only([3, 14, 29])
    assert [content for _, content in some.contents()] == [png(103), png(114), png(129)]
    assert [i for i, _ in items.items.contents({5, 28})] == [5, 28]


def test_parquet_without_an_image(tmp_path):
    write(tmp_path / "p.parquet", [100, None, 102])
    items = find(tmp_path / "p.parquet")
    encoded = Images().fit(items).encode(items)
    assert encoded.items.tolist() == [0, 2]
    assert encoded.skipped == (("p/000000001", "holds no image"),)


def test_a_table_in_parquet_is_still_a_table(tmp_path):
    pyarrow.parquet.write_table(
        pyarrow.table({"x": [1.5, 2.5] * 20, "kind": ["abc", "xyz"] * 20}), tmp_path / "t.parquet"
    )
    assert find(tmp_path / "t.parquet").kind == "rows"


def test_columns_of_bytes(tmp_path):
    table = pyarrow.table({"jpg": [png(100), png(101)], "n": [1, 2]})
    pyarrow.parquet.write_table(table, tmp_path / "t.parquet")
    assert stored(find(tmp_path / "t.parquet")) == [100, 101]


def test_a_truncated_parquet_file(tmp_path):
    for k in range(2):
        write(tmp_path / f"p{k}.parquet", range(100, 110))
    content = (tmp_path / "p1.parquet").read_bytes()
    (tmp_path / "p1.parquet").write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"p1\.parquet is cut off or damaged"):
        find(tmp_path)


def test_missing_images_decide_nothing(tmp_path):
    """A file without rows, one with missing images only, and one that begins with a missing image."""
    for k, values in enumerate(([], [None, None], [None, 101, 102])):
        kind = pyarrow.struct({"bytes": pyarrow.binary(), "path": pyarrow.string()})
        images = [{"bytes": None if v is None else png(v), "path": None} for v in values]
        table = pyarrow.table({"image": pyarrow.array(images, kind)})
        pyarrow.parquet.write_table(table, tmp_path / f"p{k}.parquet")
    assert stored(find(tmp_path)) == [101, 102]


def test_labels_outside_the_names_are_none(tmp_path):
    write(tmp_path / "p.parquet", range(100, 106), ("cat", "dog"), label=[0, 1, 0, 1, 0, -1])
    items = find(tmp_path)
    assert (items.labels, items.classes) == (None, ())


def test_damage_inside_a_parquet_file(tmp_path):
    """Its end is whole, so that only reading finds it."""
    write(tmp_path / "p.parquet", range(100, 140), label=[v % 2 for v in range(40)])
    whole = (tmp_path / "p.parquet").read_bytes()
    end = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    (tmp_path / "p.parquet").write_bytes(whole[:4] + b"\xff" * (end - 4) + whole[end:])
    with pytest.raises(InputError, match=r"p\.parquet is cut off or damaged"):
        find(tmp_path)

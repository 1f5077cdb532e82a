"""Images in arrays."""

import pickle
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image

from sparring.errors import InputError
from sparring.modalities import find

BYTES = (np.arange(6 * 5 * 5 * 3) % 256).astype(np.uint8).reshape(6, 5, 5, 3)


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (BYTES, "uint8, height x width x channels"),
        (BYTES.transpose(0, 3, 1, 2), "uint8, channels x height x width"),
        (BYTES.astype(np.float32) / 255, "float32 in [0, 1], height"),
        (BYTES.astype(np.float64) / 127.5 - 1, "float64 in [-1, 1], height"),
        (BYTES.astype(np.int32), "int32 in [0, 255]"),
    ],
    ids=["bytes", "channels first", "0 to 1", "-1 to 1", "integers"],
)
@pytest.mark.parametrize("name", ["images", "x", "arr_0"])
def test_npz_layouts(tmp_path, array, said, name):
    """Layouts are distinguished by shape and range, and reported."""
    labels = {"images": "labels", "x": "y", "arr_0": "arr_1"}[name]
    np.savez(tmp_path / "set.npz", **{name: array, labels: np.array([3, 3, 5, 5, 9, 9])})
    items = find(tmp_path / "set.npz")
    assert np.array_equal(items.items, BYTES)
    assert said in items.notes[0]
    assert items.classes == ("3", "5", "9")
    assert items.labels.tolist() == [0, 0, 1, 1, 2, 2]


def test_npz_with_test_images(tmp_path):
    """As in MedMNIST: test images are held out; one-hot and column labels are labels."""
    onehot = np.eye(2)[[0, 1, 0, 1, 0, 1]]
    np.savez(tmp_path / "set.npz", train_images=BYTES, train_labels=onehot, test_images=BYTES[:2, :, :, :],
             test_labels=np.array([[1], [0]]))  # fmt: skip
    items = find(tmp_path / "set.npz")
    assert items.held.tolist() == [False] * 6 + [True] * 2
    assert items.labels.tolist() == [0, 1, 0, 1, 0, 1, 1, 0]


def test_floats_that_round_beyond_their_range(tmp_path):
    np.savez(tmp_path / "set.npz", images=BYTES / 255 * 1.000001, labels=np.eye(3, dtype=int)[[0, 1, 2, 0, 1, 2]])
    assert np.array_equal(find(tmp_path / "set.npz").items, BYTES)
    np.savez(tmp_path / "set.npz", images=BYTES, labels=np.ones((6, 3), int))
    assert find(tmp_path / "set.npz").labels is None  # several labels at once are not classes


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"images": BYTES[:, :3]}, "at least 4 x 4"),
        ({"train_images": BYTES, "test_images": BYTES[:, 1:]}, "different sizes in train_images and test_images"),
        ({"weights": BYTES}, "in which they are named images"),
        ({"images": BYTES[..., 0]}, None),
        ({"images": BYTES[:, 0, 0]}, "has shape"),
        ({"images": BYTES * np.nan}, "holds numbers that are not finite"),
        ({"images": BYTES, "labels": np.arange(5)}, "6 images but 5 labels"),
        ({"images": np.array([{}, {}], dtype=object)}, "not an .npz of numbers"),
    ],
)
def test_unusable_npz(tmp_path, content, said):
    np.savez(tmp_path / "set.npz", **content)
    if said is None:
        assert len(find(tmp_path / "set.npz")) == 6  # in gray
        return
    with pytest.raises(InputError, match=said):
        find(tmp_path / "set.npz")


def test_damaged_npz(tmp_path):
    (tmp_path / "set.npz").write_bytes(b"no")
    with pytest.raises(InputError, match="damaged"):
        find(tmp_path / "set.npz")


def test_npy_of_images(tmp_path):
    np.save(tmp_path / "set.npy", BYTES)
    items = find(tmp_path / "set.npy")
    assert (items.kind, items.items.shape) == ("images", BYTES.shape)


def cifar(folder, **more):
    """CIFAR for Python, as its authors pickled it, with two images in each file."""
    folder.mkdir()
    colours = np.random.default_rng(0).integers(0, 255, (2, 3072), dtype=np.uint8)
    for name in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"):
        content = {b"data": colours, b"labels": [1, 0], b"batch_label": b"x", **more}
        (folder / name).write_bytes(pickle.dumps(content, protocol=2))
    (folder / "batches.meta").write_bytes(pickle.dumps({b"label_names": [b"cat", b"dog"]}, protocol=2))
    return colours


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "archive"])
def test_cifar(tmp_path, packed):
    folder = tmp_path / "cifar-10-batches-py"
    colours = cifar(folder)
    if packed:
        with tarfile.open(tmp_path / "cifar-10-python.tar.gz", "w:gz") as archive:
            archive.add(folder, "cifar-10-batches-py")
    items = find(tmp_path / "cifar-10-python.tar.gz" if packed else folder)
    assert items.items.shape == (12, 32, 32, 3)
    assert np.array_equal(items.items[0].transpose(2, 0, 1).ravel(), colours[0])
    assert (items.classes, items.labels[:2].tolist()) == (("cat", "dog"), [1, 0])
    assert items.held.tolist() == [False] * 10 + [True] * 2


class Evil:
    def __reduce__(self):
        import os

        return os.system, ("touch hacked",)


def test_a_pickle_that_lies_about_its_memory(tmp_path):
    """A dtype whose state says that bytes are objects would make numpy follow them as pointers."""

    class Dtype:
        def __reduce__(self):
            fields = {"a": (np.dtype("O"), 0)}
            return np.dtype, ("V8", False, True), (3, "|", None, ("a",), fields, 8, 1, 0)

    class Array:
        def __reduce__(self):
            from numpy._core.multiarray import _reconstruct

            return _reconstruct, (np.ndarray, (0,), b"b"), (1, (3072,), Dtype(), False, bytes(8 * 3072))

    cifar(tmp_path / "set", **{"data": Array()})
    for name in (tmp_path / "set").iterdir():
        if name.name.startswith("data"):
            content = {b"data": Array(), b"labels": [1]}
            name.write_bytes(pickle.dumps(content, protocol=2))
    with pytest.raises(InputError, match="is damaged, or not a plain array"):
        find(tmp_path / "set")


def test_folders_named_as_cifar_names_its_files(tmp_path):
    for name in ("train", "meta"):
        (tmp_path / name).mkdir()
        for i in range(2):
            Image.new("L", (8, 8), 9 * i).save(tmp_path / name / f"{i}.png")
    assert find(tmp_path).classes == ("meta", "train")


def test_a_pickle_that_requires_more_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cifar(tmp_path / "set", **{"x": Evil()})
    with pytest.raises(InputError, match=r"it requires (posix|nt)\.system"):
        find(tmp_path / "set")
    assert not (tmp_path / "hacked").exists()


def header(text, version=b"\x01\x00"):
    return b"\x93NUMPY" + version + len(text).to_bytes(2 if version[0] == 1 else 4, "little") + text.encode("latin1")


HEADERS = [
    header("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000, 1000000, 1000), }\n"),
    header("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999, 8, 8), }\n"),
    header("{'descr': '|u1', 'fortran_order': False, 'shape': (4, -8, -8), }\n"),
    header("{'descr': '|u1', 'fortran_order': False, 'shape': (4, 8.5, 8), }\n"),
    header("{'descr': '|u1', 'fortran_order': False, 'shape': (True, 8, 8), }\n"),
    header("{'descr': '|u1', 'fortran_order': False, 'shape': 7, }\n"),
    header("{'descr': ['x'], 'fortran_order': False, 'shape': (4, 8, 8), }\n"),
    header("{'descr': '<f99', 'fortran_order': False, 'shape': (4, 8, 8), }\n"),
    header("{'descr': '|O', 'fortran_order': False, 'shape': (4, 8, 8), }\n"),
    header("(" * 5000 + "\n"),
    header("{'descr': '|u1', 'fortran_order': False, 'shape': (4, 8, 8)\0}\n"),
    header("{'shape': (4, 8, 8)}\n"),
    header("[]\n"),
    header("{'descr': '|u1'}", b"\x09\x09"),
    header("{'descr': '<f8', 'fortran_order': False, 'shape': (4, 8, 8), }\n")[:20],
    b"\x93NUMPY",
]


@pytest.mark.parametrize("content", HEADERS, ids=range(len(HEADERS)))
def test_damaged_headers(tmp_path, content):
    """No memory is reserved for what a header promises; `.npy` and `.npz` are refused in a line."""
    (tmp_path / "set.npy").write_bytes(content + bytes(99))
    with zipfile.ZipFile(tmp_path / "set.npz", "w") as archive:
        archive.writestr("images.npy", content + bytes(99))
    for name in ("set.npy", "set.npz"):
        with pytest.raises(InputError, match=r"is not an? \.np[yz].* of numbers") as error:
            find(tmp_path / name)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        ([1, 2], [b"cat", b"dog"]),
        ([-1, 0], [b"cat", b"dog"]),
        ([1, 10**9], []),
        ([1, 0, 1], [b"cat", b"dog"]),
        ([1, 10**30], [b"cat", b"dog"]),
        ([1, 0], 7),
        ([1, None], [b"cat", b"dog"]),
    ],
)
def test_cifar_with_odd_labels(tmp_path, labels, names):
    colours = cifar(tmp_path / "cifar")
    batch = pickle.dumps({b"data": colours, b"labels": labels}, protocol=2)
    (tmp_path / "cifar" / "data_batch_1").write_bytes(batch)
    (tmp_path / "cifar" / "batches.meta").write_bytes(pickle.dumps({b"label_names": names}, protocol=2))
    with pytest.raises(InputError, match="is not CIFAR for Python, or is damaged"):
        find(tmp_path / "cifar")


def test_cifar_with_odd_names(tmp_path):
    """Names of classes that are not UTF-8, not text, or equal."""
    cifar(tmp_path / "cifar")
    for names, shown in (([b"ca\xfft", "dog"], ("ca\ufffdt", "dog")), ([3, None], ("3", "None"))):
        (tmp_path / "cifar" / "batches.meta").write_bytes(pickle.dumps({b"label_names": names}, protocol=2))
        assert find(tmp_path / "cifar").classes == shown


@pytest.mark.parametrize("dtype", ["U3", "S2", "c16", "M8[D]"])
def test_arrays_of_something_else_than_numbers(tmp_path, dtype):
    np.save(tmp_path / "set.npy", np.zeros((4, 8, 8)).astype("i8").astype(dtype))
    with pytest.raises(InputError, match=r"set.npy is .*; give numbers|cannot be used"):
        find(tmp_path / "set.npy")


def test_one_huge_value_everywhere(tmp_path):
    np.save(tmp_path / "set.npy", np.full((4, 8, 8), 1e300))
    assert len(set(find(tmp_path / "set.npy").items.flatten())) == 1

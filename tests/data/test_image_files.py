"""Folders and archives of images, harmless and hostile."""

import io
import stat
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image

from sparring.data import sources, tars
from sparring.data.sources import Unreadable
from sparring.errors import InputError
from sparring.modalities import find


def png(shade=0, size=(4, 4)):
    file = io.BytesIO()
    Image.new("L", size, shade).save(file, "PNG")
    return file.getvalue()


FILES = {f"photos/{kind}/{i}.png": png(i) for kind in ("cat", "dog") for i in range(3)}


def packed(path, files=FILES):
    """An archive of files, in the format of its suffix."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
    else:
        with tarfile.open(path, "w:" + {".tar": "", ".tgz": "gz", ".xz": "xz", ".bz2": "bz2"}[path.suffix]) as archive:
            for name, content in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return path


def unpacked(path, files=FILES):
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


@pytest.mark.parametrize("name", ["set", "set.zip", "set.tar", "set.tgz", "set.tar.xz", "set.tar.bz2"])
def test_archives_hold_what_folders_do(tmp_path, name):
    """Names, bytes, labels and classes are equal, for all files and for some, and nothing is unpacked to disk."""
    path = tmp_path / name
    noise = {"photos/cat/.hidden.png": b"", "__MACOSX/cat/0.png": b"", "photos/notes.txt": b"", "photos/dog/0.zip": b""}
    packed(path, FILES | noise) if path.suffix else unpacked(path, FILES | noise)
    items = find(path)
    assert (items.name, items.classes, items.held) == ("set", ("cat", "dog"), None)
    read = {items.items.names[i].removeprefix("photos/"): content for i, content in items.items.contents()}
    assert read == {name.removeprefix("photos/"): content for name, content in FILES.items()}
    wanted = [(i, items.items.names[i]) for i in (1, 4)]
    some = list(items.items.contents({1, 4}))
    assert [i for i, _ in some] == [1, 4]
    full = dict(zip(items.items.names, (c for _, c in items.items.contents()), strict=True))
    assert [c for _, c in some] == [full[name] for _, name in wanted]
    assert [items.classes[k] for k in items.labels] == [n.split("/")[-2] for n in items.items.names]
    assert list(tmp_path.iterdir()) == [path]


def test_archives_are_recognized_by_content(tmp_path):
    path = packed(tmp_path / "set.tar")
    path.rename(tmp_path / "set.zip")
    assert len(find(tmp_path / "set.zip")) == 6


def test_a_tar_that_ends_with_a_zip(tmp_path):
    packed(tmp_path / "inner.zip")
    packed(tmp_path / "set.tar", FILES | {"z/inner.zip": (tmp_path / "inner.zip").read_bytes()})
    assert type(find(tmp_path / "set.tar").items).__name__ == "TarSource"


def test_a_zip_from_windows(tmp_path):
    packed(tmp_path / "set.zip", {name.replace("/", "\\"): content for name, content in FILES.items()})
    assert find(tmp_path / "set.zip").classes == ("cat", "dog")


@pytest.mark.parametrize("suffix", [".zip", ".tgz", ".tar.xz"])
def test_cut_off_archives(tmp_path, suffix):
    path = packed(
        tmp_path / f"set{suffix}", {k: v + bytes(np.random.default_rng(0).bytes(500)) for k, v in FILES.items()}
    )
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(InputError, match=r"cut off or damaged.*download it again"):
        find(path)


def test_not_an_archive(tmp_path):
    (tmp_path / "set.zip").write_bytes(b"hello")
    with pytest.raises(InputError, match=r"set\.zip is not a zip archive, despite its suffix"):
        find(tmp_path / "set.zip")


def test_bombs_are_not_unpacked(tmp_path, monkeypatch):
    """Neither an archive that grows too much, nor a single file that is too large for an image."""
    for module in (sources, tars):
        monkeypatch.setattr(module, "MAX_FILE_BYTES", 2**20)
    big = {f"{i}.png": bytes(3 * 2**20) for i in range(4)}
    for suffix in (".zip", ".tar.xz"):
        with pytest.raises(InputError, match="like a zip bomb"):
            find(packed(tmp_path / f"bomb{suffix}", big))
    (tmp_path / "big").mkdir()
    (tmp_path / "big" / "huge.png").write_bytes(bytes(2**20 + 1))
    (tmp_path / "big" / "a.png").write_bytes(png())
    contents = dict(find(tmp_path / "big").items.contents())
    assert contents[1] == Unreadable("1 MiB is too large")


def test_a_file_that_lies_about_its_size(tmp_path):
    """A member that unpacks to more than its header promises is damaged; the others are read."""
    path = packed(tmp_path / "set.zip")
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        start = archive.start_dir
    content[start + 24 : start + 28] = (10).to_bytes(4, "little")  # the first member's size
    path.write_bytes(content)
    read = dict(find(path).items.contents())
    assert sum(isinstance(c, Unreadable) for c in read.values()) == 1


def test_links_out_of_an_archive_are_not_followed(tmp_path):
    (tmp_path / "secret.png").write_bytes(png(99))
    with tarfile.open(packed(tmp_path / "set.tar"), "a") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
            member = tarfile.TarInfo(f"photos/cat/{kind!r}.png")
            member.type, member.linkname = kind, "../../../secret.png"
            archive.addfile(member)
    with zipfile.ZipFile(packed(tmp_path / "set.zip"), "a") as archive:
        link = zipfile.ZipInfo("photos/cat/link.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "../../../secret.png")
    for suffix, links in ((".tar", 2), (".zip", 1)):
        items = find(tmp_path / f"set{suffix}")
        assert len(items) == 6
        assert items.notes == (f"{links} links in set{suffix} are not followed",)


def test_an_encrypted_member(tmp_path):
    path = packed(tmp_path / "set.zip")
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        start = archive.start_dir
    content[start + 8] |= 1
    content[6] |= 1
    path.write_bytes(content)
    bad = [c for _, c in find(path).items.contents() if isinstance(c, Unreadable)]
    assert "encrypted" in bad[0].why


def test_a_folder_of_archives(tmp_path):
    """One archive is read; of several, none is guessed."""
    packed(tmp_path / "one.zip")
    assert len(find(tmp_path)) == 6
    packed(tmp_path / "two.zip")
    with pytest.raises(InputError, match=r"holds 2 archives; give one of them: .*one\.zip"):
        find(tmp_path)


def test_sets_by_name(tmp_path, monkeypatch):
    """Any folder or file in SPARRING_DATA; from archives that belong together, each file is read once."""
    monkeypatch.setenv("SPARRING_DATA", str(tmp_path))
    (tmp_path / "tiles").mkdir()
    packed(tmp_path / "tiles" / "v1.zip")
    assert find("tiles").name == "tiles"
    assert len(find("tiles/v1.zip")) == 6
    (tmp_path / "omniglot").mkdir()
    for i, letters in ((1, ("a", "b")), (2, ("b", "c"))):
        files = {f"small{i}/{letter}/{k}.png": png(k) for letter in letters for k in range(2)}
        packed(tmp_path / "omniglot" / f"images_background_small{i}.zip", files)
    items = find("omniglot")
    assert (items.classes, len(items)) == (("a", "b", "c"), 6)
    assert sorted(i for i, _ in items.items.contents()) == list(range(6))
    assert [items.items.names[i] for i, _ in items.items.contents({0, 5})] == [
        items.items.names[0],
        items.items.names[5],
    ]
    with pytest.raises(InputError, match=r"no data set or path 'tilez'; did you mean 'tiles'"):
        find("tilez")

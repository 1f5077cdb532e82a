"""Archives of tables: damaged ones, encrypted ones, and those that would fill the memory."""

import gzip
import os
import struct
import subprocess
import sys
import tarfile
import zipfile
import zlib

import pytest

from sparring.data import tars
from sparring.errors import InputError
from sparring.modalities import find

TEXT = "a,b\n" + "1,x\n2,y\n" * 100


def zip_of_copies(path, copies, size):
    """A zip whose members are the same compressed text of two columns of zeros."""
    body = b"a,b\n" + b"0,0\n" * (size // 4 - 1)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(body) + packer.flush()
    out, central = bytearray(), bytearray()
    for i in range(copies):
        name = f"t{i}.csv".encode()
        header = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 33, zlib.crc32(body), len(packed), len(body), len(name), 0)
        central += b"PK\1\2\x14\0" + header + struct.pack("<HHHII", 0, 0, 0, 0, len(out)) + name
        out += b"PK\3\4" + header + name + packed
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, copies, copies, len(central), len(out), 0)
    path.write_bytes(bytes(out + central + end))


def tar_with_header(path, kind, size):
    """A compressed tar that begins with a header of this size, such as a long name."""
    member = tarfile.TarInfo("././@LongLink")
    member.type, member.size = kind, size
    block = gzip.compress(b"a" * 2**22)
    path.write_bytes(gzip.compress(member.tobuf(tarfile.GNU_FORMAT)) + block * (size // 2**22))


LIMITED = """
import resource, sys
from sparring.errors import InputError
from sparring.modalities import find
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**30,) * 2)
for path in sys.argv[1:]:
    try:
        print(find(path))
    except InputError as error:
        print(error)
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="limits memory as Linux does")
def test_bombs_are_refused_in_little_memory(tmp_path):
    zip_of_copies(tmp_path / "many.zip", 40, 2**25)
    zip_of_copies(tmp_path / "two.zip", 4, 2**25)
    tar_with_header(tmp_path / "name.tar.gz", tarfile.GNUTYPE_LONGNAME, 2**32)
    tar_with_header(tmp_path / "pax.tar.gz", tarfile.XHDTYPE, 2**32)
    (tmp_path / "rows.csv.gz").write_bytes(gzip.compress(b"1,2\n" * 2**22) * 64)
    names = ("many.zip", "two.zip", "name.tar.gz", "pax.tar.gz", "rows.csv.gz")
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, *(tmp_path / name for name in names)],
        capture_output=True,
        text=True,
        check=True,
    )
    said = done.stdout.splitlines()
    assert len(said) == len(names), done.stdout
    assert all(line.startswith(str(tmp_path / name)) for name, line in zip(names, said, strict=True))
    assert ["bomb" in line or "unpack it first" in line for line in said] == [True] * 5


def test_headers_of_a_tar_are_bounded(tmp_path, monkeypatch):
    long = tarfile.TarInfo("././@LongLink")
    long.type, long.size = tarfile.GNUTYPE_LONGNAME, 1
    (tmp_path / "chain.tar").write_bytes((long.tobuf(tarfile.GNU_FORMAT) + b"a".ljust(512, b"\0")) * 3000)
    with pytest.raises(InputError, match="cut off or damaged"):
        find(tmp_path / "chain.tar")
    with tarfile.open(tmp_path / "many.tar.gz", "w:gz") as archive:
        for i in range(400):
            archive.addfile(tarfile.TarInfo(f"{i}.csv"))
    monkeypatch.setattr(tars, "MAX_HEADERS", 2**16)
    with pytest.raises(InputError, match="like an archive bomb"):
        find(tmp_path / "many.tar.gz")


@pytest.mark.parametrize("suffix", [".zip", ".tar", ".tar.gz", ".tar.xz"])
def test_the_only_table_of_an_archive(tmp_path, suffix):
    (tmp_path / "t.csv").write_text(TEXT)
    path = tmp_path / f"set{suffix}"
    if suffix == ".zip":
        with zipfile.ZipFile(path, "w") as packed:
            packed.write(tmp_path / "t.csv", "folder/t.csv")
    else:
        with tarfile.open(path, "w:" + suffix.rpartition(".")[2].replace("tar", "")) as packed:
            packed.add(tmp_path / "t.csv", "folder/" + "long" * 40 + "/t.csv")
    items = find(path)
    assert (items.name, len(items)) == ("set", 200)


def test_members_that_cannot_be_read(tmp_path):
    path = tmp_path / "t.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("t.csv", TEXT)
    whole = bytearray(path.read_bytes())
    damaged = whole.copy()
    damaged[45] ^= 255
    path.write_bytes(damaged)
    with pytest.raises(InputError, match=r"t.zip: t.csv cannot be read: damaged"):
        find(path)
    encrypted = whole.copy()
    encrypted[6] |= 1
    encrypted[encrypted.index(b"PK\1\2") + 8] |= 1
    path.write_bytes(encrypted)
    with pytest.raises(InputError, match=r"t.zip: t.csv cannot be read: .*encrypted"):
        find(path)


def test_devices_and_pipes_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "zero.csv").symlink_to("/dev/zero")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "folder" / "pipe.csv")
    for path in (tmp_path / "pipe.csv", tmp_path / "zero.csv", "/dev/zero"):
        with pytest.raises(InputError, match="is a device or a pipe"):
            find(path)
    with pytest.raises(InputError, match="is not recognized as data"):
        find(tmp_path / "folder")


@pytest.mark.parametrize("name", ["{x}", "[bold]x", "%s", "a b", "ü\u202e", "-n"])
def test_odd_names_of_files(tmp_path, name):
    (tmp_path / f"{name}.csv").write_text(TEXT)
    assert find(tmp_path / f"{name}.csv").name == name
    (tmp_path / f"{name}.csv").write_text("a,b\n1,2\n1,2,3\n")
    with pytest.raises(InputError, match="line 3 has 3 values"):
        find(tmp_path / f"{name}.csv")


def test_a_table_that_does_not_fit_into_the_memory(tmp_path, monkeypatch):
    from sparring.modalities.tables.files import memory

    monkeypatch.setattr(memory, "memory", lambda: 10_000)
    (tmp_path / "t.csv").write_text(TEXT)
    with pytest.raises(InputError, match=r"t.csv has 0 MiB of text, which takes about .* GiB of memory; give a part"):
        find(tmp_path / "t.csv")

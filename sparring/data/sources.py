"""Files in a folder or an archive: their names, and their bytes in one pass.

Archives are streamed and never unpacked to disk. Links inside an archive are not followed, and archive bombs are
refused.
"""

from __future__ import annotations

import lzma
import stat
import tarfile
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TypeVar

from sparring.errors import InputError
from sparring.files import reason

LARGEST_FILE = 256 * 2**20  # bytes that are read of one file at most
FILES_AT_ONCE = 256  # files that are worked on side by side at most, and
CHUNK = 2**26  # bytes of them, about
INFLATION = 200  # times its own size that an archive may unpack to, beyond LARGEST_FILE


@dataclass(frozen=True)
class Unreadable:
    """Takes the place of a file that cannot be read, and says why in a few words."""

    why: str


Content = bytes | Unreadable
Accepts = Callable[[str], bool]
Value = TypeVar("Value")
BROKEN = (EOFError, zlib.error, lzma.LZMAError)  # what unpacking a damaged stream raises


@dataclass(frozen=True)
class FileSource(ABC):
    """Files of one kind.

    Attributes:
        path: of the folder or the archive.
        names: of the files within it, with slashes.
    """

    path: Path
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)

    @abstractmethod
    def contents(self, wanted: Collection[int] | None = None) -> Iterator[tuple[int, Content]]:
        """Every file's index in `names` and its bytes, in that order; only some of them, where told which."""

    def only(self, wanted: Collection[int]) -> FileSource:
        """Some of them, in their order."""
        return replace(self, names=tuple(self.names[i] for i in sorted(wanted)))

    @property
    def modified(self) -> str:
        """What changes when the files do: sizes and times."""
        return _stamp(self.path)


class FolderSource(FileSource):
    """The files below a folder, in the order of their names."""

    def contents(self, wanted: Collection[int] | None = None) -> Iterator[tuple[int, Content]]:
        for i, name in enumerate(self.names):
            if wanted is None or i in wanted:
                yield i, _read(self.path / name)

    @property
    def modified(self) -> str:
        return " ".join(_stamp(self.path / name) for name in self.names)


class ZipSource(FileSource):
    """The files in a zip archive, in the order of their names."""

    def contents(self, wanted: Collection[int] | None = None) -> Iterator[tuple[int, Content]]:
        with zipfile.ZipFile(self.path) as archive:
            for i, name in enumerate(self.names):
                if wanted is None or i in wanted:
                    yield i, _unzipped(archive, name)


class TarSource(FileSource):
    """The files in a tar archive, compressed or not, in the archive's own order."""

    def contents(self, wanted: Collection[int] | None = None) -> Iterator[tuple[int, Content]]:
        indices = {name: i for i, name in enumerate(self.names)}
        left = len(indices) if wanted is None else len(wanted)
        with _tar(self.path) as archive:
            for member in archive:
                i = indices.pop(member.name, None) if member.isreg() else None
                if i is None or (wanted is not None and i not in wanted):
                    continue
                yield i, _untarred(archive, member)
                left -= 1
                if not left:
                    return


@dataclass(frozen=True)
class JoinedSource(FileSource):
    """The files of several archives of one set.

    Attributes:
        parts: each with its share of the files, in the order of `names`.
    """

    parts: tuple[FileSource, ...] = ()

    @staticmethod
    def of(parts: Sequence[FileSource]) -> JoinedSource:
        """Archives as one, without the outer folder of each. A file that several hold is taken once."""
        taken: dict[str, None] = {}
        shares = []
        for part in parts:
            own = {i: name.partition("/")[2] or name for i, name in enumerate(part.names)}
            fresh = {i: name for i, name in own.items() if name not in taken}
            taken |= dict.fromkeys(fresh.values())
            shares.append(part.only(list(fresh)))
        return JoinedSource(parts[0].path.parent, tuple(taken), tuple(shares))

    def only(self, wanted: Collection[int]) -> JoinedSource:
        begin = [sum(len(part) for part in self.parts[:i]) for i in range(len(self.parts))]
        shares = [[i - b for i in wanted if b <= i < b + len(p)] for b, p in zip(begin, self.parts, strict=True)]
        parts = tuple(part.only(share) for part, share in zip(self.parts, shares, strict=True))
        return replace(self, names=tuple(self.names[i] for i in sorted(wanted)), parts=parts)

    def contents(self, wanted: Collection[int] | None = None) -> Iterator[tuple[int, Content]]:
        before = 0
        for part in self.parts:
            own = None if wanted is None else {i - before for i in wanted if before <= i < before + len(part)}
            for i, content in part.contents(own):
                yield i + before, content
            before += len(part)

    @property
    def modified(self) -> str:
        return " ".join(part.modified for part in self.parts)


def _read(path: Path) -> Content:
    try:
        if path.stat().st_size > LARGEST_FILE:
            return Unreadable(_too_large(path.stat().st_size))
        return path.read_bytes()
    except OSError as error:
        return Unreadable(reason(error))


def _unzipped(archive: zipfile.ZipFile, name: str) -> Content:
    try:
        size = archive.getinfo(name).file_size
        return Unreadable(_too_large(size)) if size > LARGEST_FILE else archive.read(name)
    except (zipfile.BadZipFile, *BROKEN, OSError) as error:
        return Unreadable(f"damaged in the archive: {error}")
    except (RuntimeError, NotImplementedError) as error:  # encrypted, or compressed in an unknown way
        return Unreadable(str(error))


def _untarred(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Content:
    if member.size > LARGEST_FILE:
        return Unreadable(_too_large(member.size))
    file = archive.extractfile(member)
    assert file is not None  # a regular file
    return file.read()


def _too_large(size: int) -> str:
    return f"{size / 2**20:,.0f} MiB is too large"


def is_visible(name: str) -> bool:
    """Whether neither a file nor a folder around it is hidden, or was added by macOS."""
    path = PurePosixPath(name.replace("\\", "/"))  # some zips from Windows have those
    return not any(part.startswith(".") or part == "__MACOSX" for part in path.parts)


def folder(path: Path, accepts: Accepts) -> FolderSource:
    """The accepted files below a folder.

    Args:
        accepts: whether a file of this name, with slashes, is one of them.
    """
    found = [p.relative_to(path).as_posix() for p in path.rglob("*") if accepts(p.name) and p.is_file()]
    return FolderSource(path, tuple(sorted(name for name in found if accepts(name))))


def archive(path: Path, accepts: Accepts) -> tuple[ZipSource | TarSource, int] | None:
    """The accepted files in an archive, and how many links in it are not followed; None for other files.

    What the file is, not its suffix, decides.

    Raises:
        InputError: where it is cut off, damaged, or is an archive bomb.
    """
    try:
        if _is_tar(path):  # first, since a tar may end with a zip, which zipfile looks for at the end
            return _listed_tar(path, accepts)
        if zipfile.is_zipfile(path):
            return _listed_zip(path, accepts)
    except OSError as error:
        raise InputError(f"cannot read {path}: {reason(error)}") from error
    if path.suffix.lower() == ".zip":
        with path.open("rb") as file:
            what = "cut off or damaged; fetch it again" if file.read(2) == b"PK" else "not a zip archive"
        raise InputError(f"{path} is {what}, whatever its suffix says")
    return None


def _listed_zip(path: Path, accepts: Accepts) -> tuple[ZipSource, int]:
    try:
        with zipfile.ZipFile(path) as opened:
            members = [m for m in opened.infolist() if not m.is_dir() and accepts(m.filename)]
    except (zipfile.BadZipFile, EOFError, NotImplementedError, ValueError) as error:
        raise InputError(f"{path} is cut off or damaged ({error}); fetch it again") from error
    files = [m for m in members if not stat.S_ISLNK(m.external_attr >> 16)]
    _measured(path, sum(m.file_size for m in files))
    return ZipSource(path, tuple(sorted(m.filename for m in files))), len(members) - len(files)


def _is_tar(path: Path) -> bool:
    try:
        return tarfile.is_tarfile(path)
    except BROKEN:  # looks like one, but is cut off
        return True


def _tar(path: Path) -> tarfile.TarFile:
    try:
        return tarfile.open(path)
    except (tarfile.TarError, *BROKEN) as error:
        raise InputError(f"{path} is cut off or damaged ({error}); fetch it again") from error


def _listed_tar(path: Path, accepts: Accepts) -> tuple[TarSource, int]:
    names, links, total = [], 0, 0
    try:
        with _tar(path) as opened:
            for member in opened:
                total += member.size
                _measured(path, total)
                if accepts(member.name):
                    links += not member.isreg()
                    names += [member.name] if member.isreg() else []
    except (tarfile.TarError, *BROKEN, OSError) as error:
        raise InputError(f"{path} is cut off or damaged ({error}); fetch it again") from error
    return TarSource(path, tuple(dict.fromkeys(names))), links


def _measured(path: Path, total: int) -> None:
    """Refuse a bomb.

    Raises:
        InputError: where an archive unpacks to far more than it could hold.
    """
    size = path.stat().st_size
    if total > LARGEST_FILE + INFLATION * size:
        raise InputError(
            f"{path} has {size / 2**20:,.1f} MiB but unpacks to {total / 2**20:,.0f} MiB, as a zip bomb does; "
            "repack the files if they are genuine"
        )


def _stamp(path: Path) -> str:
    try:
        found = path.stat()
        return f"{found.st_size}.{found.st_mtime_ns}"
    except OSError:
        return "gone"


def each(
    files: FileSource,
    work: Callable[[Content], Value],
    pool: ThreadPoolExecutor,
    wanted: Collection[int] | None = None,
) -> Iterator[tuple[int, Value]]:
    """Work on all files, or on some, several side by side, with no more than those in memory."""
    for chunk in _chunks(files.contents(wanted)):
        yield from zip([i for i, _ in chunk], pool.map(work, [content for _, content in chunk]), strict=True)


def _chunks(contents: Iterator[tuple[int, Content]]) -> Iterator[list[tuple[int, Content]]]:
    chunk: list[tuple[int, Content]] = []
    size = 0
    for i, content in contents:
        chunk.append((i, content))
        size += 0 if isinstance(content, Unreadable) else len(content)
        if len(chunk) == FILES_AT_ONCE or size >= CHUNK:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk

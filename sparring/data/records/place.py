"""Where the files of a set in shards are: a folder, or objects in a store."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from sparring.data.addresses import BY_ARROW, is_address, name_of, scheme_of, shown
from sparring.data.store_clients import is_absent, is_refused
from sparring.data.stores import Away, Store
from sparring.errors import InputError
from sparring.files import describe_error, resolved, write_bytes


class Unreachable(InputError):
    """A place cannot be reached, or fails again and again."""


class Place(ABC):
    """A place for files."""

    far = False  # True if reading takes so long that what has been read is kept on the local disk

    @property
    @abstractmethod
    def shown(self) -> str:
        """What it is called in messages."""

    @property
    @abstractmethod
    def name(self) -> str:
        """A short name for what is there."""

    @abstractmethod
    def get(self, name: str) -> bytes | None:
        """A whole file; None if it is not there.

        Raises:
            InputError: if it cannot be read.
        """

    @abstractmethod
    def read(self, name: str, begin: int, end: int, size: int) -> bytes:
        """Bytes `begin` to `end` of a file of `size` bytes.

        Raises:
            InputError: if it has another size, or cannot be read.
        """

    @abstractmethod
    def sizes(self) -> dict[str, int]:
        """Size of each file that is there, without hidden ones.

        Raises:
            InputError: if they cannot be listed.
        """

    @abstractmethod
    def put(self, name: str, content: bytes) -> None:
        """Write a file, completely or not at all.

        Raises:
            InputError: if it cannot be written.
        """

    @abstractmethod
    def delete(self, name: str) -> None:
        """Remove a file, if it is there.

        Raises:
            InputError: if it cannot be removed.
        """

    def cut_off(self, name: str, found: int, size: int) -> InputError:
        """The error of a file with another size than the index says."""
        return InputError(
            f"{self.shown}/{name} has {found:,} bytes instead of {size:,}: it is cut off or was replaced; "
            "copy it again, or import the set again"
        )


@dataclass(frozen=True)
class FolderPlace(Place):
    """A folder."""

    path: Path

    @property
    def shown(self) -> str:
        return str(self.path)

    @property
    def name(self) -> str:
        return resolved(self.path).name

    def get(self, name: str) -> bytes | None:
        try:
            return (self.path / name).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise self._unreadable(name, error) from error

    def read(self, name: str, begin: int, end: int, size: int) -> bytes:
        try:
            with (self.path / name).open("rb") as file:
                found = os.fstat(file.fileno()).st_size
                if found != size:
                    raise self.cut_off(name, found, size)
                file.seek(begin)
                return file.read(end - begin)
        except OSError as error:
            raise self._unreadable(name, error) from error

    def _unreadable(self, name: str, error: OSError) -> InputError:
        return InputError(f"cannot read {self.path / name}: {describe_error(error)}")

    def sizes(self) -> dict[str, int]:
        if not self.path.exists():
            return {}
        if not self.path.is_dir():
            raise InputError(f"{self.path} is a file, and a folder is to be written; choose another name")
        return {p.name: p.stat().st_size for p in self.path.iterdir() if not p.name.startswith(".")}

    def put(self, name: str, content: bytes) -> None:
        write_bytes(self.path / name, content)

    def delete(self, name: str) -> None:
        try:
            (self.path / name).unlink(missing_ok=True)
        except OSError as error:
            raise InputError(f"cannot remove {self.path / name}: {describe_error(error)}") from error


class Objects(Store):
    """Objects below an address by their names, without listing them. All methods raise `Away` if the store cannot be
    reached, and an `InputError` if it must not.
    """

    def get(self, name: str) -> bytes | None:
        """A whole object; None if it is not there, as far as a user without further rights can know."""

        def work() -> bytes | None:
            try:
                content: bytes = self.files.cat_file(f"{self.path}/{name}")
            except Exception as error:
                if is_absent(error) or is_refused(error):
                    return None
                raise
            return content

        return self.tried(work)

    def read(self, name: str, begin: int, end: int, size: int) -> bytes | int:
        """Bytes `begin` to `end` of an object of `size` bytes; its size if that is another one."""
        path = f"{self.path}/{name}"

        def work() -> bytes | int:
            try:
                return self.range(path, begin, end, size)[: end - begin]
            except Exception as error:
                if is_absent(error):
                    raise
                found = self.files.info(path).get("size")
                if found in (None, size):
                    raise
                return int(found)

        return self.tried(work, name)

    def put(self, name: str, content: bytes) -> None:
        """Write an object."""
        if scheme_of(self.address) not in BY_ARROW:
            with suppress(Exception):  # stores without folders
                self.files.makedirs(self.path, exist_ok=True)
        self.tried(lambda: self.files.pipe_file(f"{self.path}/{name}", content), name, "written")

    def delete(self, name: str) -> None:
        """Remove an object, if it is there."""

        def work() -> None:
            try:
                self.files.rm_file(f"{self.path}/{name}")
            except Exception as error:
                if not is_absent(error):
                    raise

        self.tried(work, name, "removed")


@dataclass(frozen=True)
class StorePlace(Place):
    """Objects below an address, such as `s3://bucket/photos-64`."""

    address: str
    far = True

    @property
    def shown(self) -> str:
        return shown(self.address)

    @property
    def name(self) -> str:
        return name_of(self.address)

    def get(self, name: str) -> bytes | None:
        try:
            return self._objects.get(name)
        except Away as away:
            raise Unreachable(str(away)) from away

    def read(self, name: str, begin: int, end: int, size: int) -> bytes:
        try:
            content = self._objects.read(name, begin, end, size)
        except Away as away:
            raise Unreachable(f"{away}; a run continues with --resume") from away
        if isinstance(content, int):
            raise self.cut_off(name, content, size)
        return content

    def sizes(self) -> dict[str, int]:
        try:
            return {entry.name: entry.size or 0 for entry in self._objects.entries()}
        except Away as away:
            raise Unreachable(str(away)) from away
        except InputError as error:
            if is_absent(error):  # nothing there yet
                return {}
            raise

    def put(self, name: str, content: bytes) -> None:
        try:
            self._objects.put(name, content)
        except Away as away:
            raise Unreachable(f"{away}; the same command continues") from away

    def delete(self, name: str) -> None:
        try:
            self._objects.delete(name)
        except Away as away:
            raise Unreachable(str(away)) from away

    def __getstate__(self) -> dict[str, Any]:
        """What other processes get: each has a client of its own."""
        return {"address": self.address}

    @cached_property
    def _objects(self) -> Objects:
        try:
            return Objects(self.address)
        except Away as away:
            raise Unreachable(str(away)) from away


def may_be_folder(address: str) -> bool:
    """False for an address with wildcards, a query, or further addresses in it."""
    return not any(mark in address for mark in ("?", "*", "[", "::"))


def place_of(text: str) -> Place:
    """The place that a user names: an address or a path.

    Raises:
        InputError: for an address that is that of no folder.
    """
    if is_address(text) and not may_be_folder(text):
        raise InputError(f"{shown(text)} is not the address of a folder; give one without ?, *, [ and ::")
    return StorePlace(text.rstrip("/")) if is_address(text) else FolderPlace(Path(text))

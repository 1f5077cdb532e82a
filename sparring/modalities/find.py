"""The kinds of data, and data sets by name or by path."""

from __future__ import annotations

import importlib
import os
import pkgutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from sparring.data import stores
from sparring.data.about import lone, passed_over
from sparring.data.addresses import is_address
from sparring.data.items import Items
from sparring.data.records.place import FolderPlace, StorePlace, may_be_folder
from sparring.data.records.reading import RecordSet, open_set, was_read
from sparring.data.sources import archives
from sparring.errors import InputError, nearest, similar_path
from sparring.files import places
from sparring.modalities.asks import Ask
from sparring.modalities.base import Modality

Kinds = Iterable[type[Modality]]
CACHE_FOLDERS = {
    "blocks",
    "decoded",
    "judges",
    "stores",
    "uploads",
    "weights",
}  # folders of the user's cache that are not data sets


@cache
def kinds() -> tuple[type[Modality], ...]:
    """All kinds of data, in the order in which they are asked whether they can read a file.

    Each package in this folder lists its own as `KINDS`. Kinds that read some of the files of others come first, kinds
    that accept files of more specific ones come last.
    """
    folder = [str(Path(__file__).parent)]
    packages = [module.name for module in pkgutil.iter_modules(folder) if module.ispkg]
    modules = [importlib.import_module(f"{__package__}.{name}") for name in packages]
    found = (kind for module in modules for kind in module.KINDS)
    return tuple(sorted(found, key=lambda kind: (kind.fallback, not kind.specific)))


def every_apply_ask() -> list[Ask]:
    """What models of some kind of data can be asked for when they are applied to files, each once."""
    return list({ask.name: ask for kind in kinds() for ask in kind().apply_asks}.values())


def every_applied_media() -> list[str]:
    """Media types of the files that models of some kind of data write when they are applied, each once."""
    return list(dict.fromkeys(media for kind in kinds() for media in kind.applied_media))


def kind_of(items: Items, first: Sequence[type[Modality]] = ()) -> type[Modality]:
    """The kind of a data set.

    Args:
        first: further kinds, such as those of a user's own recipe.

    Raises:
        InputError: if it is unknown.
    """
    for kind in (*first, *kinds()):
        if kind.kind == items.kind:
            return kind
    raise InputError(f"{items.name!r} is of the unknown kind {items.kind!r}; give the recipe that reads it")


def find(data: Any, first: Sequence[type[Modality]] = ()) -> Items:
    """A data set: by name, in a folder or a file, or in memory.

    An address is that of objects in a store, such as `s3://bucket/photos/` (`data.stores`). A name is that of a
    built-in set, or of a folder or file in one of the places where named sets are stored. It may be followed by a slash
    and the name of one class: `fashion-mnist/dress`, `photos.zip/cats`.

    Args:
        data: a name, a path, an address, or an object such as a data frame.
        first: kinds that are asked first whether they can read it, such as those that a recipe takes.

    Raises:
        InputError: if there is no such data set, or it cannot be used.
    """
    asked = tuple(dict.fromkeys((*first, *kinds())))
    if not isinstance(data, str | os.PathLike):
        return _adopt(data, asked)
    name, sets = str(data), _sets(asked)
    if name in sets:
        items = sets[name]()
        if not Path(name).exists():
            return items
        hidden = f"{name} is the set of this name; the {name} in this folder is read as ./{name}"
        return replace(items, notes=(hidden, *items.notes))
    if is_address(name):
        if (records := _in_shards(name)) is not None:
            return _of_shards(records, asked)
        copied = stores.copy(name)
        items = read(copied.path, asked, first)
        return replace(items, notes=(*copied.notes, *items.notes))
    path = Path(data)
    if path.exists():
        return read(path, asked, first)
    stored = next((place for place in places(name) if place.exists()), None)
    if stored is not None:
        return replace(read(stored, asked, first), name=path.name.split(".")[0])
    whole, _, one = name.rpartition("/")
    if whole and (whole in sets or any(place.exists() for place in (Path(whole), *places(whole)))):
        items = find(whole, first)
        try:
            return items.of(one)
        except InputError as error:
            raise InputError(f"there is no path {name!r}, and {error}") from error
    hint = similar_path(path) or f"; {nearest(name, set_names())}"
    raise InputError(f"there is no data set or path {name!r}{hint}")


def lasting_source(data: str | os.PathLike[str]) -> str:
    """What finds the same data set later and from other folders: its name, its address, or the absolute path of what
    lies here.

    Args:
        data: a name, a path or an address that `find` finds.
    """
    name, path, sets = str(data), Path(data), _sets(kinds())
    whole = name.rpartition("/")[0]
    if name in sets or is_address(name) or (not path.exists() and any(place.exists() for place in places(name))):
        return name
    here = path.exists() or (whole and whole not in sets and Path(whole).exists())
    return os.path.abspath(path) if here else name


def read(path: Path, asked: Kinds, first: Kinds = ()) -> Items:
    """The data set in a folder or a file, as the first kind that recognizes it reads it. A folder that holds an archive
    and nothing else that is recognized is read as that archive.

    Args:
        first: the kinds among them that the user asked for.

    Raises:
        InputError: if no kind recognizes it, or it cannot be used.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise InputError(f"{path} is a device or a pipe, which has no end; give a file or a folder")
    records = open_set(FolderPlace(path)) if path.is_dir() else None
    if records is not None:
        return _of_shards(records, asked)
    for kind in asked:
        items = kind.read_asked(path) if kind in first else kind.read(path)
        if items is not None:
            return items
    inside = archives(path) or lone(path, ".parquet") if path.is_dir() else []
    if len(inside) > 1:
        raise InputError(f"{path} holds {len(inside)} archives; give one of them: {', '.join(map(str, inside))}")
    if inside:
        items = read(inside[0], asked, first)
        return replace(items, notes=(*passed_over(path), *items.notes))
    if path.is_dir() and not any(path.iterdir()):
        raise InputError(f"{path} is not recognized as data: the folder is empty")
    raise InputError(f"{path} is not recognized as data; give {_listed(kind.files for kind in asked)}")


def was_found(address: str) -> bool:
    """True if data at an address were read before: a copy of them, or the index of a set in shards, is on this
    machine.
    """
    return stores.is_copied(address) or was_read(address)


def _in_shards(address: str) -> RecordSet | None:
    """The set in shards at an address; None if there is none."""
    if not may_be_folder(address) or stores.is_copied(address):
        return None
    return open_set(StorePlace(address.rstrip("/")))


def _of_shards(records: RecordSet, asked: Kinds) -> Items:
    for kind in asked:
        if kind.kind == records.index.kind:
            return kind.read_shards(records)
    raise InputError(f"{records.place.shown} holds {records.index.kind!r}; give the recipe that reads them")


def _adopt(data: Any, asked: Kinds) -> Items:
    for kind in asked:
        items = kind.adopt(data)
        if items is not None:
            return items
    raise InputError(f"{type(data).__name__} is not data; give a path, the name of a data set, or a data frame")


def _sets(asked: Kinds) -> Mapping[str, Callable[[], Items]]:
    return {name: load for kind in asked for name, load in kind.sets.items()}


def set_names() -> tuple[str, ...]:
    """Names of data sets: the built-in ones, then those in the places where named sets are stored."""
    folders = [p.name for place in places("") if place.is_dir() for p in place.iterdir() if p.is_dir()]
    visible = sorted(name for name in folders if name not in CACHE_FOLDERS and not name.startswith("."))
    built_in = _sets(sorted(kinds(), key=lambda kind: kind.specific))
    return tuple(dict.fromkeys([*built_in, *visible]))


def _listed(texts: Iterable[str]) -> str:
    *others, last = dict.fromkeys(text for text in texts if text)
    return f"{', '.join(others)}, or {last}" if others else last

"""Images in WebDataset's shards: numbered tar archives of samples, whose files share a name up to its first dot:
`0001.jpg`, `0001.cls`, `0001.json`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from sys import intern
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparring.data import sources
from sparring.data.classes import HELD, TRAIN, classify, printable
from sparring.data.items import Items
from sparring.data.sources import FileSource, JoinedSource, Unreadable
from sparring.data.tars import is_tar
from sparring.errors import InputError
from sparring.modalities.images.image_files import FORMATS, format_of

SHARD = re.compile(r"(.*?)[-_.]?(\d+)\.(?:tar|tgz|tar\.gz)")
CLASS, FIELDS = ".cls", ".json"  # suffixes of the class of a sample, and of an object with fields
CLASS_FIELDS = ("cls", "class", "class_name", "label")  # the first of them that all samples have is their class
Said = tuple[str | None, ...]  # the class of a sample by its `.cls`, and by each of these fields of its `.json`
NOTHING: Said = (None,) * (1 + len(CLASS_FIELDS))


def shards_in(folder: Path) -> list[Path]:
    """The shards in a folder, in the order of their names; [] if it holds anything else, or fewer than two."""
    paths = sorted(path for path in folder.iterdir() if sources.is_visible(path.name))
    numbered = all(SHARD.fullmatch(path.name.lower()) and path.is_file() for path in paths)
    return paths if numbered and len(paths) > 1 else []


def read(shards: Sequence[Path], name: str) -> Items | None:
    """The images in shards, with the classes in their files `.cls` or `.json`, or those that folders in the shards
    define; None if there are none. Shards called test or val are held out if others are called train.

    Raises:
        InputError: if a shard is damaged, or there are fewer than two images.
    """
    parts, names, found, held, others = [], [], [], [], 0
    known: dict[Said, Said] = {}
    for shard in shards:
        opened = sources.archive(shard, sources.is_visible)
        if opened is None:
            raise InputError(f"{shard} is no tar archive, despite its suffix; replace it")
        files = opened[0]
        images = [i for i, member in enumerate(files.names) if format_of(member) and _suffix(member) in FORMATS]
        others += sum(bool(format_of(member)) for member in files.names) - len(images)
        found += [known.setdefault(said, said) for said in _classes(files, images)]  # equal ones are stored once
        parts.append(files.only(images))
        names += [f"{shard.name.split('.')[0]}/{files.names[i]}" for i in images]
        held += [_split(shard)] * len(images)
    if not names:
        return None
    if len(names) < 2:
        raise InputError(f"{shards[0].parent} holds only one image; give at least two images (.png, .jpg, ...)")
    joined = JoinedSource(shards[0].parent, tuple(names), tuple(parts))
    apart = np.array([word in HELD for word in held]) if TRAIN & set(held) and HELD & set(held) else None
    labels, classes, note = _labeled(found)
    if labels is None:
        labels, classes, inside = classify([member.partition("/")[2] for member in names])
        apart = inside if apart is None else apart
    more = f"; {others:,} further images of the same samples are passed over" if others else ""
    notes = (f"{len(names):,} images in {len(shards)} shard{'s' if len(shards) > 1 else ''}{note}{more}",)
    return Items(name, "images", joined, labels, classes, held=apart, notes=notes)


def has_classes(path: Path) -> bool:
    """True for a tar archive that holds the classes of its images, each in a file."""
    opened = sources.archive(path, sources.is_visible) if is_tar(path) else None
    return opened is not None and any(_suffix(name) == CLASS for name in opened[0].names)


def _classes(files: FileSource, images: Sequence[int]) -> Iterator[Said]:
    """What the files beside each image say of it."""
    beside = {i for i, name in enumerate(files.names) if _suffix(name) in (CLASS, FIELDS)}
    texts: dict[str, str] = {}
    fields: dict[str, Said] = {}
    for i, content in files.contents(beside) if beside else ():
        if isinstance(content, Unreadable):
            continue
        key = _key(files.names[i])
        if _suffix(files.names[i]) == CLASS:
            texts[key] = intern(content.decode("utf-8", "replace").strip())
        else:
            fields[key] = _fields(content)
    for i in images:
        key = _key(files.names[i])
        yield (texts.get(key), *fields.get(key, NOTHING)[1:])


def _fields(content: bytes) -> Said:
    """What a file `.json` says."""
    said: Any = None
    with suppress(ValueError, RecursionError):
        said = json.loads(content)
    if not isinstance(said, dict):
        return NOTHING
    values = (said.get(key) for key in CLASS_FIELDS)
    return (None, *(intern(str(v)) if isinstance(v, str | int) else None for v in values))


def _labeled(found: Sequence[Said]) -> tuple[NDArray[np.int64] | None, tuple[str, ...], str]:
    """Labels, names of classes, and where they are from, for the user."""
    whole = [k for k in range(len(NOTHING)) if all(said[k] is not None for said in found)]
    if not whole:
        some = sum(said[0] is not None for said in found)
        return None, (), f"; {len(found) - some:,} have no file {CLASS}" if some else ""
    values = [printable(str(said[whole[0]])) for said in found]
    names = sorted(set(values), key=lambda name: (not name.isdigit(), name.zfill(20) if name.isdigit() else name))
    if len(names) < 2:
        return None, (), ""
    index = {name: i for i, name in enumerate(names)}
    source = f"{CLASS_FIELDS[whole[0] - 1]!r} in the files {FIELDS}" if whole[0] else f"the files {CLASS}"
    return np.array([index[value] for value in values], np.int64), tuple(names), f"; their classes are {source}"


def _split(shard: Path) -> str:
    match = SHARD.fullmatch(shard.name.lower())
    return re.split(r"[-_.]", match[1])[-1] if match else ""


def _key(name: str) -> str:
    """What the files of a sample share."""
    folder, _, base = name.rpartition("/")
    return f"{folder}/{base.partition('.')[0]}"


def _suffix(name: str) -> str:
    """All of a name after its first dot."""
    return "." + name.rpartition("/")[2].partition(".")[2].lower()

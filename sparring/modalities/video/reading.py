"""Data sets of films: which files and folders they are."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from sparring.data import sources
from sparring.data.classes import classify
from sparring.data.items import Items
from sparring.data.sources import FileSource, FolderSource
from sparring.data.split import MIN_ITEMS
from sparring.errors import InputError
from sparring.files import resolved
from sparring.modalities.video import av_files, films
from sparring.modalities.video.films import Film, Films

KIND = "video"
MIN_SECONDS = 2.0  # of a part of a film
PARTS = 2 * MIN_ITEMS  # that few films are divided into together, so that some can be held out


def read(path: Path, frames: bool = False) -> Items | None:
    """The films in a folder, an archive or a file; None if there are none.

    Args:
        frames: also read images that do not move, as the frames of films.

    Raises:
        InputError: if there are films that cannot be used.
    """
    films_in = found(path, frames)
    return None if films_in is None else from_films(films_in, name_of(path))


def found(path: Path, frames: bool = False) -> Films | None:
    """The films in a folder, an archive or a file, whole; None if there are none.

    Args:
        frames: also images that do not move, as the frames of films.
    """
    files = _files(path)
    return None if files is None else films.moving(files) or (films.still(files) if frames else None)


def name_of(path: Path) -> str:
    """The name of a data set that lies there."""
    return resolved(path).name.split(".")[0] or path.name


def _files(path: Path) -> FileSource | None:
    if path.is_dir():
        return sources.folder(path, sources.is_visible)
    if path.suffix.lower() in (*films.FILMS, *films.ANIMATIONS):
        return FolderSource(path.parent, (path.name,))
    opened = sources.archive(path, sources.is_visible)
    return None if opened is None else opened[0]


def from_films(whole: Films, name: str) -> Items:
    """Films, with the classes and the held-out part that their folders define. A few long films are divided into parts,
    of which some can be held out.
    """
    divided, notes = _divided(whole)
    labels, classes, held = classify(divided.names)
    return Items(name, KIND, divided, labels, classes, held=held, notes=notes)


def _divided(found: Films) -> tuple[Films, tuple[str, ...]]:
    """Films in parts of equal length, if they are few and long."""
    if len(found) >= MIN_ITEMS:
        return found, ()
    seconds = dict.fromkeys(range(len(found)), 0.0)
    for (i, *_), readable in found.read([i for i, f in enumerate(found.films) if f.form == "film"]):
        seconds[i] = seconds_of(readable)
    length = max(MIN_SECONDS, sum(seconds.values()) / PARTS)
    parts: list[Film] = []
    names: list[str] = []
    for i, film in enumerate(found.films):
        count = max(1, int(seconds[i] / length))
        if count == 1:
            parts, names = [*parts, film], [*names, found.names[i]]
            continue
        borders = [*np.linspace(0, seconds[i], count + 1)[:-1].tolist(), float("inf")]
        for begin, end in pairwise(borders):
            parts.append(replace(film, begin=begin, end=end))
            names.append(f"{found.names[i]} from {begin:.1f} s")
    if len(parts) == len(found):
        return found, ()
    return replace(found, films=tuple(parts), names=tuple(names)), (
        f"few films ({len(found)}): divided into {len(parts)} parts of about {length:.1f} seconds, some of which are "
        "held out",
    )


def seconds_of(film: films.Readable) -> float:
    """Declared length of a film file; 0 if it is unknown or the file cannot be read."""
    name, content = film.contents[0]
    if not isinstance(content, Path | bytes):
        return 0.0
    try:
        with av_files.opened(content, name) as clip:
            return av_files.seconds_of(clip)
    except InputError:
        return 0.0

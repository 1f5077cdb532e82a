"""Films in a folder or an archive: film files, animations, folders of frames, and strips of frames."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Literal

from PIL import Image

from sparring.data import sources
from sparring.data.sources import FileSource, FolderSource, Unreadable
from sparring.errors import InputError
from sparring.modalities.images.decoding import opened as image_header
from sparring.modalities.images.image_files import is_image
from sparring.modalities.video import animations, av_files
from sparring.modalities.video.shown import Shown

FILMS = (".mp4", ".webm", ".mkv", ".mov", ".avi", ".m4v")  # suffixes of files that FFmpeg reads
ANIMATIONS = (".gif", ".webp", ".apng", ".png")  # suffixes of images that may move
MAX_OPENED = 16  # images that are opened to see whether they move or are strips
MIN_MOVING = 0.5  # share of them from which the images of a set are films
MIN_STRIP = 4  # squares side by side from which images are strips
STILL_RATE = 25.0  # frames per second of frames without times, unless given
FRAME_NAME = re.compile(r"(.*?)(\d+)$")  # of a file without its suffix

Form = Literal["film", "animation", "frames", "strip"]


@dataclass(frozen=True)
class Film:
    """A film, or a part of one.

    Attributes:
        form: what its files are.
        files: indices of its files; several only for frames.
        begin, end: the part of it in seconds.
    """

    form: Form
    files: tuple[int, ...]
    begin: float = 0.0
    end: float = float("inf")

    @property
    def timed(self) -> bool:
        """True if its frames have times."""
        return self.form in ("film", "animation")


@dataclass(frozen=True)
class Films:
    """The films of a data set.

    Attributes:
        files: their files.
        films: in order; the parts of one film are neighbors.
        names: of the films.
    """

    files: FileSource
    films: tuple[Film, ...]
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.films)

    @property
    def path(self) -> Path:
        return self.files.path

    @property
    def modified(self) -> str:
        """Changes when the files or the parts do."""
        parts = hashlib.blake2b(repr(self.films).encode(), digest_size=8).hexdigest()
        return f"{parts} {self.files.modified}"

    def only(self, wanted: Collection[int]) -> Films:
        """Some of the films, in the same order."""
        chosen = sorted(wanted)
        return replace(self, films=tuple(self.films[i] for i in chosen), names=tuple(self.names[i] for i in chosen))

    def groups(self, wanted: Collection[int] | None = None) -> list[list[int]]:
        """Indices of the films, those that are parts of the same one together."""
        groups: list[list[int]] = []
        for i in range(len(self.films)) if wanted is None else sorted(wanted):
            same = groups and self.films[groups[-1][0]].files == self.films[i].files
            groups[-1].append(i) if same else groups.append([i])
        return groups

    def read(self, wanted: Collection[int] | None = None) -> Iterator[tuple[list[int], Readable]]:
        """The films one by one in the order of their files: indices of the parts, and what their frames are read from.

        Args:
            wanted: indices of films; all unless given.
        """
        groups = self.groups(wanted)
        if isinstance(self.files, FolderSource):
            for group in groups:
                film = self.films[group[0]]
                names = [(self.files.names[i], self.files.path / self.files.names[i]) for i in film.files]
                yield group, Readable(film, names)
            return
        owner = {i: k for k, group in enumerate(groups) for i in self.films[group[0]].files}
        waiting: dict[int, dict[int, bytes | Unreadable]] = {}
        for i, content in self.files.contents(owner):
            group = groups[owner[i]]
            film = self.films[group[0]]
            parts = waiting.setdefault(owner[i], {})
            parts[i] = content
            if len(parts) == len(film.files):
                yield group, Readable(film, [(self.files.names[j], parts[j]) for j in film.files])
                del waiting[owner[i]]


@dataclass(frozen=True)
class Readable:
    """A film whose frames can be read.

    Attributes:
        film: its form.
        contents: name and content of each of its files.
    """

    film: Film
    contents: Sequence[tuple[str, Path | bytes | Unreadable]]

    def frames(self, rate: float) -> Iterator[Shown]:
        """The frames of the whole film.

        Args:
            rate: frames per second if they have no times.

        Raises:
            InputError: if it cannot be read.
        """
        given: list[tuple[str, Path | bytes]] = []
        for name, content in self.contents:
            if isinstance(content, Unreadable):
                raise InputError(content.why)
            given.append((name, content))
        name, content = given[0]
        if self.film.form == "frames":
            return animations.frames_of(given, rate)
        if self.film.form == "strip":
            return animations.strip_of(content, name, rate)
        return av_files.shown(content, name) if self.film.form == "film" else animations.shown(content, name)


def moving(files: FileSource) -> Films | None:
    """The films among files: film files, and images if most of them move. None if there are none, or if there are more
    images that do not move.
    """
    films = [i for i, name in enumerate(files.names) if _suffix(name) in FILMS]
    images = [i for i, name in enumerate(files.names) if _suffix(name) in ANIMATIONS]
    if images and _share(files, images, _moves) < MIN_MOVING:
        images = []
    stills = sum(is_image(name) for name in files.names) - len(images)
    if stills > len(films) + len(images):
        return None
    forms: dict[int, Form] = {**dict.fromkeys(films, "film"), **dict.fromkeys(images, "animation")}
    found = [Film(forms[i], (i,)) for i in sorted(forms)]
    return Films(files, tuple(found), tuple(files.names[i] for i in sorted(forms))) if found else None


def still(files: FileSource) -> Films | None:
    """Films of images that do not move: strips, or frames in folders of their own. None if there are no images."""
    images = [i for i, name in enumerate(files.names) if is_image(name)]
    if not images:
        return None
    if _share(files, images, _is_strip) >= MIN_MOVING:
        return Films(files, tuple(Film("strip", (i,)) for i in images), tuple(files.names[i] for i in images))
    folders: dict[str, list[int]] = {}
    for i in images:
        folders.setdefault(str(PurePosixPath(files.names[i].replace("\\", "/")).parent), []).append(i)
    frames = [tuple(sorted(group, key=lambda i: _number(files.names[i]))) for group in folders.values()]
    names = tuple(name if name != "." else files.path.name for name in folders)
    return Films(files, tuple(Film("frames", group) for group in frames), names)


def _share(files: FileSource, images: list[int], test: object) -> float:
    chosen = set(images[:: max(1, len(images) // MAX_OPENED)])
    headers = [image_header(content) for _, content in files.contents(chosen)]
    return sum(isinstance(h, Image.Image) and test(h) for h in headers) / len(chosen)  # type: ignore[operator]


def _moves(image: Image.Image) -> bool:
    with suppress(Exception):  # damaged
        return int(getattr(image, "n_frames", 1)) > 1
    return False


def _is_strip(image: Image.Image) -> bool:
    return image.width % image.height == 0 and image.width >= MIN_STRIP * image.height


def _number(name: str) -> tuple[str, int, str]:
    """Sorts frame10 after frame9."""
    stem = PurePosixPath(name.replace("\\", "/")).stem
    matched = FRAME_NAME.match(stem)
    return (matched[1], int(matched[2]), stem) if matched else (stem, 0, stem)


def _suffix(name: str) -> str:
    return PurePosixPath(name.replace("\\", "/")).suffix.lower() if sources.is_visible(name) else ""

"""Films that are continued, or whose frames are filled in between, frame by frame in constant memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sparring.data.sources import FolderSource
from sparring.data.store import Progress, no_progress
from sparring.errors import InputError
from sparring.files import atomic_path
from sparring.modalities.applying import Applied
from sparring.modalities.judge import Console
from sparring.modalities.video import reading
from sparring.modalities.video.clips import Cut, frames
from sparring.modalities.video.films import STILL_RATE, Film, Films, Readable
from sparring.modalities.video.fitting import declared_seconds, examine
from sparring.modalities.video.writers import FILMS, write_film
from sparring.nets.tiles import Mapper
from sparring.seeds import Seeds

if TYPE_CHECKING:
    from sparring.modalities.video_completion.completion import VideoCompletion

Frame = NDArray[np.uint8]


def transform(
    modality: VideoCompletion, mapper: Mapper, source: Path, out: Path, console: Console, asked: Mapping[str, Any]
) -> Applied:
    """Complete a film, or all films in a folder.

    Args:
        asked: values of `VideoCompletion.apply_asks`.

    Raises:
        InputError: if the source holds no film that can be used, or `out` does not fit it.
    """
    films = _found(source)
    in_folder = source.is_dir()
    if in_folder == (out.suffix.lower() in FILMS):
        fitting = "a folder" if in_folder else f"a name that ends in {', '.join(FILMS)}"
        raise InputError(f"{out} does not fit {source}; give {fitting}")
    if not in_folder and len(films.groups()) > 1:
        raise InputError(f"{source} holds {len(films.groups())} films; unpack it, and give one of them or the folder")
    with console.progress(f"applying to {source.name}") as progress:
        if in_folder:
            done, skipped = _complete_folder(modality, mapper, films, source, out, asked, progress)
        else:
            ((_, film),) = films.read()
            _complete_film(modality, mapper, film, str(source), out, asked, progress)
            done, skipped = 1, []
    if not done:
        raise InputError(f"none of the films in {source} can be used; {skipped[0]}")
    for line in skipped:
        console.say(f"skipped {line}")
    return Applied(done, "film" if done == 1 else "films")


def _found(source: Path) -> Films:
    """The films in a folder or a file. A file of an unknown kind, such as one that was uploaded, is read by FFmpeg."""
    items = reading.read(source, frames=True)
    if items is not None:
        films: Films = items.items
        return films
    if source.is_dir():
        raise InputError(f"{source} holds no films; give a film, or a folder of films")
    return Films(FolderSource(source.parent, (source.name,)), (Film("film", (0,)),), (source.name,))


def _complete_folder(
    modality: VideoCompletion, mapper: Mapper, films: Films, source: Path, out: Path, asked: Mapping[str, Any],
    progress: Progress,
) -> tuple[int, list[str]]:  # fmt: skip
    """Write all films of a folder, completed. Returns their number, and why others cannot be used."""
    done, skipped = 0, []
    for count, (parts, film) in enumerate(films.read(), 1):
        name = films.names[parts[0]].partition(" from ")[0] if len(parts) > 1 else films.names[parts[0]]
        place = out / PurePosixPath(name).with_suffix(".mp4")
        try:
            _complete_film(modality, mapper, film, str(source / name), place, asked)
            done += 1
        except InputError as error:
            skipped.append(str(error))
        progress(count, len(films.groups()))
    return done, skipped


def _complete_film(
    modality: VideoCompletion, mapper: Mapper, film: Readable, name: str, place: Path, asked: Mapping[str, Any],
    progress: Progress = no_progress,
) -> None:  # fmt: skip
    """Write a completed film. One that is filled in keeps its own rate and is played as fast as before.

    Args:
        progress: receives the number of frames that are written, and about how many there will be. It is called for
            each frame, so that a long film can be ended at any of them.
    """
    rate = modality.rate
    if modality.after:
        try:
            rate = examine(film).rate or STILL_RATE
        except InputError as error:
            raise InputError(f"{name} cannot be used: {error}") from error
    cut = Cut(modality.size, modality.channels, modality.frames, rate, modality.stride)
    least = 2 if modality.after else modality.given
    given = (frame.transpose(1, 2, 0) for frame in _readable(film, cut, name))
    first = [frame for _, frame in zip(range(least), given, strict=False)]
    if len(first) < least:
        many = f"{len(first)} frame{'' if len(first) == 1 else 's'} at {rate:g} a second"
        raise InputError(f"{name} has {many}, and this model needs {least}; give a longer film")
    place.parent.mkdir(parents=True, exist_ok=True)
    frames = completed(modality, mapper, chain(first, given), asked)
    total = _frames(modality, round(declared_seconds(film) * rate), asked)
    times = modality.made + 1 if modality.after else 1
    with atomic_path(place) as part:
        write_film(counted(frames, total, progress), rate * times, part, place.suffix.lower())


def _frames(modality: VideoCompletion, given: int, asked: Mapping[str, Any]) -> int:
    """Number of frames of a completed film that had so many."""
    return given + (modality.made * max(0, given - 1) if modality.after else _length(modality, asked))


def _length(modality: VideoCompletion, asked: Mapping[str, Any]) -> int:
    """Number of frames that follow a film."""
    return int(asked.get("length", modality.made))


def counted(frames: Iterator[Frame], total: int, progress: Progress) -> Iterator[Frame]:
    """Frames, each of which is reported before the next one is generated.

    Args:
        total: about how many they are.
    """
    for done, frame in enumerate(frames, 1):
        progress(done, max(done, total))
        yield frame


def _readable(film: Readable, cut: Cut, name: str) -> Iterator[Frame]:
    try:
        yield from frames(film, cut)
    except InputError as error:
        raise InputError(f"{name} cannot be used: {error}") from error


def completed(
    modality: VideoCompletion, mapper: Mapper, film: Iterator[Frame], asked: Mapping[str, Any]
) -> Iterator[Frame]:
    """The frames of a film (size, size, channels) with those that follow, or those between; its own are unchanged.

    Args:
        film: its frames; two at least, or as many as are given.
        asked: values of `VideoCompletion.apply_asks`.
    """
    seeds = Seeds(int(asked.get("variant", 0)))
    if modality.after:
        yield from _filled_in(modality, mapper, film, seeds)
    else:
        yield from _continued(modality, mapper, film, seeds, _length(modality, asked))


def _continued(
    modality: VideoCompletion, mapper: Mapper, film: Iterator[Frame], seeds: Seeds, length: int
) -> Iterator[Frame]:
    """A film and `length` further frames, chunk by chunk, each from the frames before it."""
    recent: deque[Frame] = deque(maxlen=modality.given)
    for frame in film:
        recent.append(frame)
        yield frame
    for begin in range(0, length, modality.made):
        made = _made(modality, mapper, list(recent), seeds, begin)[: length - begin]
        recent.extend(made)
        yield from made


def _filled_in(modality: VideoCompletion, mapper: Mapper, film: Iterator[Frame], seeds: Seeds) -> Iterator[Frame]:
    """A film with generated frames between each two of its frames."""
    last: Frame | None = None
    for i, frame in enumerate(film):
        if last is not None:
            yield from _made(modality, mapper, [last, frame], seeds, i)
        yield frame
        last = frame


@torch.no_grad()
def _made(
    modality: VideoCompletion, mapper: Mapper, given: list[Frame], seeds: Seeds, number: int
) -> NDArray[np.uint8]:
    """The generated frames (made, size, size, channels) of one clip.

    Args:
        given: its given frames.
        number: of the clip; each has its own noise.
    """
    random = torch.Generator().manual_seed(seeds.key("variant", number))
    noise: Tensor = torch.randn(1, modality.z, generator=random)
    clip = torch.from_numpy(np.stack(given).transpose(3, 0, 1, 2))[None]
    x = modality.joined(modality.scale(clip), noise).to(mapper.device)
    y = mapper.net(x)[:, :, modality.given : modality.given + modality.made].float()
    pixels: NDArray[np.uint8] = modality.unscale(y)[0].permute(1, 2, 3, 0).cpu().numpy()
    return pixels

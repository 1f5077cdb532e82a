"""Films that nets are applied to: film files by FFmpeg, with their sound, and animations by Pillow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

from PIL import Image

from sparring.modalities.video import animations, av_files
from sparring.modalities.video.films import ANIMATIONS, FILMS

READ = (*FILMS, *ANIMATIONS)  # suffixes


@dataclass(frozen=True)
class Frame:
    """A frame of a film.

    Attributes:
        image: upright, in mode L, RGB or RGBA.
        begin: when it is shown, in units of the film's time base; None if that is unknown.
        duration: for how long, in the same units; 0 if that is unknown.
    """

    image: Image.Image
    begin: int | None
    duration: int


class Film(Protocol):
    """A film that is read frame by frame.

    Attributes:
        size: width and height of all frames.
        total: number of frames, about.
        rate: frames per second on average.
        time_base: seconds in which the times of frames are counted.
        aspect: width of a pixel / its height.
        alpha: True if frames may be transparent.
        sounds: streams of sound, as FFmpeg knows them.
    """

    size: tuple[int, int]
    total: int
    rate: Fraction
    time_base: Fraction
    aspect: Fraction
    alpha: bool
    sounds: Sequence[Any]

    def parts(self) -> Iterator[Any]:
        """Frames, each a `Frame`, and packets of sound, unchanged, in the order of the file.

        Raises:
            InputError: if it is damaged.
        """


@contextmanager
def opened(source: Path) -> Iterator[Film]:
    """A film that is read, whatever the suffix of the file.

    Raises:
        InputError: if it is none.
    """
    name = str(source)
    if animations.frame_count(source):
        yield Animation(source, name)
        return
    with av_files.opened(source, name) as clip:
        kind = av_files.library().VideoFrame
        first = next(part for part in av_files.packets(clip, name) if isinstance(part, kind))
    with av_files.opened(source, name) as clip:
        yield FilmFile(clip, first, name)


class FilmFile:
    """A film file.

    Args:
        clip: the opened file.
        first: its first frame; the frames of a file may differ in size and become as large as this one.
        name: of the file, for messages.
    """

    def __init__(self, clip: Any, first: Any, name: str) -> None:
        self._clip, self._first, self._name = clip, first, name
        video = clip.streams.best("video")
        self.size, self.total, self.rate = av_files.size_of(first), av_files.frame_count(clip), av_files.rate_of(clip)
        self.time_base: Fraction = video.time_base
        self.aspect: Fraction = video.sample_aspect_ratio or Fraction(1)  # pixels of old videos may not be square
        self.alpha = any(part.is_alpha for part in first.format.components)
        self.sounds: Sequence[Any] = tuple(clip.streams.audio)

    def parts(self) -> Iterator[Any]:
        kind, format = av_files.library().VideoFrame, "rgba" if self.alpha else "rgb24"
        for part in av_files.packets(self._clip, self._name):
            if isinstance(part, kind):
                yield Frame(av_files.upright(part, self._first, format), part.pts, part.duration)
            else:
                yield part


class Animation:
    """An animated GIF, WebP or PNG file. It is decoded twice: only its frames know how long they are shown.

    Args:
        source: the file.
        name: of the file, for messages.
    """

    time_base, aspect = Fraction(1, 1000), Fraction(1)
    sounds: Sequence[Any] = ()

    def __init__(self, source: Path, name: str) -> None:
        self._source, self._name = source, name
        frames = [(frame.duration, frame.image.size, frame.image.mode) for frame in self.parts()]
        self.size, self.total = frames[0][1], len(frames)
        self.rate = Fraction(1000 * len(frames), sum(duration for duration, _, _ in frames))
        self.alpha = any(mode == "RGBA" for _, _, mode in frames)

    def parts(self) -> Iterator[Any]:
        for frame in animations.shown(self._source, self._name):
            begin, end = (round(1000 * seconds) for seconds in (frame.begin, frame.end))
            yield Frame(frame.image, begin, max(1, end - begin))

"""Films with their own sound, as two parts of the same seconds."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparring.data.classes import classify
from sparring.data.items import Items
from sparring.data.sources import Content, FileSource, Unreadable
from sparring.data.split import MIN_ITEMS, split_items
from sparring.errors import InputError
from sparring.modalities import video
from sparring.modalities.audio.writing import as_bytes
from sparring.modalities.joint.tuples import KIND, LABEL, MISSING, Rows, Tuples, checked, table_of_classes
from sparring.modalities.video import av_files
from sparring.modalities.video.films import Film, Films, Readable

Floats = NDArray[np.float32]

FILM, SOUND = "film", "sound"
BITS = 24  # of the samples that are handed on


@dataclass(frozen=True)
class Soundtracks(FileSource):
    """The sound of films as .wav files: of each part of a film, its seconds. Films are decoded one at a time, up to the
    end of their last part.

    Attributes:
        films: each with an end.
    """

    films: Films

    @property
    def seconds(self) -> float:
        """Length of the longest sound."""
        return max(film.end - film.begin for film in self.films.films)

    def only(self, wanted: Collection[int]) -> Soundtracks:
        films = self.films.only(wanted)
        return replace(self, names=films.names, films=films)

    def contents(self, wanted: Collection[int] | None = None) -> Iterator[tuple[int, Content]]:
        for parts, film in self.films.read(wanted):
            yield from zip(parts, _tracks(film, [self.films.films[i] for i in parts]), strict=True)

    @property
    def modified(self) -> str:
        return self.films.modified


def _tracks(film: Readable, parts: Sequence[Film]) -> Iterator[Content]:
    """The sound of each part of a film, in order; or why there is none."""
    done = 0
    try:
        with av_files.opened(_content(film), film.contents[0][0]) as file:
            for sound, rate in _cut(file, parts):
                yield as_bytes(sound, rate, BITS)
                done += 1
    except (InputError, av_files.library().FFmpegError, ValueError) as error:
        yield from [Unreadable(f"its sound cannot be read: {error}")] * (len(parts) - done)
        return
    yield from [Unreadable("it has no sound there")] * (len(parts) - done)


def _content(film: Readable) -> Path | bytes:
    content = film.contents[0][1]
    if isinstance(content, Unreadable):
        raise InputError(content.why)
    return content


def _cut(file: Any, parts: Sequence[Film]) -> Iterator[tuple[Floats, int]]:
    """The sound of parts (frames, channels), and its rate. More than two channels are mixed down to two."""
    if not file.streams.audio:
        return
    stream = file.streams.audio[0]
    rate = int(stream.codec_context.sample_rate)
    layout = "mono" if stream.codec_context.channels == 1 else "stereo"
    waiting = [(round(part.begin * rate), round(part.end * rate)) for part in parts]
    buffer: Floats = np.zeros((0, 1 if layout == "mono" else 2), np.float32)
    start = 0  # of the buffer, in samples of the film
    for first, samples in _decoded(file, stream, layout):
        if not len(buffer):
            start = first
        buffer = np.concatenate([buffer, samples])
        while waiting and start + len(buffer) >= waiting[0][1]:
            yield _between(buffer, start, *waiting.pop(0)), rate
        if not waiting:
            return
        unneeded = max(0, min(len(buffer), waiting[0][0] - start))
        buffer, start = buffer[unneeded:], start + unneeded
    for begin, end in waiting:
        if begin < start + len(buffer):
            yield _between(buffer, start, begin, end), rate


def _decoded(file: Any, stream: Any, layout: str) -> Iterator[tuple[int, Floats]]:
    """Sound in pieces: place of the first sample after the first frame of the film, and samples (frames, channels)."""
    rate = stream.codec_context.sample_rate
    video_stream = file.streams.best("video")
    began = float((video_stream.start_time or 0) * video_stream.time_base)
    resampler = av_files.library().AudioResampler(format="fltp", layout=layout)
    place: int | None = None
    for frame in file.decode(stream):
        if place is None:
            place = round((0.0 if frame.time is None else frame.time - began) * rate)
        for part in resampler.resample(frame):
            samples = np.ascontiguousarray(part.to_ndarray().T, np.float32)
            yield place, samples
            place += len(samples)


def _between(buffer: Floats, start: int, begin: int, end: int) -> Floats:
    """Samples from one place to another of sound that starts at `start`; silence where there is none."""
    wanted = np.zeros((end - begin, buffer.shape[1]), np.float32)
    low, high = max(begin, start), min(end, start + len(buffer))
    if high > low:
        wanted[low - begin : high - begin] = buffer[low - start : high - start]
    return wanted


def clip_seconds(films: Films) -> float:
    """The seconds of a clip of films, unless clips are given another length.

    Raises:
        InputError: if none can be read.
    """
    chosen = video.Video().chosen(Items("", video.Video.kind, films))
    return chosen.frames / chosen.rate


def sounds_of(items: Items) -> tuple[Items, Rows] | None:
    """The sound of the first clip of films, or of parts of films, and the index of each one's sound, -1 if it has none;
    None if fewer than two have sound.

    Args:
        items: films.
    """
    films: Films = items.items
    heard = _with_sound(films)
    if heard.sum() < 2:
        return None
    chosen = films.only(np.flatnonzero(heard).tolist())
    seconds = clip_seconds(films)
    ends = tuple(replace(film, end=min(film.end, film.begin + seconds)) for film in chosen.films)
    tracks = Soundtracks(films.path, chosen.names, replace(chosen, films=ends))
    rows = np.where(heard, np.cumsum(heard) - 1, MISSING)
    return Items(items.name, "audio", tracks), rows


def _with_sound(films: Films) -> NDArray[np.bool_]:
    """Which of the films have a sound track."""
    av_files.library()  # raises if it is missing
    heard = np.zeros(len(films), bool)
    files = [i for i, film in enumerate(films.films) if film.form == "film"]
    for parts, film in films.read(files):
        try:
            with av_files.opened(_content(film), film.contents[0][0]) as file:
                heard[parts] = len(file.streams.audio) > 0
        except InputError:
            continue
    return heard


def read(path: Path) -> Items | None:
    """The films of a folder, an archive or a file in consecutive clips, each with its sound and, if there are classes,
    that of its folder; None if the films have no sound.

    Whole films are held out if there are at least twenty of them, otherwise clips.

    Raises:
        InputError: if there are films that cannot be used.
    """
    found = video.reading.found(path)
    if found is None or not _with_sound(found).any():
        return None
    name = video.reading.name_of(path)
    clips, films = _in_clips(found)
    items = Items(name, video.Video.kind, clips)
    sounds = sounds_of(items)
    if sounds is None:
        return None
    origins = np.arange(len(clips))
    parts, rows = {FILM: items, SOUND: sounds[0]}, {FILM: origins, SOUND: sounds[1]}
    labels, classes, held = classify(found.names)
    if labels is not None:
        parts[LABEL], rows[LABEL] = table_of_classes(name, classes), labels[films]
    if held is None and len(found) >= MIN_ITEMS:
        whole = Items(name, video.Video.kind, found, labels, classes)
        held = np.isin(np.arange(len(found)), split_items(whole).held)
    notes = (f"{len(found):,} films with sound: {len(clips):,} clips of {clip_seconds(found):.2g} seconds",)
    tuples = checked(name, Tuples(parts, rows, origins))
    return Items(name, KIND, tuples, held=None if held is None else held[films], notes=notes)


def _in_clips(films: Films) -> tuple[Films, NDArray[np.int64]]:
    """Films in consecutive parts of the length of a clip, and the film of each."""
    chosen = video.Video().chosen(Items("", video.Video.kind, films))
    parts: list[Film] = []
    names: list[str] = []
    of: list[int] = []
    for (i, *_), film in films.read():
        count = max(1, int(video.reading.seconds_of(film) * chosen.rate / chosen.frames + 1e-6))
        for k in range(count):
            begin, end = (place * chosen.frames / chosen.rate for place in (k, k + 1))
            parts.append(replace(films.films[i], begin=begin, end=end))
            names.append(films.names[i] if count == 1 else f"{films.names[i]} from {begin:.1f} s")
            of.append(i)
    return replace(films, films=tuple(parts), names=tuple(names)), np.array(of, np.int64)

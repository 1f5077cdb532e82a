"""What the films of a data set need: size, channels, rate, and the length of clips."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from statistics import median

import numpy as np

from sparring.errors import InputError
from sparring.modalities.images.decoding import needed_channels, squared, with_channels
from sparring.modalities.video import av_files
from sparring.modalities.video.films import STILL_RATE, Films, Readable

MAX_EXAMINED = 64  # films that are decoded to choose settings
MAX_FRAMES = 64  # of each that are decoded for it
SIDE = 32  # pixels of the frames that are compared
MAX_LOOP = 32  # frames of a film that may be a loop
CLOSES = 1.5  # difference of the last and the first frame / largest difference of neighbors, up to which a film is one
MIN_LOOPS = 0.8  # share of loops from which clips are loops
STANDARD_FRAMES = 16  # of a clip of longer films
MAX_SIDE = 64  # pixels to which frames are scaled, unless a size is given
WANTED_CLIPS = 1000  # clips of few films overlap until there are so many
MIN_TRANSPARENT = 0.5  # share of transparent films from which transparency is learned
MAX_RATE = 100.0  # frames per second


@dataclass(frozen=True)
class Header:
    """Properties of a film.

    Attributes:
        width, height: of its frames in pixels.
        channels: number of channels that its first frames need: 4 if any pixel is transparent, 1 if there is no color.
        colors: the same on white.
        seconds: its length, as far as it is known.
        rate: frames per second; 0 if frames have no times.
        even: True if all frames are shown for about the same time.
        frames: number of its frames; 0 if it is longer than what was decoded.
        still: True if no frame differs from the first.
        closes: True if its first frame follows its last one as the others follow each other.
    """

    width: int
    height: int
    channels: int
    colors: int
    seconds: float
    rate: float
    even: bool
    frames: int
    still: bool
    closes: bool


def examine_some(films: Films) -> tuple[Header, ...]:
    """Properties of some of the films, evenly spaced over all.

    Raises:
        InputError: if none can be read.
    """
    return _examined(films, films.modified)


@lru_cache(maxsize=8)  # a data set is fitted, encoded and described
def _examined(films: Films, modified: str) -> tuple[Header, ...]:  # noqa: ARG001
    firsts = [group[0] for group in films.groups()]
    wanted = firsts[:: max(1, len(firsts) // MAX_EXAMINED)]
    headers: list[Header] = []
    problems: list[str] = []
    for (i, *_), film in films.read(wanted):
        try:
            headers.append(examine(film))
        except InputError as error:
            problems.append(f"{films.names[i]}: {error}")
    if not headers:
        raise InputError(f"{films.path}: none of its films can be read ({problems[0]}); repair or replace them")
    return tuple(headers)


def examine(film: Readable) -> Header:
    """Properties of a film by its first frames.

    Raises:
        InputError: if it cannot be read, or has only one frame.
    """
    shown: list[tuple[float, float]] = []
    thumbnails, channels, colors = [], 1, 1
    for i, frame in enumerate(islice(film.frames(STILL_RATE), MAX_FRAMES + 1)):
        shown.append((frame.begin, frame.end))
        size = frame.image.size
        thumbnails.append(squared(frame.image, SIDE, 3).astype(np.float32))
        if i % 8 == 0:
            channels = max(channels, needed_channels(frame.image))
            colors = max(colors, needed_channels(with_channels(frame.image, 3)))
    if len(shown) < 2:
        raise InputError("it has one frame only")
    whole = len(shown) <= MAX_FRAMES
    small = np.stack(thumbnails)
    differences = np.abs(np.diff(small, axis=0)).mean((1, 2, 3))
    closing = float(np.abs(small[-1] - small[0]).mean())
    durations = [round(end - begin, 3) for begin, end in shown]
    end = shown[-1][1]
    rate = _rate(film, durations) if film.film.timed else 0.0
    return Header(
        *size,
        channels=channels,
        colors=colors,
        seconds=end if whole else max(end, declared_seconds(film)),
        rate=rate,
        even=not film.film.timed or max(durations[:-1]) < 1.5 * min(durations[:-1]),
        frames=len(shown) if whole else 0,
        still=not differences.any(),
        closes=whole and 4 <= len(shown) <= MAX_LOOP and 0 < closing <= CLOSES * float(differences.max()),
    )


def _rate(film: Readable, durations: Sequence[float]) -> float:
    """Frames per second: of an animation by its usual delay, since frames that do not change may be merged."""
    if film.film.form == "animation":
        return 1 / Counter(durations).most_common(1)[0][0]
    name, content = film.contents[0]
    assert not isinstance(content, tuple)
    with av_files.opened(content, name) as clip:  # type: ignore[arg-type]
        return float(av_files.rate_of(clip))


def declared_seconds(film: Readable) -> float:
    """Length of a film in seconds, as its file declares it; 0 if it does not."""
    name, content = film.contents[0]
    if film.film.form != "film":
        return 0.0
    with av_files.opened(content, name) as clip:  # type: ignore[arg-type]
        return av_files.seconds_of(clip)


@dataclass(frozen=True)
class Chosen:
    """What was chosen from the data."""

    size: int
    channels: int
    rate: float
    frames: int
    loop: bool
    stride: int


def choose(
    films: Films, size: int, channels: int, alpha: bool | None, rate: float, frames: int, loop: bool | None
) -> Chosen:
    """Settings of clips, of which those that are given are kept.

    Args:
        size, channels, rate, frames: 0 to choose.
        alpha, loop: None to choose.

    Raises:
        InputError: if none of the films can be used.
    """
    headers = examine_some(films)
    sides = [min(h.width, h.height) for h in headers]
    one = sides[0] if len(set(sides)) == 1 else 0
    if not size:
        size = one if 0 < one <= MAX_SIDE else max(4, min(MAX_SIDE, 2 ** int(np.log2(np.median(sides)))))
    share = sum(h.channels == 4 for h in headers) / len(headers)
    learned = share >= MIN_TRANSPARENT if alpha is None else alpha
    channels = channels or (4 if learned else max(h.colors for h in headers))
    timed = [h.rate for h in headers if h.rate]
    rate = rate or min(MAX_RATE, float(f"{median(timed):.5g}") if timed else STILL_RATE)
    lengths = [max(1, round(h.seconds * rate) if h.rate else h.frames) for h in headers]
    loops = sum(h.closes for h in headers) / len(headers) >= MIN_LOOPS
    if loop is None:
        loop = loops and len(set(lengths)) == 1 and frames in (0, lengths[0])
    frames = frames or (lengths[0] if loop and len(set(lengths)) == 1 else min(STANDARD_FRAMES, int(median(lengths))))
    frames = max(2, frames)
    total = float(np.mean(lengths)) * len(films.groups())
    stride = frames if loop else max(1, min(frames, int(total // WANTED_CLIPS)))
    return Chosen(size, channels, rate, frames, loop, stride)


def notes_on(films: Films, chosen: Chosen) -> tuple[str, ...]:
    """What was decided about films, for the user, one line each."""
    headers = examine_some(films)
    notes = []
    rates = sorted({float(f"{h.rate:.4g}") for h in headers if h.rate})
    uneven = sum(not h.even for h in headers)
    if not rates:
        notes.append(f"frames have no times: taken as {chosen.rate:g} a second (rate=N)")
    elif len(rates) > 1 or uneven or abs(rates[0] - chosen.rate) > 0.01 * chosen.rate:
        found = f"from {rates[0]:g} to {rates[-1]:g}" if len(rates) > 1 else f"{rates[0]:g}"
        varying = f", {uneven} of {len(headers)} with uneven times" if uneven else ""
        notes.append(f"frames per second {found}{varying}: all are brought to {chosen.rate:g} (rate=N)")
    many = f"clips of {chosen.frames} frames, {chosen.frames / chosen.rate:.2g} seconds"
    notes.append(f"{many}{', taken as loops (loop=false: not)' if chosen.loop else ''} (frames=N)")
    if 0 < chosen.stride < chosen.frames:
        notes.append(f"the films are few: clips overlap, one begins every {chosen.stride} frames")
    transparent = sum(h.channels == 4 for h in headers)
    if transparent:
        kept = "alpha is learned as a fourth channel (alpha=false places them on white)"
        lost = "placed on white (alpha=true learns transparency as a fourth channel)"
        notes.append(f"{transparent} of {len(headers)} films are transparent: {kept if chosen.channels == 4 else lost}")
    return tuple(notes)


def listed_sizes(headers: Sequence[Header]) -> str:
    """Sizes of films, for a table."""
    counts = Counter((h.width, h.height) for h in headers).most_common()
    return ", ".join(f"{w} x {h} ({n})" for (w, h), n in counts[:3]) + (", ..." if len(counts) > 3 else "")

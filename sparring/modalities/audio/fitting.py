"""What the sounds of a data set need: rate, channels, length, and the level of what is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from math import ceil

import numpy as np

from sparring.data.sources import Content, FileSource, Unreadable, map_files
from sparring.errors import InputError
from sparring.modalities.audio.decoding import loaded

MAX_EXAMINED = 512  # files that are decoded to choose rate, channels and length
COVERED = 0.95  # share of the sounds that are not cut
MAX_PROPOSED = 2.0  # seconds of the proposed length
RECORDING = 6.0  # seconds; if most files are longer, they are recordings, which are cut into pieces
MAX_PIECES = 500  # of a recording
STEPS = 8  # a length is a multiple of a power of two, of which it has at least so many
MIN_LENGTH, MAX_LENGTH = 256, 2**20  # samples that models generate
MIN_RATE, MAX_RATE = 1000, 192_000
DEEP = 24  # bits that are written if most files have more than 16


@dataclass(frozen=True)
class Header:
    """What is known of a file besides its samples."""

    rate: int
    channels: int
    frames: int
    bits: int
    peak: float

    @property
    def seconds(self) -> float:
        return self.frames / self.rate


def examine(content: Content) -> Header | Unreadable:
    """The header of a file."""
    sound = loaded(content)
    if isinstance(sound, Unreadable):
        return sound
    frames, channels = sound.samples.shape
    return Header(sound.rate, channels, frames, sound.bits, sound.peak)


def examine_some(files: FileSource) -> tuple[Header, ...]:
    """The headers of some files, evenly spaced over all.

    Raises:
        InputError: if none can be read.
    """
    return _examined(files, files.modified)


@lru_cache(maxsize=8)  # a data set is fitted, encoded and described
def _examined(files: FileSource, modified: str) -> tuple[Header, ...]:  # noqa: ARG001
    wanted = set(range(0, len(files), max(1, ceil(len(files) / MAX_EXAMINED))))
    with ThreadPoolExecutor() as pool:
        results = list(map_files(files, examine, pool, wanted))
    headers = [result for _, result in results if isinstance(result, Header)]
    if not headers:
        first, why = next((i, r.why) for i, r in results if isinstance(r, Unreadable))
        raise InputError(
            f"{files.path}: none of its sounds can be read ({files.names[first]}: {why}); repair or replace them"
        )
    return tuple(headers)


def rate_for(headers: Sequence[Header]) -> int:
    """The rate that most files have; of several, the highest."""
    counted = Counter(header.rate for header in headers)
    return max(counted, key=lambda rate: (counted[rate], rate))


def channels_for(headers: Sequence[Header]) -> int:
    """2 if most files are stereo."""
    return 2 if 2 * sum(header.channels == 2 for header in headers) > len(headers) else 1


def proposed_length(headers: Sequence[Header], rate: int) -> int:
    """Samples that cover nearly all files, rounded up so that nets can double and halve them."""
    seconds = min(MAX_PROPOSED, float(np.quantile([header.seconds for header in headers], COVERED)))
    return rounded_up(max(MIN_LENGTH, ceil(seconds * rate)))


def pieces_for(headers: Sequence[Header], seconds: float) -> int:
    """Number of pieces that recordings are cut into; 1 if the files are single sounds.

    Args:
        seconds: length of a piece.
    """
    durations = [header.seconds for header in headers]
    if np.median(durations) <= RECORDING:
        return 1
    return min(MAX_PIECES, ceil(float(np.quantile(durations, COVERED)) / seconds))


def rounded_up(length: int) -> int:
    """A multiple of the largest power of two that is at most an eighth of it."""
    unit = 1 << max(1, length // STEPS).bit_length() - 1
    return -(-length // unit) * unit


def checked_length(seconds: float, rate: int) -> int:
    """The samples of a duration.

    Raises:
        InputError: if no model can generate as many, or as few.
    """
    length = round(seconds * rate)
    if not MIN_LENGTH <= length <= MAX_LENGTH:
        low, high = MIN_LENGTH / rate, MAX_LENGTH / rate
        raise InputError(
            f"seconds={seconds:g} is {length:,} samples at {rate:,} Hz, which models cannot generate; give {low:.2g} "
            f"to {high:.3g}, or another rate"
        )
    return length


def bits_for(headers: Sequence[Header]) -> int:
    """Bits of a sample in files that are written."""
    return DEEP if 2 * sum(header.bits > 16 for header in headers) > len(headers) else 16


def notes_on(
    headers: Sequence[Header], total: int, rate: int, channels: int, length: int, pieces: int = 1
) -> tuple[str, ...]:
    """What was decided about sounds, for the user, one line each.

    Args:
        total: number of files.
        rate, channels, length, pieces: as they are read.
    """
    of = f"of {len(headers):,} {'examined ' if len(headers) < total else ''}sounds"
    whole = pieces * length
    longer = sum(header.seconds > whole / rate + 0.5 / rate for header in headers)
    shorter = sum(header.seconds < length / rate - 0.5 / rate for header in headers)
    notes = [
        f"{length:,} samples at {rate:,} Hz ({length / rate:.2f} s): {longer:,} {of} are longer and cut, {shorter:,} "
        "shorter and padded with silence"
    ]
    if pieces > 1:
        notes = [
            f"recordings are cut into up to {pieces:,} pieces of {length:,} samples at {rate:,} Hz "
            f"({length / rate:.2f} s); {longer:,} {of} are longer than all pieces and cut"
        ]
    other = Counter(header.rate for header in headers if header.rate != rate)
    if other:
        listed = ", ".join(f"{count:,} at {found:,} Hz" for found, count in other.most_common(4))
        notes.append(f"mixed rates: {listed} {of} are resampled to {rate:,} Hz")
    mixed = sum(header.channels != channels for header in headers)
    if mixed:
        change = "mixed down to mono" if channels == 1 else "copied to both channels"
        notes.append(f"{mixed:,} {of} are {change}")
    return tuple(notes)

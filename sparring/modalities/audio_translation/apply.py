"""Nets that transform sounds, applied to files of any length, in memory that does not grow with it."""

from __future__ import annotations

import mmap
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sparring.data.sources import Unreadable, folder
from sparring.errors import InputError, needs
from sparring.files import atomic_path, resolved
from sparring.modalities.applying import Applied
from sparring.modalities.audio.decoding import Floats, loaded, truncated
from sparring.modalities.audio.reading import FILMS, SOUNDS, suffix
from sparring.modalities.judge import Console
from sparring.nets.chunks import chunked
from sparring.nets.tiles import Mapper

FORMATS = {".wav": "PCM_16", ".flac": "PCM_16", ".ogg": "VORBIS"}  # that are written, and their usual samples
KEPT = ("PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE")  # kinds of samples that are kept if the format has them
BLOCK = 2**16  # frames that are read at once
WRITTEN = 4096  # frames that are written at once; libsndfile fails on long blocks of .ogg

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Opened:
    """A sound whose samples are read block by block.

    Attributes:
        rate, channels, frames: of the sound.
        subtype: kind of its samples, as soundfile names it.
        blocks: yields its samples, (frames, channels) each.
    """

    rate: int
    channels: int
    frames: int
    subtype: str
    blocks: Callable[[], Iterator[Floats]]

    @property
    def seconds(self) -> float:
        return self.frames / self.rate


@dataclass
class Written:
    """What became of a sound.

    Attributes:
        seconds: its length.
        peak: highest level, before it is cut at full scale.
    """

    seconds: float
    peak: float = 0.0


def transform(mapper: Mapper, source: Path, out: Path, console: Console, rate: int) -> Applied:
    """Write the result of a net for a sound, or for all sounds below a folder, each with its own number of channels and
    its exact length. Files of a lower rate than the net's get that; others keep their own.

    Args:
        mapper: its net takes single channels (n, 1, samples).
        rate: that the net works at.

    Raises:
        InputError: if the source cannot be used, or `out` does not fit the source.
    """
    _check(source, out)
    began = time.monotonic()
    if source.is_dir():
        done = _transform_folder(mapper, source, out, console, rate)
    else:
        with console.progress(f"applying to {source.name}") as progress:
            done = [_transform_file(mapper, source, out, rate, console, progress)]
    took, seconds = time.monotonic() - began, sum(written.seconds for written in done)
    console.say(f"{seconds:,.1f} s of sound in {took:,.1f} s: real-time factor {took / max(seconds, 1e-9):.3f}")
    loud = [written.peak for written in done if written.peak > 1]
    if loud:
        console.say(f"{len(loud)} of {len(done)} results exceed full scale (up to {max(loud):.2f}) and are cut there")
    return Applied(len(done), "sound" if len(done) == 1 else "sounds")


def _check(source: Path, out: Path) -> None:
    """Check that `out` fits the source."""
    if source.is_dir():
        if out.is_file() or out.suffix.lower() in FORMATS:
            raise InputError(f"{out} is the name of a file and {source} is a folder; give a folder")
    elif out.is_dir() or out.suffix.lower() not in FORMATS:
        raise InputError(f"{out} does not fit {source}; give a name that ends in {', '.join(FORMATS)}")


def _transform_folder(mapper: Mapper, source: Path, out: Path, console: Console, rate: int) -> list[Written]:
    own = resolved(out)  # which may be in the source, with earlier results
    names = folder(source, lambda name: suffix(name) in (*SOUNDS, *FILMS)).names
    names = tuple(name for name in names if own not in resolved(source / name).parents)
    if not names:
        raise InputError(f"{source} holds no sounds; give a folder of sounds (.wav, .flac, .mp3, ...)")
    done, skipped = [], []
    with console.progress(f"applying to {source.name}") as progress:
        for i, name in enumerate(names):
            place = out / (name if suffix(name) in FORMATS else f"{name}.wav")
            try:
                done.append(_transform_file(mapper, source / name, place, rate, None, lambda *_: None))
            except InputError as error:
                skipped.append(str(error))
            progress(i + 1, len(names))
    if not done:
        raise InputError(f"none of the {len(names)} sounds in {source} can be used; {skipped[0]}")
    for line in skipped:
        console.say(f"skipped: {line}")
    return done


def _transform_file(
    mapper: Mapper, source: Path, out: Path, rate: int, console: Console | None, progress: Progress
) -> Written:
    """One sound."""
    sound = opened(source)
    final = max(rate, sound.rate)
    if console is not None and sound.rate != rate:
        lost = f"; nothing above {rate / 2:,.0f} Hz is kept" if sound.rate > rate else f", and so is {out.name}"
        console.say(f"{source.name} has {sound.rate:,} Hz, and the model works at {rate:,} Hz{lost}")
    frames = round(sound.frames * final / sound.rate)
    written = Written(sound.seconds)
    blocks = _resampled(sound.blocks(), sound.rate, rate, sound.channels)
    parts = chunked(mapper, (torch.from_numpy(np.ascontiguousarray(block.T))[:, None] for block in blocks))
    results = _resampled((_as_frames(part) for part in parts), rate, final, sound.channels)
    _write(out, _sized(results, frames, sound.channels), final, sound, written, lambda at: progress(at, frames))
    return written


def applied(mapper: Mapper, samples: Floats) -> Floats:
    """The result of a net for samples (frames, channels) at its rate."""
    x = torch.from_numpy(np.ascontiguousarray(samples.T, np.float32))[:, None]
    return _as_frames(torch.cat(list(chunked(mapper, [x])), -1))


def _as_frames(x: Tensor) -> Floats:
    """(channels, 1, samples) as (samples, channels)."""
    return np.ascontiguousarray(x[:, 0].T.numpy())


def opened(path: Path) -> Opened:
    """A sound file.

    Raises:
        InputError: if it cannot be read.
    """
    soundfile = needs("soundfile", "audio", "reads sounds")
    if not path.stat().st_size:
        raise InputError(f"{path} cannot be used: the file is empty")
    with path.open("rb") as file, closing(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)) as content:
        missing = truncated(content)  # type: ignore[arg-type]
    if missing:
        raise InputError(f"{path} cannot be used: {missing}")
    try:
        info = soundfile.info(str(path))
    except (soundfile.SoundFileError, RuntimeError, TypeError):
        return _opened_whole(path)
    if not info.frames:
        raise InputError(f"{path} cannot be used: it has a length of 0 seconds")
    blocks = partial(_blocks, soundfile, path)
    return Opened(int(info.samplerate), int(info.channels), int(info.frames), str(info.subtype), blocks)


def _blocks(soundfile: Any, path: Path) -> Iterator[Floats]:
    try:
        with soundfile.SoundFile(str(path)) as file:
            while len(block := file.read(BLOCK, dtype="float32", always_2d=True)):
                yield np.nan_to_num(block, nan=0.0, posinf=1.0, neginf=-1.0)
    except soundfile.SoundFileError as error:
        raise InputError(f"{path} cannot be used: damaged: {error}") from error


def _opened_whole(path: Path) -> Opened:
    """A file of another format, such as .m4a, which is decoded as a whole."""
    sound = loaded(path.read_bytes())
    if isinstance(sound, Unreadable):
        raise InputError(f"{path} cannot be used: {sound.why}")
    frames, channels = sound.samples.shape
    return Opened(sound.rate, channels, frames, "PCM_16", lambda: iter([sound.samples]))


def _resampled(blocks: Iterable[Floats], rate: int, to: int, channels: int) -> Iterator[Floats]:
    """Blocks (frames, channels) at another rate."""
    if rate == to:
        yield from blocks
        return
    stream = needs("soxr", "audio", "changes the rate of sounds").ResampleStream(rate, to, channels, dtype="float32")
    for block in blocks:
        yield np.asarray(stream.resample_chunk(block, last=False)).reshape(-1, channels)
    yield np.asarray(stream.resample_chunk(np.zeros((0, channels), np.float32), last=True)).reshape(-1, channels)


def _sized(blocks: Iterable[Floats], frames: int, channels: int) -> Iterator[Floats]:
    """Blocks with exactly so many frames in all."""
    left = frames
    for block in blocks:
        yield block[:left]
        left -= min(left, len(block))
    if left:
        yield np.zeros((left, channels), np.float32)


def _write(
    out: Path, blocks: Iterable[Floats], rate: int, like: Opened, written: Written, progress: Callable[[int], None]
) -> None:
    """Write blocks (frames, channels) in the format of a path's suffix, with samples like those of another sound."""
    soundfile = needs("soundfile", "audio", "writes sounds")
    form = out.suffix.removeprefix(".").upper()
    usual = FORMATS[out.suffix.lower()]
    lossless = usual != "VORBIS" and like.subtype in KEPT
    subtype = like.subtype if lossless and soundfile.check_format(form, like.subtype) else usual
    top = 1.0 if subtype in ("FLOAT", "DOUBLE") else 1 - 2.0 ** (1 - (24 if subtype == "PCM_24" else 16))
    done = 0
    with atomic_path(out) as part:
        try:
            with soundfile.SoundFile(str(part), "w", rate, like.channels, subtype=subtype, format=form) as file:
                for block in blocks:
                    written.peak = max(written.peak, float(np.abs(block).max(initial=0.0)))
                    for start in range(0, len(block), WRITTEN):
                        file.write(block[start : start + WRITTEN].clip(-1, top))
                    done += len(block)
                    progress(done)
        except soundfile.SoundFileError as error:
            raise InputError(f"{out} cannot be written: {error}") from error

"""From the bytes of a file to samples of one rate, one number of channels and one length."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from sparring.data import store
from sparring.data.sources import Content, FileSource, Unreadable
from sparring.data.store import Decoded, Progress
from sparring.errors import needs

Floats = NDArray[np.float32]

VERSION = 1  # of the decoder; a new one decodes all files again
MAX_CHANNELS = 2
MAX_SECONDS = 3600.0  # longer files are recordings to be cut first
SILENCE = 10 ** (-80 / 20)  # peak below which a file is silent
FULL_SCALE = 32767
CLIPPED_LEVEL = 0.999  # of the peak,
CLIPPED_RUN = 4  # at which so many samples in a row are clipped
QUIET_PIECE = 10 ** (-40 / 20)  # peak of a piece relative to its recording, below which it is left out
FADE = 0.005  # seconds at the end of a sound that is cut
UNKNOWN_SIZES = (0, 0x7FFFFFFF, 0xFFFFFFFF)  # of the data in a wav that was streamed
FILM_MARKS = ((4, b"ftyp"), (0, b"\x1a\x45\xdf\xa3"), (0, b"\xff\xf1"), (0, b"\xff\xf9"), (8, b"AVI "), (0, b"0&\xb2u"))
DEPTHS = {"PCM_S8": 8, "PCM_U8": 8, "PCM_24": 24, "PCM_32": 32, "FLOAT": 32, "DOUBLE": 64}  # bits; 16 for all others


@dataclass(frozen=True)
class Sound:
    """A decoded file.

    Attributes:
        samples: (frames, channels), full scale at 1; floats in files may exceed it.
        rate: frames per second.
        bits: of a sample in the file.
    """

    samples: Floats
    rate: int
    bits: int

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate

    @property
    def peak(self) -> float:
        return float(np.abs(self.samples).max(initial=0.0))


def loaded(content: Content) -> Sound | Unreadable:
    """The sound in a file, with at most two channels."""
    if isinstance(content, Unreadable):
        return content
    if not content:
        return Unreadable("the file is empty")
    if missing := truncated(content):
        return Unreadable(missing)
    in_container = any(content[place:].startswith(mark) for place, mark in FILM_MARKS)
    sound = _from_container(content) if in_container else _from_file(content)
    return sound if isinstance(sound, Unreadable) else _checked(sound)


def _checked(sound: Sound) -> Sound | Unreadable:
    channels = sound.samples.shape[1]
    if not len(sound.samples):
        return Unreadable("it has a length of 0 seconds")
    if channels > MAX_CHANNELS:
        return Unreadable(f"it has {channels} channels; mono and stereo are read")
    if sound.seconds > MAX_SECONDS:
        return Unreadable(f"it lasts {sound.seconds / 60:,.0f} minutes; cut it into parts")
    if not np.isfinite(sound.samples).all():
        return Unreadable("it holds samples that are not finite")
    return Unreadable("it is silent") if sound.peak < SILENCE else sound


def _from_file(content: bytes) -> Sound | Unreadable:
    soundfile = needs("soundfile", "audio", "reads sounds")
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            if file.channels > MAX_CHANNELS:  # before it fills the memory
                return Unreadable(f"it has {file.channels} channels; mono and stereo are read")
            if file.frames > MAX_SECONDS * file.samplerate:
                return Unreadable(f"it lasts {file.frames / file.samplerate / 60:,.0f} minutes; cut it into parts")
            samples = file.read(dtype="float32", always_2d=True)
            declared, rate, bits = file.frames, file.samplerate, DEPTHS.get(file.subtype, 16)
            exact = file.format in ("FLAC", "WAV", "AIFF")
    except (soundfile.SoundFileError, RuntimeError, ValueError) as error:
        return Unreadable(f"not a sound, or damaged: {str(error).partition(': ')[2] or error}")
    if exact and len(samples) < declared:
        return Unreadable(_cut_off(declared / rate, len(samples) / rate))
    return Sound(samples, int(rate), bits)


def _from_container(content: bytes) -> Sound | Unreadable:
    """The first sound track of an .m4a file or a film."""
    av = needs("av", "video", "reads .m4a files and the sound of films")
    try:
        with av.open(io.BytesIO(content)) as file:
            if not file.streams.audio:
                return Unreadable("it has no sound track")
            stream = file.streams.audio[0]
            channels, rate = stream.codec_context.channels, stream.codec_context.sample_rate
            if channels > MAX_CHANNELS:
                return Unreadable(f"it has {channels} channels; mono and stereo are read")
            resampler = av.AudioResampler(format="fltp")
            frames = [f for frame in file.decode(stream) for f in resampler.resample(frame)]
            parts = [frame.to_ndarray() for frame in [*frames, *resampler.resample(None)]]
    except (av.FFmpegError, ValueError, OSError) as error:
        return Unreadable(f"not a sound, or damaged: {error}")
    samples = np.concatenate(parts, 1).T if parts else np.zeros((0, 1))
    return Sound(np.ascontiguousarray(samples, np.float32), int(rate), 16)


def truncated(content: bytes) -> str:
    """What is missing at the end of a wav or an aiff, which libraries read without a word; "" if nothing is."""
    form, order = content[:4], "big" if content[:4] == b"FORM" else "little"
    if form not in (b"RIFF", b"FORM") or content[8:12] not in (b"WAVE", b"AIFF", b"AIFC"):
        return ""
    place = 12
    while place + 8 <= len(content):
        name = content[place : place + 4]
        size = int.from_bytes(content[place + 4 : place + 8], order)  # type: ignore[arg-type]
        there = len(content) - place - 8
        if name in (b"data", b"SSND"):
            unknown = size in UNKNOWN_SIZES and there > 0
            return "" if unknown or there >= size else _cut_off_bytes(size, there)
        place += 8 + size + size % 2
    return "truncated: it has no samples"


def _cut_off(promised: float, there: float) -> str:
    return f"truncated: its header promises {promised:.2f} s, and {there:.2f} s are there"


def _cut_off_bytes(promised: int, there: int) -> str:
    return f"truncated: its header promises {promised:,} bytes of sound, and {there:,} are there"


def clipped(samples: Floats) -> bool:
    """True if samples (frames, channels) stay at their highest level several times in a row, near full scale."""
    peak = np.abs(samples).max(initial=0.0)
    if peak < 0.9:
        return False
    top = np.abs(samples) >= CLIPPED_LEVEL * peak
    runs = np.lib.stride_tricks.sliding_window_view(top, CLIPPED_RUN, 0).all(-1) if len(top) >= CLIPPED_RUN else top[:0]
    return bool(runs.any())


def resampled(samples: Floats, rate: int, to: int) -> Floats:
    """Samples (frames, channels) at another rate."""
    if rate == to:
        return samples
    soxr = needs("soxr", "audio", "changes the rate of sounds")
    changed: Floats = np.asarray(soxr.resample(samples, rate, to), np.float32).reshape(-1, samples.shape[1])
    return changed


def mixed(samples: Floats, channels: int) -> Floats:
    """Samples (frames, channels) with another number of channels: their mean, or copies."""
    if samples.shape[1] == channels:
        return samples
    mean: Floats = samples.mean(1, keepdims=True, dtype=np.float32)
    return mean.repeat(channels, 1)


def sized(samples: Floats, length: int, rate: int) -> Floats:
    """Samples (frames, channels), cut to a length with a short fade, or padded with silence."""
    if len(samples) <= length:
        return np.pad(samples, ((0, length - len(samples)), (0, 0)))
    cut = samples[:length].copy()
    fade = min(length, max(1, round(FADE * rate)))
    cut[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)[:, None]
    return cut


def uniform(content: Content, rate: int, channels: int, length: int, pieces: int = 1) -> NDArray[np.int16] | Unreadable:
    """A file as consecutive pieces (pieces, channels, length) with its peak at full scale; or why it is not read."""
    sound = loaded(content)
    if isinstance(sound, Unreadable):
        return sound
    samples = sized(resampled(mixed(sound.samples, channels), sound.rate, rate), pieces * length, rate)
    peak = float(np.abs(samples).max(initial=0.0))
    if peak < SILENCE:
        return Unreadable(f"its first {pieces * length / rate:.2f} s are silent")
    whole = np.round(samples / peak * FULL_SCALE).astype(np.int16)
    return whole.reshape(pieces, length, channels).transpose(0, 2, 1)


def decode(files: FileSource, rate: int, channels: int, length: int, pieces: int, progress: Progress) -> Decoded:
    """All files that can be read, int16 in a file of the cache: (kept, channels, length), or (kept, pieces, channels,
    length) if there are several pieces.

    Raises:
        InputError: if fewer than two can be read, or the cache cannot be written.
    """
    version = f"audio {VERSION} {rate} {channels} {length} {pieces}"
    decoder = partial(uniform, rate=rate, channels=channels, length=length, pieces=pieces)
    shape = (channels, length) if pieces == 1 else (pieces, channels, length)
    return store.decode(files, decoder, shape, "int16", version, progress)


def audible(rows: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Which pieces (files, pieces, channels, length) are not nearly silent, (files, pieces)."""
    return np.stack([np.abs(row.astype(np.int32)).max((1, 2)) > QUIET_PIECE * FULL_SCALE for row in rows])

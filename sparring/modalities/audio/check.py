"""What a data set of sounds contains, and what is wrong with it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np

from sparring.data.classes import printable
from sparring.data.items import Items
from sparring.data.sources import Content, Unreadable, map_files
from sparring.data.store import Progress, no_progress
from sparring.errors import InputError
from sparring.modalities.audio import fitting
from sparring.modalities.audio.decoding import SILENCE, clipped, loaded
from sparring.modalities.audio.fitting import Header
from sparring.modalities.base import Words
from sparring.modalities.survey import Survey, class_counts, listed

SHORT = 0.1  # share of the proposed length below which a sound is short
QUIET = 0.05  # peak below which a sound is quiet
OFFSET = 0.02  # mean, as a share of the peak, from which a sound has an offset
FEW = 100  # sounds, below which samples are close to them


@dataclass(frozen=True)
class Measured:
    """A sound that can be read.

    Attributes:
        header: its rate, channels, length, bits and peak.
        silence: share of the samples at its end that are silent.
        clipped: True if it stays at full scale.
        offset: mean of the samples / peak.
        digest: the same for the same samples, whatever the format.
    """

    header: Header
    silence: float
    clipped: bool
    offset: float
    digest: bytes


def measure(content: Content) -> Measured | Unreadable:
    """One file."""
    sound = loaded(content)
    if isinstance(sound, Unreadable):
        return sound
    x = sound.samples
    frames, channels = x.shape
    loud = np.flatnonzero((np.abs(x) > max(SILENCE, 0.001 * sound.peak)).any(1))
    rounded = np.round(x.clip(-1, 1) * 32767).astype(np.int16)
    return Measured(
        header=Header(sound.rate, channels, frames, sound.bits, sound.peak),
        silence=1 - (int(loud[-1]) + 1) / frames,
        clipped=clipped(x),
        offset=abs(float(x.mean())) / sound.peak,
        digest=blake2b(rounded.tobytes(), digest_size=12).digest(),
    )


@dataclass(frozen=True, kw_only=True)
class AudioSurvey(Survey):
    """What a data set of sounds contains.

    Attributes:
        measured: the sounds that can be read, by name.
        rate, length: proposed for training.
    """

    measured: Mapping[str, Measured]
    rate: int
    length: int

    def rows(self) -> list[tuple[str, str]]:
        count, classes, unreadable = super().rows()
        headers = [m.header for m in self.measured.values()]
        seconds = [header.seconds for header in headers]
        peaks = 20 * np.log10([header.peak for header in headers])
        return [
            count,
            ("rates", _counted(f"{header.rate:,} Hz" for header in headers)),
            ("channels", _counted({1: "mono", 2: "stereo"}[header.channels] for header in headers)),
            ("bits", _counted(str(header.bits) for header in headers)),
            ("lengths", f"{min(seconds):.2f} to {max(seconds):.2f} s, median {np.median(seconds):.2f} s, 95% up to "
                        f"{np.quantile(seconds, 0.95):.2f} s"),
            ("peaks", f"{peaks.min():.1f} to {peaks.max():.1f} dB, median {np.median(peaks):.1f} dB"),
            classes,
            unreadable,
            ("short", listed(self.named(lambda m: m.header.seconds < SHORT * self.length / self.rate))),
            ("quiet", listed(self.named(lambda m: m.header.peak < QUIET))),
            ("clipped", listed(self.named(lambda m: m.clipped))),
            ("half silent", listed(self.named(lambda m: m.silence > 0.5))),
            ("offset", listed(self.named(lambda m: m.offset > OFFSET))),
            ("duplicates", listed([" = ".join(group[:3]) for group in self.duplicates])),
        ]  # fmt: skip

    def named(self, of: Any) -> list[str]:
        """Names of the sounds for which a condition holds."""
        return [name for name, measured in self.measured.items() if of(measured)]

    @property
    def duplicates(self) -> list[list[str]]:
        """Names of sounds with the same samples, by group."""
        groups: dict[bytes, list[str]] = defaultdict(list)
        for name, measured in self.measured.items():
            groups[measured.digest].append(name)
        return [group for group in groups.values() if len(group) > 1]

    def advice(self) -> list[str]:
        advice = list(self.notes)
        if self.unreadable:
            advice.append("training skips unreadable files, and names them")
        if self.duplicates:
            count = sum(len(group) - 1 for group in self.duplicates)
            advice.append(f"{count:,} duplicates may be both trained on and held out; remove them")
        if loud := len(self.named(lambda m: m.clipped)):
            advice.append(f"{loud:,} are clipped, and samples will be clipped as often")
        advice += super().advice()
        if self.count < FEW:
            advice.append(f"{self.count} sounds are few: samples will be close to them")
        return advice

    def content(self) -> dict[str, Any]:
        sounds = {
            name: {
                "rate": m.header.rate, "channels": m.header.channels, "seconds": round(m.header.seconds, 4),
                "bits": m.header.bits, "peak": round(m.header.peak, 5), "clipped": m.clipped,
                "silence_at_end": round(m.silence, 3),
            }
            for name, m in self.measured.items()
        }  # fmt: skip
        return {
            **super().content(), "rate": self.rate, "length": self.length, "duplicates": self.duplicates,
            "sounds": sounds,
        }  # fmt: skip


def survey(items: Items, data: str, progress: Progress = no_progress) -> Survey:
    """Read and measure all sounds of a data set.

    Raises:
        InputError: if none can be read.
    """
    results: dict[int, Measured | Unreadable] = {}
    with ThreadPoolExecutor() as pool:
        for i, result in map_files(items.items, measure, pool):
            results[i] = result
            progress(len(results), len(items))
    names = [printable(name) for name in items.items.names]
    gone = Unreadable("no longer there")
    unreadable = [(i, r) for i in range(len(items)) if isinstance(r := results.get(i, gone), Unreadable)]
    good = [i for i in range(len(items)) if isinstance(results.get(i), Measured)]
    if not good:
        first, why = unreadable[0][0], unreadable[0][1].why
        raise InputError(f"{data}: none of its sounds can be read ({names[first]}: {why}); repair or replace them")
    measured = {names[i]: m for i in good if isinstance(m := results[i], Measured)}
    headers = [m.header for m in measured.values()]
    rate, channels = fitting.rate_for(headers), fitting.channels_for(headers)
    length = fitting.proposed_length(headers, rate)
    pieces = fitting.pieces_for(headers, length / rate)
    return AudioSurvey(
        items=items,
        data=data,
        words=Words("sound", "sounds"),
        count=len(good),
        classes=class_counts(items, np.array(good)),
        held=0 if items.held is None else int(items.held[good].sum()),
        unreadable=tuple((names[i], r.why) for i, r in unreadable),
        notes=fitting.notes_on(headers, len(headers), rate, channels, length, pieces),
        measured=measured,
        rate=rate,
        length=length,
    )


def _counted(values: Any) -> str:
    counted: Sequence[tuple[str, int]] = Counter(values).most_common(6)
    return ", ".join(f"{value} ({count:,})" for value, count in counted)

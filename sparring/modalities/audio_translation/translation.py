"""What all kinds of sounds that are generated from given ones share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import log2
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from sparring.data.items import Items
from sparring.data.split import Split
from sparring.data.tensors import CONDITION, VALUES, Tensors
from sparring.errors import InputError
from sparring.layers.stft import STFT
from sparring.modalities.applying import Applied
from sparring.modalities.audio import Audio, drawing, fitting, spectra
from sparring.modalities.audio_translation.apply import applied, transform
from sparring.modalities.audio_translation.segments import random_gain, random_parts, read_all
from sparring.modalities.base import Encoded, Recommendation, Source, Words
from sparring.modalities.judge import Console
from sparring.modalities.survey import Survey
from sparring.nets.tiles import Mapper

if TYPE_CHECKING:
    from sparring.data.store import Progress
    from sparring.modalities.judge import Judge, TrainingData

SEGMENT = 0.5  # seconds of a segment, about
SPARE = 4  # a stored segment is longer by its length / SPARE, so that its beginning is random
GAIN = 18.0  # decibels by which sounds are made quieter at random, so that nets know all levels
MAX_JUDGED = 20.0  # seconds of a sound that are judged
MIN_SEGMENT = 1024  # samples

Restorer = Callable[[Tensor], Tensor]  # given (1, given, length) -> sound (1, 1, samples)


@dataclass(frozen=True)
class AudioTranslation(Audio):
    """Segments of single channels; the sounds of a stereo file are transformed one by one.

    Attributes:
        size: samples of a frame of the short-time Fourier transform; 0 for about 32 ms.
        hop: samples between two frames; 0 for a quarter of a frame.
    """

    reads: ClassVar[tuple[str, ...]] = ("audio",)
    files: ClassVar[str] = ""
    sets: ClassVar[Mapping[str, Callable[[], Items]]] = {}
    hub_task: ClassVar[str] = "audio-to-audio"
    words: ClassVar[Words] = Words("sound", "sounds", "segments", compared="log-mel levels in bands and spans of time")
    preview_items: ClassVar[int] = 6
    applied_media: ClassVar[Mapping[str, str]] = {"audio/wav": ".wav", "audio/flac": ".flac"}
    speech_metrics: ClassVar[tuple[str, ...]] = ("pesq", "stoi", "si_sdr")  # of those that are computed

    size: int = 0
    hop: int = 0

    @classmethod
    def read(cls, path: Path) -> Items | None:  # noqa: ARG003
        """None: files of sounds are read by `Audio`, and this kind is fitted to the items of that."""
        return None

    @classmethod
    def recommend(cls, items: Items, device: str, seconds: float | None) -> Recommendation | None:  # noqa: ARG003
        return None

    @classmethod
    def survey(cls, items: Items, data: str, progress: Progress | None = None) -> Survey:
        raise NotImplementedError(f"{data} is surveyed as {items.kind}")

    @property
    def stft(self) -> STFT:
        """The transform that nets see or generate."""
        return STFT(self.size, self.hop)

    @property
    @abstractmethod
    def source(self) -> Source: ...

    @property
    def kept(self) -> int:
        """Samples of a stored segment."""
        return self.length + self.length // SPARE

    def fit(self, items: Items) -> Self:
        headers = fitting.examine_some(items.items)
        rate = self.rate or fitting.rate_for(headers)
        if not fitting.MIN_RATE <= rate <= fitting.MAX_RATE:
            raise InputError(
                f"rate={rate} is out of range; give {fitting.MIN_RATE:,} to {fitting.MAX_RATE:,} samples a second"
            )
        size = self.size or spectra.frame_size(rate)
        hop = self.hop or size // 4
        try:
            STFT(size, hop)
        except ValueError as error:
            raise InputError(f"frame={size} and hop={hop} do not fit: {error}") from error
        wanted = self.seconds * rate if self.seconds else 2 ** round(log2(SEGMENT * rate))
        length = -(-round(wanted) // hop) * hop
        if not max(MIN_SEGMENT, 2 * size) <= length <= fitting.MAX_LENGTH:
            low, high = max(MIN_SEGMENT, 2 * size) / rate, fitting.MAX_LENGTH / rate
            raise InputError(f"seconds={self.seconds:g} is out of range; give {low:.3g} to {high:.3g}")
        return replace(
            self, rate=rate, channels=1, length=length, size=size, hop=hop, bits=fitting.bits_for(headers), gain=1.0
        )

    def encoded(self, segments: Mapping[int, Any], skipped: Sequence[tuple[str, str]], items: Items) -> Encoded:
        """Segments of all sounds in one tensor.

        Args:
            segments: int16 (n, parts, kept), by the index of their sound.

        Raises:
            InputError: if fewer than two sounds can be read.
        """
        found = {i: segments[i] for i in sorted(segments) if len(segments[i])}
        if len(found) < 2:
            why = f" ({skipped[0][0]}: {skipped[0][1]})" if skipped else ""
            raise InputError(f"{len(found)} sounds of {items.name!r} can be used{why}; give at least two")
        counts = [len(part) for part in found.values()]
        note = (
            f"{sum(counts):,} segments of {self.length:,} samples at {self.rate:,} Hz ({self.length / self.rate:.2f} s)"
        )
        values = torch.from_numpy(np.concatenate(list(found.values())))
        return Encoded({VALUES: values}, np.repeat(np.array(list(found), np.int64), counts), 1, tuple(skipped), (note,))

    def augmented(self, encoded: Tensor) -> Tensor:
        """Random parts of stored segments at random levels, as networks see them: (n, parts, length)."""
        return random_gain(self.scale(random_parts(encoded, self.length)), GAIN)

    def draw_batch(self, samples: Tensors, batch: Mapping[str, Tensor]) -> Image.Image:
        """Given sounds, if they are such, generated ones and the targets, side by side."""
        columns = [samples[VALUES], batch[VALUES]]
        if batch[CONDITION].shape[1:] == batch[VALUES].shape[1:]:
            columns.insert(0, batch[CONDITION])
        waves = torch.stack(columns, 1).flatten(0, 1).float().cpu().clamp(-1, 1)
        pictures = drawing.pictures(waves.mT.numpy(), self.rate)
        names = ("given", "generated", "target")[-len(columns) :] * len(samples[VALUES])
        return drawing.grid(pictures, len(columns), self.rate, self.duration, names)

    @abstractmethod
    def examples(self, items: Items, trained_on: bool) -> Iterator[tuple[Tensor, Tensor]]:
        """Given items, (1, given, length), and their targets, (1, 1, samples): whole sounds, always the same.

        Args:
            trained_on: True if a model was trained on these items, so that only held-out ones are used.
        """

    def whole(self, items: Items, indices: Sequence[int]) -> Iterator[tuple[int, Tensor]]:
        """Sounds by their index as single channels (1, 1, samples), whose length is a multiple of the hop."""
        for i in indices:
            sounds, _ = read_all(items.items, [i], self.rate, lambda *_: None)
            for samples in sounds.values():
                mono = samples[: round(MAX_JUDGED * self.rate)].mean(1)
                length = len(mono) // self.hop * self.hop
                if length >= 2 * self.size:
                    yield i, torch.from_numpy(mono[:length].copy())[None, None]

    @abstractmethod
    def baselines(self) -> dict[str, Restorer]:
        """Methods that need no training, by name."""

    def heard(self, mapper: Mapper) -> Mapper:
        """A net that takes sounds, for a net that takes given items."""
        return mapper

    def transform(
        self,
        mapper: Mapper,
        source: Path,
        out: Path,
        console: Console,
        mask: Path | None = None,  # noqa: ARG002
        smooth: bool = True,  # noqa: ARG002
        asked: Mapping[str, Any] = {},  # noqa: ARG002
    ) -> Applied:
        return transform(self.heard(mapper), source, out, console, self.rate)

    def smallest_item(self, mapper: Mapper) -> NDArray[Any]:  # noqa: ARG002
        return np.zeros((2 * self.size, 1), np.float32)

    def transform_item(self, mapper: Mapper, item: NDArray[Any]) -> NDArray[Any]:
        if item.ndim != 2 or not len(item):
            raise InputError(f"a sound of shape {tuple(item.shape)} was given; give (frames, channels)")
        return applied(self.heard(mapper), item)

    def judge(self, training: TrainingData, against: Items | None, options: Mapping[str, Any], say: Any) -> Judge:
        from sparring.modalities.audio_translation.judge import judge_for

        return judge_for(self, training, against, options, say)


def unseen(items: Items, split: Split, trained_on: bool) -> list[int]:
    """Indices of the items that a model was not trained on: the held-out ones if it was trained on these data;
    otherwise those that the data hold out for testing, or all.
    """
    if not trained_on and items.held is None:
        return sorted({*split.train.tolist(), *split.held.tolist()})
    return sorted(split.held.tolist())

"""Sounds that are generated from their own log-mel spectrograms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Self

import torch
from torch import Tensor

from sparring.data.items import Items
from sparring.data.store import Progress, no_progress
from sparring.data.tensors import CONDITION, VALUES, Tensors
from sparring.errors import InputError
from sparring.layers.stft import Bands, area_filters, area_log_mel, log_mel, mel_filters
from sparring.modalities.audio.spectra import griffin_lim
from sparring.modalities.audio_translation.segments import by_channel, read_all
from sparring.modalities.audio_translation.translation import AudioTranslation, Restorer, unseen
from sparring.modalities.base import Encoded, Source, Words
from sparring.nets.tiles import Mapper

LOW_RATE = 12_000  # samples per second below which fewer bands suffice
MELS, FEW_MELS = 80, 40


@dataclass(frozen=True)
class Vocoded(AudioTranslation):
    """Segments of sounds; the condition of each is its log-mel spectrogram.

    Attributes:
        mels: bands of the spectrograms; 0 for 80, or 40 below 12 kHz.
        bands: what a band is: "mean" for the mean magnitude, "area" for the area under the magnitudes.
        high: upper end of the bands in Hz; 0 for half the rate.
    """

    kind: ClassVar[str] = "vocoded"
    speech_metrics: ClassVar[tuple[str, ...]] = ("pesq", "stoi")  # SI-SDR says nothing of generated phases

    mels: int = 0
    bands: Bands = "mean"
    high: float = 0.0

    @cached_property
    def filters(self) -> Tensor:
        high = self.high or None
        if self.bands == "area":
            return area_filters(self.rate, self.size, self.mels, high)
        return mel_filters(self.rate, self.size, self.mels, high=high)

    @property
    def source(self) -> Source:
        what = "mean magnitudes" if self.bands == "mean" else "areas under magnitudes"
        values = f"natural logarithms of {what}, -11.5 for silence"
        words = Words("spectrogram", "spectrograms")
        return Source((self.mels, self.length // self.hop), words, scale=self.hop, values=values)

    def fit(self, items: Items) -> Self:
        fitted = super().fit(items)
        mels = self.mels or (FEW_MELS if fitted.rate < LOW_RATE else MELS)
        if mels > fitted.size // 2:
            raise InputError(
                f"mels={mels} was given for frames of {fitted.size} samples; give {fitted.size // 2} at most"
            )
        if self.high > fitted.rate / 2:
            raise InputError(f"high={self.high:g} is above half the rate; give {fitted.rate / 2:g} at most")
        return replace(fitted, mels=mels)

    def encode(self, items: Items, progress: Progress = no_progress) -> Encoded:
        """Segments int16 (n, 1, kept).

        Raises:
            InputError: if fewer than two sounds can be read.
        """
        sounds, skipped = read_all(items.items, range(len(items)), self.rate, progress)
        return self.encoded({i: by_channel(s, self.kept) for i, s in sounds.items()}, skipped, items)

    def batch(self, tensors: Mapping[str, Tensor]) -> Tensors:
        sounds = self.augmented(tensors[VALUES])
        return {**tensors, VALUES: sounds, CONDITION: self.spectrogram(sounds)}

    def spectrogram(self, sounds: Tensor) -> Tensor:
        """Sounds (n, 1, samples) -> log-mel spectrograms (n, mels, frames)."""
        log = log_mel if self.bands == "mean" else area_log_mel
        return log(sounds[:, 0], self.stft, self.filters.to(sounds.device))

    def examples(self, items: Items, trained_on: bool) -> Iterator[tuple[Tensor, Tensor]]:
        for _, sound in self.whole(items, unseen(items, self.split(items), trained_on)):
            yield self.spectrogram(sound), sound

    def baselines(self) -> dict[str, Restorer]:
        back, unit = torch.linalg.pinv(self.filters), self.size / 2 if self.bands == "mean" else 1.0

        def restore(mel: Tensor) -> Tensor:
            magnitude = (back @ mel.exp()).clamp(min=0) * unit
            return griffin_lim(magnitude, self.stft)[:, None]

        return {"griffin_lim": restore}

    def heard(self, mapper: Mapper) -> Mapper:
        """Sounds become spectrograms first. A frame depends on its samples, and so does the frame before."""
        assert mapper.reach is not None

        def vocoded(x: Tensor) -> Tensor:
            y: Tensor = mapper.net(self.spectrogram(x))
            return y[..., : x.shape[-1]]

        return replace(
            mapper, net=vocoded, channels=1, times=1, stride=self.hop, reach=mapper.reach * self.hop + 2 * self.size
        )

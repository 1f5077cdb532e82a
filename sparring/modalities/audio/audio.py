"""Sounds of one rate, one number of channels and one length."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from sparring.data.items import Items
from sparring.data.store import Progress, no_progress
from sparring.data.tensors import VALUES, Tensors
from sparring.errors import InputError
from sparring.modalities.audio import drawing, fitting, reading, spectra, writing
from sparring.modalities.audio.check import survey
from sparring.modalities.audio.decoding import FULL_SCALE, audible, decode
from sparring.modalities.base import Encoded, Modality, Recommendation, Samples, Words, Writer
from sparring.modalities.samples import labeled_arrays, write_arrays, write_png
from sparring.modalities.survey import Survey

if TYPE_CHECKING:
    from sparring.modalities.judge import Judge, TrainingData

Form = Literal["wave", "mel"]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Audio(Modality):
    """Sounds; networks receive waveforms (channels, length) with their peak at 1, or square pictures of their log-mel
    levels (channels, side, side), both in [-1, 1].

    Attributes:
        rate: samples per second; 0 to choose it from the data.
        channels: 1 or 2; 0 to choose it from the data.
        seconds: length of a sound; 0 to choose it from the data.
        form: "wave" or "mel".
        side: bands and frames of a picture; for "mel".
        length: samples of a sound.
        pieces: number of sounds that a recording of the data is cut into; 1 for data of single sounds.
        bits: of a sample in files that are written, 16 or 24.
        gain: peak of sounds that are written: the median of the data.
    """

    kind: ClassVar[str] = "audio"
    words: ClassVar[Words] = Words("sound", "sounds", compared="log-mel levels in bands and spans of time")
    features_name: ClassVar[str] = "mels"
    shown_as: ClassVar[Literal["image", "table", "audio", "video"]] = "audio"
    preview_items: ClassVar[int] = 24
    walk_grid: ClassVar[tuple[int, int]] = (3, 8)
    neighbor_grid: ClassVar[tuple[int, int]] = (6, 4)
    film_items: ClassVar[int] = 4
    distance_words: ClassVar[str] = "root mean squares of the differences of their log-mel levels, in nepers"
    files: ClassVar[str] = "a folder, zip or tar of sounds (.wav, .flac, .mp3, .ogg, .m4a, ...)"
    sets: ClassVar[Mapping[str, Callable[[], Items]]] = reading.SETS

    rate: int = 0
    channels: int = 0
    seconds: float = 0.0
    form: Form = "wave"
    side: int = 0
    length: int = 0
    pieces: int = 1
    bits: int = 16
    gain: float = 1.0

    @classmethod
    def read(cls, path: Path) -> Items | None:
        return reading.read(path)

    @classmethod
    def recommend(cls, items: Items, device: str, seconds: float | None) -> Recommendation | None:  # noqa: ARG003
        if items.kind != cls.kind:
            return None
        return Recommendation("audio", "sounds: their complex spectra, so that phases are learned too")

    @classmethod
    def survey(cls, items: Items, data: str, progress: Progress = no_progress) -> Survey:
        return survey(items, data, progress)

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.channels, self.length) if self.form == "wave" else (self.channels, self.side, self.side)

    @property
    def sample_shape(self) -> tuple[int, ...]:
        return (self.length, self.channels)

    @property
    def duration(self) -> float:
        """Seconds of a sound."""
        return self.length / self.rate

    @property
    def frame(self) -> int:
        """Samples of a frame of about 32 milliseconds."""
        return spectra.frame_size(self.rate)

    @property
    def pictures(self) -> spectra.MelPictures:
        """How sounds become pictures, for "mel"."""
        return spectra.MelPictures(self.rate, self.side, self.length)

    def fit(self, items: Items) -> Self:
        if self.rate and not fitting.MIN_RATE <= self.rate <= fitting.MAX_RATE:
            raise InputError(
                f"rate={self.rate} is out of range; give {fitting.MIN_RATE:,} to {fitting.MAX_RATE:,} samples a second"
            )
        if self.channels > 2:
            raise InputError(f"channels={self.channels} was given, but sounds are mono or stereo; give 1 or 2")
        headers = fitting.examine_some(items.items)
        rate = self.rate or fitting.rate_for(headers)
        length = fitting.proposed_length(headers, rate)
        if self.seconds:
            length = fitting.checked_length(self.seconds, rate)
        side = self.side or spectra.side_for(length / rate)
        if self.form == "mel" and not 16 <= side <= length // 4:
            raise InputError(f"size={side} was given for sounds of {length:,} samples; give 16 to {length // 4}")
        return replace(
            self,
            rate=rate,
            channels=self.channels or fitting.channels_for(headers),
            length=length,
            pieces=fitting.pieces_for(headers, length / rate),
            side=side if self.form == "mel" else 0,
            bits=fitting.bits_for(headers),
            gain=min(1.0, round(float(np.median([header.peak for header in headers])), 4)),
        )

    def encode(self, items: Items, progress: Progress = no_progress) -> Encoded:
        """All sounds as int16, (n, channels, length), each with its peak at full scale; of recordings the pieces that
        are not silent, with the peak of the recording at full scale.

        Raises:
            InputError: if fewer than two can be read.
        """
        decoded = decode(items.items, self.rate, self.channels, self.length, self.pieces, progress)
        headers = fitting.examine_some(items.items)
        notes = fitting.notes_on(headers, len(items), self.rate, self.channels, self.length, self.pieces)
        if self.pieces == 1:
            return Encoded({VALUES: decoded.rows}, decoded.kept, skipped=decoded.skipped, notes=notes)
        rows = decoded.rows.map()[1].numpy()
        heard = audible(rows)
        notes = (*notes, f"{heard.sum():,} pieces are used; {(~heard).sum():,} silent ones are left out")
        items_of = np.repeat(decoded.kept, heard.sum(1))
        return Encoded({VALUES: torch.from_numpy(rows[heard])}, items_of, skipped=decoded.skipped, notes=notes)

    def scale(self, encoded: Tensor) -> Tensor:
        waves = encoded.float() / FULL_SCALE
        return waves if self.form == "wave" else self.pictures.of(waves)

    def unscale(self, values: Tensor) -> Tensor:
        """Waveforms as int16. Those that exceed full scale are made quieter as a whole."""
        waves = self.waves(values)
        peaks = waves.abs().amax((1, 2), keepdim=True).clamp(min=1)
        return (waves / peaks * FULL_SCALE).round().to(torch.int16)

    def waves(self, values: Tensor) -> Tensor:
        """Waveforms (n, channels, length) of generated values."""
        return values.float() if self.form == "wave" else self.pictures.waves(values)

    def decode(self, samples: Tensors, start: int = 0) -> NDArray[np.float32]:  # noqa: ARG002
        """Sounds (n, length, channels), full scale at 1, with the level of the data."""
        encoded = self.unscale(samples[VALUES]).cpu().numpy()
        sounds: NDArray[np.float32] = encoded.transpose(0, 2, 1) * np.float32(self.gain / FULL_SCALE)
        return sounds

    def features(self, samples: Tensors) -> Tensor:
        return spectra.features(self._levels(samples, spectra.FINE_BANDS))

    def comparable(self, samples: Tensors) -> Tensor:
        levels = self._levels(samples, spectra.FINE_BANDS)
        return spectra.pooled(levels, spectra.FINE_BANDS, spectra.FINE_SEGMENTS).flatten(1)

    def _levels(self, samples: Tensors, mels: int) -> Tensor:
        """Log-mel levels (n, mels, frames), those of the pictures themselves if networks generate such."""
        if self.form == "mel":
            return self.pictures.levels(samples[VALUES]).mean(1)
        return spectra.levels(samples[VALUES].float(), self.rate, mels)

    def judge(
        self, training: TrainingData, against: Items | None, options: Mapping[str, Any], say: Say
    ) -> Judge | None:
        from sparring.modalities.audio.judge import audio_judge

        return audio_judge(self, training, against, options, say)

    def conversion(self, items: Items) -> str:
        headers = fitting.examine_some(items.items)
        same = fitting.rate_for(headers) == self.rate
        return "" if same else f"resampled to {self.rate:,} Hz"

    # Writing.

    @property
    def writers(self) -> tuple[Writer, ...]:
        wave, flac, ogg = (
            partial(writing.write_all, rate=self.rate, bits=self.bits, suffix=suffix)
            for suffix in (".wav", ".flac", ".ogg")
        )
        return (
            Writer(".wav", "audio/wav", wave),
            Writer(".flac", "audio/flac", flac),
            Writer(".ogg", "audio/ogg", ogg),
            Writer("", "", partial(writing.write_folder, rate=self.rate, bits=self.bits)),
            Writer(".png", "image/png", write_png),
            Writer(".npz", "application/x-npz", lambda s, path: write_arrays(path, **labeled_arrays(s, "sounds"))),
        )

    def as_json(self, samples: Samples) -> dict[str, Any]:
        files = [writing.as_bytes(sound, self.rate, self.bits) for sound in samples.items]
        return {"rate": self.rate, "sounds": [base64.b64encode(file).decode() for file in files]}

    def describe_values(self) -> str:
        if self.form == "wave":
            return f"waveforms at {self.rate:,} Hz with full scale at 1"
        return "log-mel levels, from -1 for silence to 1"

    # Drawing.

    def preview(self, samples: Samples) -> Image.Image:
        return drawing.sheet(samples, self.rate)

    def draw_items(self, samples: Samples) -> list[Image.Image]:
        return drawing.pictures(samples.items, self.rate)

    def draw_grid(self, samples: Tensors, columns: int, captions: Sequence[str] = ()) -> Image.Image:
        images = drawing.pictures(self.decode(samples), self.rate)
        return drawing.grid(images, columns, self.rate, self.duration, captions)

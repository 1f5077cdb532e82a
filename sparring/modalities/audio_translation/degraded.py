"""Restoration: degraded sounds, and the clean ones that they were made from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import torch
from torch import Tensor

from sparring.data.items import Items
from sparring.data.store import Progress, no_progress
from sparring.data.tensors import CONDITION, VALUES, Tensors
from sparring.errors import InputError
from sparring.layers.degrade.sounds import SoundChain, parse
from sparring.modalities.audio import reading
from sparring.modalities.audio_translation.baselines import identity, spectral_subtraction
from sparring.modalities.audio_translation.segments import by_channel, read_all
from sparring.modalities.audio_translation.translation import AudioTranslation, Restorer, unseen
from sparring.modalities.base import Encoded, Source
from sparring.seeds import Seeds, reseed

RECORDED = "recorded"  # the degradation that needs recordings of noise


@dataclass(frozen=True)
class DegradedAudio(AudioTranslation):
    """Segments of clean sounds; the condition of each is a degraded version of it, computed anew for every batch.

    Attributes:
        degrade: the degradation, step by step; see `sparring.layers.degrade.sounds.parse`.
        noises: folder or archive of recordings of noise, for "recorded"; "" for none.
    """

    kind: ClassVar[str] = "degraded audio"

    degrade: tuple[str, ...] = ("noise5-15",)
    noises: str = ""

    @cached_property
    def chain(self) -> SoundChain:
        """The degradation."""
        return parse(self.degrade, self.rate, self._noises() if self._recorded else None)

    @property
    def _recorded(self) -> bool:
        return any(word.startswith(RECORDED) for word in self.degrade)

    def _noises(self) -> Tensor:
        """Recordings of noise at this rate, one after the other, each with a root mean square of 1."""
        if not self.noises:
            raise InputError(f"degrade={RECORDED}... needs recordings; give noises=FOLDER")
        path = Path(self.noises)
        items = reading.read(path) if path.exists() else None
        if items is None:
            raise InputError(f"noises={self.noises} holds no sounds; give a folder, zip or tar of recordings of noise")
        sounds, _ = read_all(items.items, range(len(items)), self.rate, no_progress)
        if not sounds:
            raise InputError(f"noises={self.noises}: none of its sounds can be read; repair or replace them")
        channels = [channel for i in sorted(sounds) for channel in sounds[i].T]
        loud = [c / np.sqrt(np.square(c).mean()) for c in channels if np.abs(c).max(initial=0) > 0]
        return torch.from_numpy(np.concatenate(loud).astype(np.float32))

    @property
    def source(self) -> Source:
        return Source(self.shape, self.words, values=self.describe_values())

    def portable(self) -> Self:
        return replace(self, noises="")

    def fit(self, items: Items) -> Self:
        fitted = super().fit(items)
        _ = fitted.chain  # refused at once if it does not fit the rate
        return fitted

    def encode(self, items: Items, progress: Progress = no_progress) -> Encoded:
        """Segments of clean sounds, int16 (n, 1, kept).

        Raises:
            InputError: if fewer than two sounds can be read.
        """
        sounds, skipped = read_all(items.items, range(len(items)), self.rate, progress)
        return self.encoded({i: by_channel(s, self.kept) for i, s in sounds.items()}, skipped, items)

    def batch(self, tensors: Mapping[str, Tensor]) -> Tensors:
        clean = self.augmented(tensors[VALUES])
        return {**tensors, VALUES: clean, CONDITION: self.chain(clean)}

    def examples(self, items: Items, trained_on: bool) -> Iterator[tuple[Tensor, Tensor]]:
        for i, clean in self.whole(items, unseen(items, self.split(items), trained_on)):
            with torch.random.fork_rng([]):
                reseed(Seeds().key("example", i), clean.device)
                yield self.chain(clean), clean

    def baselines(self) -> dict[str, Restorer]:
        return {"identity": identity, "spectral_subtraction": spectral_subtraction(self.stft)}

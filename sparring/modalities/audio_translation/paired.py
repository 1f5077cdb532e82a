"""Paired sounds: each given sound has a target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from sparring.data.domains import Domains, layout_of
from sparring.data.items import Items
from sparring.data.sources import Unreadable
from sparring.data.split import Split, held_out
from sparring.data.store import Progress, no_progress
from sparring.data.tensors import CONDITION, VALUES, Tensors
from sparring.errors import InputError
from sparring.modalities.audio_translation.baselines import identity, spectral_subtraction
from sparring.modalities.audio_translation.segments import of_pair, read_all
from sparring.modalities.audio_translation.translation import AudioTranslation, Restorer, unseen
from sparring.modalities.base import Encoded, Recommendation, Source


@dataclass(frozen=True)
class PairedAudio(AudioTranslation):
    """Sounds of two folders with the same file names.

    Attributes:
        folders: names of the two folders, that of the given sounds first.
    """

    kind: ClassVar[str] = "audio pairs"

    folders: tuple[str, ...] = ()

    @classmethod
    def recommend(cls, items: Items, device: str, seconds: float | None) -> Recommendation | None:  # noqa: ARG003
        layout = layout_of(items) if items.kind in cls.reads else None
        if layout is None or not layout.known or layout.joined:
            return None
        # Pairs of which some are incomplete are recommended too, because `fit` names the missing files.
        return Recommendation(
            "audio_pairs", f"pairs of sounds in {layout.names[0]}/ and {layout.names[1]}/", priority=2
        )

    @property
    def source(self) -> Source:
        return Source(self.shape, self.words, values=self.describe_values())

    def _layout(self, items: Items) -> Domains:
        layout = layout_of(items)
        if layout is None:
            raise InputError(
                f"{items.name!r} holds no pairs: give two folders with files of the same names (input/ and target/)"
            )
        layout.check(self.words.item)
        return layout

    def fit(self, items: Items) -> Self:
        layout = self._layout(items)
        layout.pairs(self.words.item)
        return replace(super().fit(items), folders=layout.names)

    def encode(self, items: Items, progress: Progress = no_progress) -> Encoded:
        """Segments of both sounds of each pair, the target last: int16 (n, 2, kept).

        Raises:
            InputError: if a sound has no partner, or fewer than two pairs can be read.
        """
        pairs = self._layout(items).pairs(self.words.item)
        sounds, skipped = read_all(items.items, range(len(items)), self.rate, progress)
        segments = {}
        for given, target in pairs:
            if given in sounds and target in sounds:
                cut = of_pair(sounds[given], sounds[target], self.kept)
                if isinstance(cut, Unreadable):
                    skipped.append((items.items.names[given], cut.why))
                else:
                    segments[given] = cut
        return self.encoded(segments, skipped, items)

    def split(self, items: Items, readable: NDArray[np.int64] | None = None) -> Split:  # noqa: ARG002
        """The split of whole pairs, as indices of their given sounds."""
        layout = self._layout(items)
        index = np.array(layout.first, np.int64)
        held = held_out(len(index), None) if layout.held is None else layout.held[index]
        return Split(index[~held], index[held])

    def batch(self, tensors: Mapping[str, Tensor]) -> Tensors:
        given, target = self.augmented(tensors[VALUES]).chunk(2, 1)
        return {**tensors, VALUES: target, CONDITION: given}

    def examples(self, items: Items, trained_on: bool) -> Iterator[tuple[Tensor, Tensor]]:
        partners = dict(self._layout(items).pairs(self.words.item))
        for i in unseen(items, self.split(items), trained_on):
            found = dict(self.whole(items, [i, partners[i]]))
            if len(found) == 2:
                length = min(x.shape[-1] for x in found.values())
                yield found[i][..., :length], found[partners[i]][..., :length]

    def baselines(self) -> dict[str, Restorer]:
        return {"identity": identity, "spectral_subtraction": spectral_subtraction(self.stft)}

"""What both kinds of music share: how scores are read, asked for, written and drawn."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np
from PIL import Image

from sparring.data.items import Items
from sparring.data.store import Progress, no_progress
from sparring.data.tensors import VALUES, Tensors
from sparring.modalities.asks import Ask, Request
from sparring.modalities.base import Modality, Recommendation, Samples, Words, Writer
from sparring.modalities.music import reading, writing
from sparring.modalities.music.grid import TICKS
from sparring.modalities.music.score import Score
from sparring.modalities.music.sheet import draw_scores
from sparring.modalities.music.survey import MusicSurvey, survey
from sparring.modalities.samples import write_png

MAX_BARS = 500  # of a sample
MAX_DRAWN = 24  # pieces on a sheet


@dataclass(frozen=True)
class Scores(Modality):
    """Scores on a grid of equal steps.

    Attributes:
        grid: steps per quarter.
        bars: of the windows that D sees.
        transpose: move windows up or down at random, as far as the range of the data allows.
        programs: General MIDI programs of the tracks.
        names: of the tracks.
        metre: numerator and denominator.
        tempo: quarters per minute.
    """

    files: ClassVar[str] = "MIDI files (.mid), MusicXML, or tables of voices (.csv with the columns note0, note1, ...)"
    sets: ClassVar[Mapping[str, Any]] = reading.SETS
    words: ClassVar[Words] = Words("piece", "pieces", "windows", compared="pitch classes, intervals and motion")
    shown_as: ClassVar[Literal["image", "table", "audio", "video"]] = "audio"
    preview_items: ClassVar[int] = 8
    walk_grid: ClassVar[tuple[int, int]] = (2, 4)
    neighbor_grid: ClassVar[tuple[int, int]] = (3, 2)
    discrete: ClassVar[bool] = True

    grid: int = 4
    bars: int = 8
    transpose: bool = True
    programs: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    metre: tuple[int, int] = (4, 4)
    tempo: float = 100.0

    def __post_init__(self) -> None:
        for name in ("programs", "names", "metre"):
            object.__setattr__(self, name, tuple(getattr(self, name)))

    @classmethod
    def survey(cls, items: Items, data: str, progress: Progress = no_progress) -> MusicSurvey:
        return survey(cls.words, items, data, progress)

    @property
    def bar(self) -> int:
        """Steps of a bar."""
        return round(4 * self.grid * self.metre[0] / self.metre[1])

    @property
    def window(self) -> int:
        """Steps of a window."""
        return self.bars * self.bar

    @property
    def asks(self) -> tuple[Ask, ...]:
        return (LENGTH,)

    def requested(self, asked: Mapping[str, Any]) -> Request:
        bars = asked.get(LENGTH.name)
        return Request(length=None if bars is None else bars * self.bar)

    def deterministic(self) -> Any:
        return replace(self, transpose=False)

    @abstractmethod
    def score(self, codes: Any, number: int) -> Score:
        """The score of one encoded sample."""

    def decode(self, samples: Tensors, start: int = 0) -> Any:
        """Scores, an array of objects (n,)."""
        codes = self.unscale(samples[VALUES]).cpu().numpy()
        scores = np.empty(len(codes), object)
        scores[:] = [self.score(one, start + i + 1) for i, one in enumerate(codes)]
        return scores

    def described(self, number: int) -> dict[str, Any]:
        """What all generated scores have in common."""
        return {
            "name": f"piece {number}", "resolution": TICKS, "metres": ((0, *self.metre),), "tempo": self.tempo,
        }  # fmt: skip

    def preview(self, samples: Samples) -> Image.Image:
        return draw_scores(list(samples.items[:MAX_DRAWN]))

    def draw_items(self, samples: Samples) -> list[Image.Image]:
        return [draw_scores([score]) for score in samples.items]

    @property
    def writers(self) -> tuple[Writer, ...]:
        def writer(suffix: str, media: str) -> Writer:
            return Writer(suffix, media, lambda samples, path: writing.WRITERS[suffix](list(samples.items), path))

        return (
            writer(".mid", "application/x-midi"),  # not audio/midi, since browsers do not play it
            writer(".wav", "audio/wav"),
            writer(".musicxml", "application/vnd.recordare.musicxml+xml"),
            Writer(".png", "image/png", write_png),
            writer("", ""),
        )

    def as_json(self, samples: Samples) -> dict[str, Any]:
        return {"pieces": [writing.as_json(score) for score in samples.items]}

    @property
    def sample_shape(self) -> tuple[int, ...]:
        return self.shape

    def describe_values(self) -> str:
        return "1 where a voice has a pitch"


LENGTH = Ask("length", "Bars of each piece.", "integer", low=1, high=MAX_BARS, examples=("16",))


def common(values: Sequence[Any]) -> Any:
    """The most frequent of some values, the first of equally frequent ones."""
    return Counter(values).most_common(1)[0][0]


def tempo_of(scores: Sequence[Score]) -> float:
    """The median tempo of some scores, in quarters per minute."""
    return float(np.round(np.median([score.tempo for score in scores]), 2))


def recommended(items: Items) -> Recommendation:
    """Voices if most pieces consist of them, else piano rolls."""
    from sparring.modalities.music.voices import why_no_voices

    why = [why_no_voices(score, len(items.items[0].tracks), 2) for score in items.items]
    if sum(not reason for reason in why) > len(why) / 2 and len(items.items[0].tracks) > 1:
        return Recommendation("chorale", "music of several voices: a GAN that draws them step by step")
    return Recommendation("musegan", "music whose tracks play several notes at once: piano rolls")

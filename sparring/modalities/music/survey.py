"""What a set of scores contains, for `sparring check`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sparring.data.items import Items
from sparring.data.store import Progress
from sparring.modalities.base import Words
from sparring.modalities.music.grid import place
from sparring.modalities.music.score import PITCH, START, Score
from sparring.modalities.survey import Survey, listed

GRIDS = (1, 2, 3, 4, 6, 8, 12, 24)  # steps per quarter, of which the coarsest that fits is named
FITS = 0.98  # share of the notes that begin on a grid that fits
MAX_ROWS = 4  # entries of a row


@dataclass(frozen=True, kw_only=True)
class MusicSurvey(Survey):
    """A survey of scores.

    Attributes:
        metres, tracks, programs, ranges: how often each occurs, in words.
        grid: steps per quarter of the coarsest grid on which nearly all notes begin; 0 if none fits.
        on_grid: share of the notes that begin on each grid.
        tempos: names of pieces whose tempo changes; only the first tempo is kept.
        twice: names of pieces with the same notes as an earlier one.
    """

    metres: Mapping[str, int] = field(default_factory=dict)
    tracks: Mapping[str, int] = field(default_factory=dict)
    programs: Mapping[str, int] = field(default_factory=dict)
    ranges: tuple[str, ...] = ()
    grid: int = 0
    on_grid: Mapping[int, float] = field(default_factory=dict)
    tempos: tuple[str, ...] = ()
    twice: tuple[str, ...] = ()

    def rows(self) -> list[tuple[str, str]]:
        named = f"{self.grid} steps per quarter" if self.grid else "none"
        shares = ", ".join(f"{grid}: {share:.1%}" for grid, share in self.on_grid.items() if grid in (2, 4, 12))
        return [
            *(row for row in super().rows() if row[0] != "classes"),
            ("metres", _counted(self.metres)),
            ("tracks", _counted(self.tracks)),
            ("programs", _counted(self.programs)),
            ("ranges", "; ".join(self.ranges)),
            ("grid", f"{named} (notes that begin on {shares})"),
            ("tempo changes", listed(self.tempos)),
            ("duplicates", listed(self.twice)),
        ]

    def advice(self) -> list[str]:
        advice = [] if self.grid else ["notes begin between the steps of all grids: quantize them first"]
        if self.tempos:
            advice.append("only the first tempo of a piece is kept")
        if self.twice:
            advice.append("remove duplicates, which may be held out and trained on at the same time")
        return advice + list(self.items.notes)

    def content(self) -> dict[str, Any]:
        own = {
            "metres": dict(self.metres), "tracks": dict(self.tracks), "programs": dict(self.programs),
            "ranges": list(self.ranges), "grid": self.grid,
            "on_grid": {str(grid): share for grid, share in self.on_grid.items()},
            "tempo_changes": list(self.tempos), "duplicates": list(self.twice),
        }  # fmt: skip
        return super().content() | own


def survey(words: Words, items: Items, data: str, progress: Progress) -> MusicSurvey:
    """Metres, tracks, programs, ranges and grids of a set of scores."""
    scores: Sequence[Score] = items.items
    starts = []
    for i, score in enumerate(scores):
        progress(i, len(scores))
        starts += [track.notes[:, START] / score.resolution for track in score.tracks]
    at = np.concatenate(starts)
    shares = {grid: float((np.abs(at * grid - np.round(at * grid)) < grid / 100).mean()) for grid in GRIDS}
    seen: dict[Any, str] = {}
    twice = [score.name for score in scores if seen.setdefault(_notes(score), score.name) != score.name]
    return MusicSurvey(
        items=items, data=data, words=words, count=len(scores), classes={},
        held=0 if items.held is None else int(items.held.sum()),
        metres=Counter(", ".join(dict.fromkeys(f"{a}/{b}" for _, a, b in score.metres)) for score in scores),
        tracks=Counter(str(len(score.tracks)) for score in scores),
        programs=Counter("drums" if t.drum else str(t.program) for score in scores for t in score.tracks),
        ranges=_ranges(scores),
        grid=next((grid for grid, share in shares.items() if share >= FITS), 0),
        on_grid=shares,
        tempos=tuple(score.name for score in scores if score.tempos > 1),
        twice=tuple(twice),
    )  # fmt: skip


def _notes(score: Score) -> tuple[bytes, ...]:
    return tuple(place(track, score.resolution, GRIDS[-1]).notes[:, : PITCH + 1].tobytes() for track in score.tracks)


def _ranges(scores: Sequence[Score]) -> tuple[str, ...]:
    """Lowest and highest pitch of the first, second, ... track."""
    found = []
    for i in range(min(MAX_ROWS, max(len(score.tracks) for score in scores))):
        pitches = np.concatenate([score.tracks[i].notes[:, PITCH] for score in scores if len(score.tracks) > i])
        found.append(f"track {i + 1}: {pitches.min()} to {pitches.max()}")
    return tuple(found)


def _counted(counts: Mapping[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda pair: -pair[1])
    more = "; ..." if len(ordered) > MAX_ROWS else ""
    return "; ".join(f"{name} ({n:,})" for name, n in ordered[:MAX_ROWS]) + more

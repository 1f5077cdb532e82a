"""Music of several tracks, each of which may play several notes at once: piano rolls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sparring.data.items import Items
from sparring.data.store import Progress, no_progress
from sparring.data.tensors import VALUES, Tensors
from sparring.errors import InputError
from sparring.modalities.base import Encoded
from sparring.modalities.music import reading
from sparring.modalities.music.grid import notes_of_roll, place, roll, steps_of
from sparring.modalities.music.score import PITCH, Score, Track
from sparring.modalities.music.scores import Scores, common, tempo_of

if TYPE_CHECKING:
    from sparring.modalities.judge import Judge, TrainingData

ROWS = 8  # the number of rows of a roll is a multiple of this
OCTAVE = 12
MOST = 6  # semitones by which windows are transposed at most
RARE = 0.05  # share of the pieces in which a track occurs that is left out

Slot = tuple[bool, int, int]  # drums, program, and how many tracks with the same two come before it in a piece


@dataclass(frozen=True)
class Rolls(Scores):
    """Piano rolls; networks see for each track where pitches sound and where notes begin, 1 or 0.

    Attributes:
        most: tracks at most; the most frequent ones are kept.
        slots: of the tracks that are kept.
        low, rows: lowest pitch, and number of pitches.
    """

    kind: ClassVar[str] = "rolls"
    reads: ClassVar[tuple[str, ...]] = (reading.KIND,)
    sets: ClassVar[Mapping[str, Any]] = {}
    files: ClassVar[str] = ""
    features_name: ClassVar[str] = "pitches"

    bars: int = 4
    most: int = 5
    slots: tuple[Slot, ...] = ()
    low: int = 0
    rows: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        slots: tuple[Any, ...] = tuple((bool(drum), int(program), int(i)) for drum, program, i in self.slots)
        object.__setattr__(self, "slots", slots)

    @property
    def shape(self) -> tuple[int, ...]:
        return (2 * len(self.slots), self.rows, self.window)

    def fit(self, items: Items) -> Self:
        scores: list[Score] = list(items.items)
        counts = Counter(slot for score in scores for slot in slotted(score))
        kept = [slot for slot, n in counts.most_common(self.most) if n >= RARE * len(scores)]
        slots = tuple(sorted(kept))
        found = [track for score in scores for slot, track in slotted(score).items() if slot in slots]
        pitches = np.concatenate([track.notes[:, PITCH] for track in found])
        low, high = int(pitches.min()), int(pitches.max())
        rows = -(-(high - low + 1) // ROWS) * ROWS
        names = [[score[slot].name for score in map(slotted, scores) if slot in score] for slot in slots]
        return replace(
            self,
            slots=slots,
            low=max(0, min(low, 128 - rows)),
            rows=rows,
            programs=tuple(program for _, program, _ in slots),
            names=tuple(common(of_slot) for of_slot in names),
            metre=common([score.metre for score in scores]),
            tempo=tempo_of(scores),
        )

    def planes(self, score: Score) -> NDArray[np.uint8]:
        """The roll of a whole score, (2 x tracks, rows, steps)."""
        steps, tracks = steps_of(score, self.grid), slotted(score)
        empty = np.zeros((2, self.rows, steps), np.uint8)
        parts = [
            roll(place(tracks[slot], score.resolution, self.grid), steps, self.low, self.low + self.rows - 1)
            if slot in tracks
            else empty
            for slot in self.slots
        ]
        return np.concatenate(parts)

    def encode(self, items: Items, progress: Progress = no_progress) -> Encoded:
        """Windows that begin on every second bar line, or on every one if they have one bar."""
        windows, owners, skipped = [], [], []
        moved = lost = total = others = 0
        for i, score in enumerate(items.items):
            progress(i, len(items))
            kept = {slot: track for slot, track in slotted(score).items() if slot in self.slots}
            spans = in_metre(score, self.metre, self.grid)
            starts = [s for a, b in spans for s in range(a, b - self.window + 1, self.bar * min(2, self.bars))]
            if not kept or not starts:
                why = f"it has no {self.bars} bars of {self.metre[0]}/{self.metre[1]} in a row" if kept else "no track"
                skipped.append((score.name, why))
                continue
            placed = [place(track, score.resolution, self.grid) for track in kept.values()]
            total += sum(len(track.notes) for track in kept.values())
            moved, lost = moved + sum(p.moved for p in placed), lost + sum(p.lost for p in placed)
            others += len(score.tracks) - len(kept)
            planes = torch.from_numpy(self.planes(score))
            windows += [planes[:, :, s : s + self.window] for s in starts]
            owners += [i] * len(starts)
        if not windows:
            name, why = skipped[0]
            raise InputError(f"{items.name!r} has no piece that can be used: {name}: {why}")
        notes = [
            f"grid: {self.grid} steps per quarter; of {total:,} notes, {moved:,} begin or end between steps and are "
            f"moved, {lost:,} fall between steps and are left out; velocities are not learned",
            f"tracks: {', '.join('drums' if d else f'program {p}' for d, p, _ in self.slots)}; "
            f"metre {self.metre[0]}/{self.metre[1]}",
        ]
        notes += [f"{others:,} other tracks are left out (tracks=N keeps more)"] if others else []
        return Encoded({VALUES: torch.stack(windows)}, np.array(owners), skipped=tuple(skipped), notes=tuple(notes))

    def batch(self, tensors: Mapping[str, Tensor]) -> Tensors:
        rolls = tensors[VALUES]
        rolls = self.transposed(rolls) if self.transpose else rolls
        return {**tensors, VALUES: self.scale(rolls)}

    def transposed(self, rolls: Tensor) -> Tensor:
        """Each sample moved by a random number of semitones, as far as its range allows; drums are not moved."""
        drums = torch.tensor([drum for drum, _, _ in self.slots for _ in range(2)], device=rolls.device)
        used = (rolls * ~drums[:, None, None]).amax((1, 3)) > 0  # (n, rows)
        place = torch.arange(self.rows, device=rolls.device)
        highest = torch.where(used, place, 0).amax(1)
        lowest = torch.where(used, place, self.rows - 1).amin(1)
        up, down = (self.rows - 1 - highest).clamp(0, MOST), lowest.clamp(0, MOST)
        by = (torch.rand(len(rolls), device=rolls.device) * (up + down + 1)).long() - down
        rows = (place - by[:, None]) % self.rows
        moved = rolls.gather(2, rows[:, None, :, None].expand_as(rolls))
        return torch.where(drums[:, None, None], rolls, moved)

    def scale(self, encoded: Tensor) -> Tensor:
        return encoded.float()

    def unscale(self, values: Tensor) -> Tensor:
        planes = (values > 0.5).to(torch.uint8)
        planes[:, 1::2] &= planes[:, ::2]  # a note begins only where it sounds
        return planes

    def score(self, codes: Any, number: int) -> Score:
        planes = np.asarray(codes, bool)
        tracks = tuple(
            Track(notes_of_roll(planes[2 * i], planes[2 * i + 1], self.low, self.grid), program, drum, name)
            for i, ((drum, program, _), name) in enumerate(zip(self.slots, self.names, strict=True))
        )
        return Score(tracks=tracks, **self.described(number))

    def features(self, samples: Tensors) -> Tensor:
        """For each track shares of pitch classes, sounding and starting notes by position in the bar, intervals between
        simultaneous notes, and density, (n, d).
        """
        x = samples[VALUES].float()
        sound, begin = x[:, ::2], x[:, 1::2]  # (n, tracks, rows, steps)
        classes = torch.nn.functional.one_hot((self.low + torch.arange(self.rows)) % OCTAVE, OCTAVE).to(x)
        chroma = torch.einsum("ntrs,rc->ntcs", sound, classes)
        together = chroma.sum(1)
        intervals = torch.stack([(together.roll(-k, 1) * together).sum(1) for k in range(OCTAVE)], 1)
        places = begin.sum(2).view(len(x), len(self.slots), -1, self.bar).mean(2)
        pitch = (sound * torch.linspace(0, 1, self.rows, device=x.device)[:, None]).sum((2, 3))
        count = sound.sum((2, 3))
        parts = [
            chroma.mean(3), intervals.mean(2), places, sound.sum(2).mean(2), begin.sum(2).mean(2),
            pitch / count.clamp(min=1),
        ]  # fmt: skip
        return torch.cat([part.flatten(1) for part in parts], 1)

    def judge(
        self, training: TrainingData, against: Items | None, options: Mapping[str, Any], say: Callable[[str], None]
    ) -> Judge:
        from sparring.modalities.music.rolls_judge import rolls_judge

        return rolls_judge(self, training, against, options, say)


def slotted(score: Score) -> dict[Slot, Track]:
    """The tracks of a score by drums, program, and their number among those of the same two."""
    seen: Counter[tuple[bool, int]] = Counter()
    tracks = {}
    for track in score.tracks:
        own = (track.drum, 0 if track.drum else track.program)
        tracks[(*own, seen[own])] = track
        seen[own] += 1
    return tracks


def in_metre(score: Score, metre: tuple[int, int], grid: int) -> list[tuple[int, int]]:
    """The parts of a score in a metre, each from its first bar line to its end, in steps. Bars are counted from the
    last statement of the metre, such as that after an upbeat.
    """
    scale = grid / score.resolution
    last = steps_of(score, grid)
    edges = [(round(tick * scale), (a, b)) for tick, a, b in score.metres] + [(last, (0, 0))]
    return [(begin, end) for (begin, own), (end, _) in pairwise(edges) if own == metre and end > begin]

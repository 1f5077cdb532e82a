"""Music of several voices, each of which has one note at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor

from sparring.data.items import Items
from sparring.data.store import Progress, no_progress
from sparring.data.tensors import VALUES, Tensors
from sparring.errors import InputError
from sparring.layers.voices import OCTAVE
from sparring.layers.voices import Voices as Layout
from sparring.modalities.base import Encoded, Recommendation
from sparring.modalities.music import reading
from sparring.modalities.music.grid import first_bar, notes_of_voice, ordered, place, steps_of, voice
from sparring.modalities.music.score import PITCH, Score, Track
from sparring.modalities.music.scores import Scores, common, recommended, tempo_of

if TYPE_CHECKING:
    from pathlib import Path

    from sparring.modalities.applying import Applied
    from sparring.modalities.judge import Console, Judge, Sampler, TrainingData

MOST = 6  # semitones by which windows are transposed at most


@dataclass(frozen=True)
class Music(Scores):
    """Voices on a grid; networks see one channel for each voice's rest and pitches, as in `layers.voices.Voices`.

    Attributes:
        lows, highs: range of each voice in the data.
    """

    kind: ClassVar[str] = reading.KIND
    features_name: ClassVar[str] = "intervals"
    completes: ClassVar[bool] = True

    grid: int = 2
    lows: tuple[int, ...] = ()
    highs: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("lows", "highs"):
            object.__setattr__(self, name, tuple(getattr(self, name)))

    @classmethod
    def read(cls, path: Path) -> Items | None:
        return reading.read(path)

    @classmethod
    def recommend(cls, items: Items, device: str, seconds: float | None) -> Recommendation | None:  # noqa: ARG003
        return recommended(items) if items.kind == cls.kind else None

    @cached_property
    def layout(self) -> Layout:
        """Codes and channels of the voices."""
        return Layout(self.lows, self.highs)

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.layout.channels, self.window)

    def fit(self, items: Items) -> Self:
        count = common([len(score.tracks) for score in items.items])
        usable = [score for score in items.items if not why_no_voices(score, count, self.grid)]
        if not usable:
            why = why_no_voices(items.items[0], count, self.grid)
            raise InputError(f"{items.name!r} has no piece of voices: {why}; use the recipe musegan")
        parts = [[track.notes[:, PITCH] for track in ordered(score)] for score in usable]
        voices = [np.concatenate([part[i] for part in parts]) for i in range(count)]
        tracks = [ordered(score) for score in usable]
        return replace(
            self,
            lows=tuple(int(v.min()) for v in voices),
            highs=tuple(int(v.max()) for v in voices),
            programs=tuple(common([t[i].program for t in tracks]) for i in range(count)),
            names=tuple(common([t[i].name for t in tracks]) for i in range(count)),
            metre=common([score.metre for score in usable]),
            tempo=tempo_of(usable),
        )

    def codes(self, score: Score) -> Tensor:
        """The codes of a whole score, uint8 (2 x voices, steps).

        Raises:
            InputError: if it has other voices, or pitches out of their range.
        """
        if why := why_no_voices(score, len(self.lows), self.grid):
            raise InputError(why)
        steps = steps_of(score, self.grid)
        pitched, marked = [], []
        for low, high, track in zip(self.lows, self.highs, ordered(score), strict=True):
            pitches, struck = _voice(track, score, self.grid, steps)
            if (pitches > high).any() or ((pitches < low) & (pitches > 0)).any():
                raise InputError(f"{score.name}: a voice leaves the range {low} to {high} of the training data")
            pitched.append(np.where(pitches > 0, pitches - low + 1, 0))
            marked.append(struck & (pitches > 0) & np.r_[False, pitches[1:] == pitches[:-1]])
        return torch.from_numpy(np.stack([*pitched, *marked]).astype(np.uint8))

    def encode(self, items: Items, progress: Progress = no_progress) -> Encoded:
        """All windows that begin on a beat, codes (n, 2 x voices, steps)."""
        windows, owners, skipped = [], [], []
        moved = lost = total = 0
        for i, score in enumerate(items.items):
            progress(i, len(items))
            try:
                codes = self.codes(score)
            except InputError as error:
                skipped.append((score.name, str(error).removeprefix(f"{score.name}: ")))
                continue
            if codes.shape[1] < self.window:
                skipped.append((score.name, f"it is shorter than {self.bars} bars of {self.window} steps"))
                continue
            placed = [place(track, score.resolution, self.grid) for track in score.tracks]
            total += sum(len(track.notes) for track in score.tracks)
            moved, lost = moved + sum(p.moved for p in placed), lost + sum(p.lost for p in placed)
            begin = first_bar(score, self.grid) % self.grid
            cut = codes[:, begin:].unfold(1, self.window, self.grid).transpose(0, 1).clone()
            cut[:, len(self.lows) :, 0] = 0
            windows.append(cut)
            owners += [i] * len(cut)
        if not windows:
            name, why = skipped[0]
            raise InputError(f"{items.name!r} has no piece that can be used: {name}: {why}")
        notes = (
            f"grid: {self.grid} steps per quarter; of {total:,} notes, {moved:,} begin or end between steps and are "
            f"moved, {lost:,} fall between steps and are left out{' (grid=4 keeps sixteenths)' if lost else ''}",
            f"{len(self.lows)} voices, the highest first: {', '.join(map(_named_range, self.lows, self.highs))}",
        )
        return Encoded(
            {VALUES: torch.cat(windows)}, np.array(owners), skipped=tuple(skipped), notes=notes,
        )  # fmt: skip

    def batch(self, tensors: Mapping[str, Tensor]) -> Tensors:
        codes = tensors[VALUES]
        codes = self.transposed(codes) if self.transpose else codes
        return {**tensors, VALUES: self.scale(codes)}

    def transposed(self, codes: Tensor) -> Tensor:
        """Each sample moved by a random number of semitones, so that all voices stay in their range."""
        pitches = codes[:, : len(self.lows)].long()
        tops = torch.tensor(self.layout.sizes, device=codes.device) - 1
        highest = pitches.amax(2)
        lowest = torch.where(pitches > 0, pitches, OCTAVE * OCTAVE).amin(2)
        up = (tops - highest).amin(1).clamp(0, MOST)
        down = (lowest - 1).amin(1).clamp(0, MOST)
        by = (torch.rand(len(codes), device=codes.device) * (up + down + 1)).long() - down
        moved = torch.where(pitches > 0, pitches + by[:, None, None], 0)
        return torch.cat([moved.to(torch.uint8), codes[:, len(self.lows) :]], 1)

    def scale(self, encoded: Tensor) -> Tensor:
        return self.layout.to(encoded.device).onehot(encoded)

    def unscale(self, values: Tensor) -> Tensor:
        return self.layout.codes(values)

    def pitches(self, codes: Any) -> Any:
        """Pitches (..., voices, steps) of codes, 0 for rests."""
        voices = np.asarray(codes)[..., : len(self.lows), :].astype(np.int64)
        return np.where(voices > 0, voices + np.array(self.lows)[:, None] - 1, 0)

    def matrix(self, score: Score) -> Any:
        """The pitches of a score, int64 (steps, voices), 0 for rests."""
        return self.pitches(self.codes(score).numpy()).T

    def codes_of(self, matrix: Any) -> Tensor:
        """The codes (2 x voices, steps) of pitches (steps, voices); equal pitches are held."""
        codes = np.where(matrix > 0, matrix - np.array(self.lows) + 1, 0).T
        return torch.from_numpy(np.concatenate([codes, np.zeros_like(codes)]).astype(np.uint8))

    def score(self, codes: Any, number: int) -> Score:
        pitches, marks = self.pitches(codes), codes[len(self.lows) :].astype(bool)
        tracks = tuple(
            Track(notes_of_voice(line, mark, self.grid), program, False, name)
            for line, mark, program, name in zip(pitches, marks, self.programs, self.names, strict=True)
        )
        return Score(tracks=tracks, **self.described(number))

    def features(self, samples: Tensors) -> Tensor:
        """Means over the steps of pitch classes, intervals and motion, (n, d)."""
        x = samples[VALUES].float()
        layout = self.layout.to(x.device)
        heard = layout.seen(x)[:, layout.channels :]
        pitch = torch.einsum("vp,npt->nvt", layout.pitch, x[:, : layout.places])
        return torch.cat([heard.mean(2), pitch.mean(2), pitch.std(2)], 1)

    def complete(self, model: Sampler, source: Path, out: Path, console: Console) -> Applied:
        from sparring.modalities.music.complete import complete_files

        return complete_files(self, model, source, out, console)

    def judge(
        self, training: TrainingData, against: Items | None, options: Mapping[str, Any], say: Callable[[str], None]
    ) -> Judge:
        from sparring.modalities.music.judge import music_judge

        return music_judge(self, training, against, options, say)


def _voice(track: Track, score: Score, grid: int, steps: int) -> Any:
    found = voice(place(track, score.resolution, grid), steps)
    assert found is not None  # as `why_no_voices` has found
    return found


def why_no_voices(score: Score, count: int, grid: int) -> str:
    """Why a score does not consist of so many voices, or ""."""
    if len(score.tracks) != count:
        return f"{score.name}: it has {len(score.tracks)} tracks, most pieces have {count}"
    steps = steps_of(score, grid)
    for i, track in enumerate(score.tracks):
        if track.drum or voice(place(track, score.resolution, grid), steps) is None:
            return f"{score.name}: track {i + 1} plays several notes at once"
    return ""


def _named_range(low: int, high: int) -> str:
    return f"{note(low)} to {note(high)}"


def note(pitch: int) -> str:
    """The name of a pitch, such as C4 for 60."""
    return f"{['C', 'C#', 'D', 'Eb', 'E', 'F', 'F#', 'G', 'Ab', 'A', 'Bb', 'B'][pitch % OCTAVE]}{pitch // OCTAVE - 1}"

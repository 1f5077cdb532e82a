"""Given voices are completed: a melody is harmonized."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from sparring.data.tensors import VALUES
from sparring.errors import InputError
from sparring.files import atomic_path
from sparring.modalities.applying import Applied
from sparring.modalities.judge import Console, Sampler
from sparring.modalities.music import reading, writing
from sparring.modalities.music.grid import notes_of_voice, ordered, place, steps_of, voice
from sparring.modalities.music.score import PITCH, Ints, Score, Track

if TYPE_CHECKING:
    from sparring.modalities.music.voices import Music

FARTHEST = 12  # semitones by which given voices are transposed at most, so that they fit the ranges
MAX_STEPS = 16_384


def complete_files(modality: Music, model: Sampler, source: Path, out: Path, console: Console) -> Applied:
    """Complete a score, or the scores in a folder.

    Raises:
        InputError: if one cannot be completed.
    """
    if not source.is_dir():
        writing.check_format(out.suffix.lower())
        score = completed(modality, model, reading.read_score(source.name, source.read_bytes()), console)
        with atomic_path(out) as part:
            writing.write([score], part, out.suffix.lower())
        return Applied(1, modality.words.item)
    files = sorted(p for p in source.rglob("*") if p.suffix.lower() in reading.MIDI)
    if not files:
        raise InputError(f"{source} holds no MIDI files; give a file, or a folder of them")
    for file in files:
        score = completed(modality, model, reading.read_score(file.name, file.read_bytes()), console)
        with atomic_path(out / file.relative_to(source)) as part:
            writing.write([score], part, file.suffix.lower())
    return Applied(len(files), modality.words.item if len(files) == 1 else modality.words.items)


def completed(modality: Music, model: Sampler, score: Score, console: Console) -> Score:
    """A score with all voices: those that are given, as they are, and the others from a model.

    Raises:
        InputError: if it has too many voices, plays several notes at once, or does not fit the ranges.
    """
    count, grid = len(modality.lows), modality.grid
    tracks = [track for track in ordered(score) if not track.drum]
    if not 0 < len(tracks) < count:
        raise InputError(f"{score.name} has {len(tracks)} tracks; give 1 to {count - 1}, the others are made")
    steps = steps_of(score, grid)
    if steps > MAX_STEPS:
        raise InputError(f"{score.name} has {steps:,} steps; give at most {MAX_STEPS:,}")
    lines = [voice(place(track, score.resolution, grid), steps) for track in tracks]
    if any(line is None for line in lines):
        raise InputError(f"{score.name} plays several notes at once in one track; give one voice per track")
    pitches = [line[0] for line in lines if line is not None]
    parts, by = fitting(modality, pitches, score.name)
    named = ", ".join(modality.names[part] or f"voice {part + 1}" for part in parts)
    moved = f", transposed by {by} semitones while the others are made" if by else ""
    console.say(f"{score.name}: given {named}{moved}")
    matrix, known = np.zeros((steps, count), np.int64), torch.zeros(1, count, steps, dtype=torch.bool)
    for part, line in zip(parts, pitches, strict=True):
        matrix[:, part] = np.where(line > 0, line + by, 0)
        known[:, part] = True
    values = modality.scale(modality.codes_of(matrix)[None])
    made = model.complete({VALUES: values}, known)[VALUES]
    codes = modality.unscale(made.cpu()).numpy()[0]
    return _written(modality, score, dict(zip(parts, tracks, strict=True)), codes, by)


def fitting(modality: Music, lines: Sequence[Ints], name: str) -> tuple[tuple[int, ...], int]:
    """Which voices the given lines are, from the highest to the lowest, and the smallest transposition with which they
    fit the ranges.

    Raises:
        InputError: if none does.
    """
    for by in sorted(range(-FARTHEST, FARTHEST + 1), key=abs):
        for parts in combinations(range(len(modality.lows)), len(lines)):
            sounding = [line[line > 0] + by for line in lines]
            if all(
                ((p >= modality.lows[part]) & (p <= modality.highs[part])).all()
                for part, p in zip(parts, sounding, strict=True)
            ):
                return parts, by
    ranges = "; ".join(f"{low} to {high}" for low, high in zip(modality.lows, modality.highs, strict=True))
    raise InputError(f"{name} does not fit the ranges of the voices in any transposition (pitches {ranges})")


def _written(modality: Music, score: Score, given: dict[int, Track], codes: Ints, by: int) -> Score:
    """The completed score, in ticks so fine that the steps of the grid are whole numbers of them."""
    scale = modality.grid
    made = modality.score(codes, 1)
    tracks = []
    for part, track in enumerate(made.tracks):
        if part in given:
            notes = given[part].notes * np.array([scale, scale, 1, 1])
            tracks.append(replace(given[part], notes=notes))
        else:
            pitches = modality.pitches(codes)[part]
            marks = codes[len(modality.lows) + part].astype(bool)
            notes = notes_of_voice(pitches, marks, scale, score.resolution * scale)
            notes[:, PITCH] -= by
            tracks.append(replace(track, notes=notes))
    metres = tuple((tick * scale, a, b) for tick, a, b in score.metres)
    return replace(score, tracks=tuple(tracks), resolution=score.resolution * scale, metres=metres)

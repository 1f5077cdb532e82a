"""Scores as files: MIDI, sound, MusicXML, JSON."""

from __future__ import annotations

import wave
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sparring.errors import InputError
from sparring.modalities.music import musicxml
from sparring.modalities.music.organ import RATE, played
from sparring.modalities.music.reading import library
from sparring.modalities.music.score import Ints, Score, Track

PAUSE = 1  # bars between pieces of one file


def write_midi(scores: Sequence[Score], path: Path) -> None:
    """Scores as one MIDI file, one after the other."""
    symusic = library(str(path))
    score = joined(scores)
    made = symusic.Score(score.resolution)
    made.tempos.append(symusic.Tempo(0, qpm=score.tempo))
    for tick, numerator, denominator in score.metres:
        made.time_signatures.append(symusic.TimeSignature(tick, numerator, denominator))
    if score.key is not None:
        made.key_signatures.append(symusic.KeySignature(0, score.key, 0))
    for track in score.tracks:
        part = symusic.Track(name=track.name, program=track.program, is_drum=track.drum)
        for start, end, pitch, loud in track.notes.tolist():
            part.notes.append(symusic.Note(start, end - start, pitch, loud))
        made.tracks.append(part)
    path.write_bytes(made.dumps_midi())


def write_wav(scores: Sequence[Score], path: Path) -> None:
    """Scores as sound, mono, 16 bit, played by a small organ."""
    samples = np.round(played(joined(scores)) * 32767).astype("<i2")
    with path.open("wb") as file, wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes(samples.tobytes())


def write_musicxml(scores: Sequence[Score], path: Path) -> None:
    """Scores as one MusicXML document, one after the other."""
    path.write_bytes(musicxml.document(joined(scores)))


def write_folder(scores: Sequence[Score], folder: Path) -> None:
    """A MIDI file for each score."""
    folder.mkdir(parents=True, exist_ok=True)
    digits = max(4, len(str(len(scores))))
    for i, score in enumerate(scores):
        write_midi([score], folder / f"{i + 1:0{digits}}.mid")


def joined(scores: Sequence[Score]) -> Score:
    """Scores of the same tracks one after the other, each from a bar line on, with a bar between them."""
    first = scores[0]
    numerator, denominator = first.metre
    bar = 4 * first.resolution * numerator // denominator
    begin = 0
    parts: list[list[Ints]] = [[] for _ in first.tracks]
    for score in scores:
        for part, track in zip(parts, score.tracks, strict=True):
            part.append(track.notes + np.array([begin, begin, 0, 0]))
        begin += (-(-score.length // bar) + PAUSE) * bar
    tracks = tuple(
        Track(np.concatenate(part), track.program, track.drum, track.name)
        for part, track in zip(parts, first.tracks, strict=True)
    )
    return Score(first.name, tracks, first.resolution, first.metres, first.tempo, 1, first.key)


def as_json(score: Score) -> dict[str, Any]:
    """A score as JSON: notes as [start, duration, pitch, velocity], times in quarters."""

    def notes(track: Track) -> list[list[float]]:
        return [
            [start / score.resolution, (end - start) / score.resolution, pitch, loud]
            for start, end, pitch, loud in track.notes.tolist()
        ]

    return {
        "tempo": score.tempo,
        "metre": list(score.metre),
        "tracks": [{"name": t.name, "program": t.program, "drum": t.drum, "notes": notes(t)} for t in score.tracks],
    }


WRITERS: Mapping[str, Callable[[Sequence[Score], Path], None]] = {
    ".wav": write_wav, ".mid": write_midi, ".midi": write_midi, ".musicxml": write_musicxml, "": write_folder,
}  # fmt: skip


def write(scores: Sequence[Score], path: Path, suffix: str) -> None:
    """Write scores in the format of a suffix.

    Raises:
        InputError: if there is no such format.
    """
    check_format(suffix)
    WRITERS[suffix](scores, path)


def check_format(suffix: str) -> None:
    """
    Raises:
        InputError: if scores are not written in this format.
    """
    if suffix not in WRITERS:
        raise InputError(f"scores cannot be written as {suffix}; choose from {', '.join(filter(None, WRITERS))}")

"""Small pieces of music, as files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

BASS = (48, 53, 55, 48, 45, 50, 55, 48)  # roots of chords in C major, two quarters each
VOICES = ((19, 24), (12, 16), (7, 9), (0, 0))  # semitones of each voice above the root, in turn


def midi(tracks, path: Path, resolution: int = 480, metre=(4, 4), programs=(), drums=()) -> Path:
    """Write tracks of notes (start, duration, pitch) in quarters as a MIDI file."""
    import symusic

    score = symusic.Score(resolution)
    score.time_signatures.append(symusic.TimeSignature(0, *metre))
    score.tempos.append(symusic.Tempo(0, qpm=90))
    for i, notes in enumerate(tracks):
        program = programs[i] if i < len(programs) else 0
        track = symusic.Track(name=f"part {i + 1}", program=program, is_drum=i in drums)
        for start, duration, pitch in notes:
            track.notes.append(symusic.Note(round(start * resolution), round(duration * resolution), pitch, 80))
        score.tracks.append(track)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(score.dumps_midi())
    return path


def chorale(seed: int = 0, bars: int = 4):
    """Four voices in quarters and halves, with some repeated notes, as tracks of notes."""
    random = np.random.default_rng(seed)
    shift = int(random.integers(-2, 3))
    tracks = []
    for voice, above in enumerate(VOICES):
        notes = []
        for i in range(2 * bars):
            pitch = BASS[(i + seed) % len(BASS)] + above[(i + voice) % 2] + shift
            halves = random.random() < 0.5
            notes += [(2 * i, 2, pitch)] if halves else [(2 * i, 1, pitch), (2 * i + 1, 1, pitch)]
        tracks.append(notes)
    return tracks


def chorales(folder: Path, n: int, bars: int = 4) -> Path:
    """Write n chorales to a folder."""
    for i in range(n):
        midi(chorale(i, bars), folder / f"{i:02}.mid")
    return folder

"""Scores in files: MIDI, MusicXML, and tables of voices."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from sparring.data.items import Items
from sparring.data.sources import Content, FileSource, Unreadable, archive, folder, is_visible
from sparring.errors import InputError
from sparring.files import places
from sparring.modalities.music import notation
from sparring.modalities.music.score import METRE, TEMPO, VELOCITY, Score, Track

KIND = "music"
MIDI = (".mid", ".midi", ".smf")
TABLES = (".csv",)
NOTATION = (".musicxml", ".mxl")
HEADER = b"note0"  # of a table of voices
HELD = ("test",)  # folders whose pieces are held out
SIXTEENTH = 4  # rows of a table of voices per quarter
MAX_NOTES = 1_000_000  # of a file
MAX_QUARTERS = 100_000  # of a file
MAX_NAMED = 3


def read(path: Path) -> Items | None:
    """The pieces in a file, a folder, or an archive; None if there are none.

    Raises:
        InputError: if none of the pieces can be read.
    """
    if path.is_file() and path.suffix.lower() in (*MIDI, *NOTATION, *TABLES):
        content = path.read_bytes()
        if path.suffix.lower() in TABLES and not content.startswith(HEADER):
            return None
        score = read_score(path.name, content)
        return Items(path.stem, KIND, _array([score]))
    files = _files(path)
    return None if files is None or not len(files) else _items(path, files)


def _files(path: Path) -> FileSource | None:
    """The files with pieces in a folder or an archive; tables only if there are no others."""
    for suffixes in ((*MIDI, *NOTATION), TABLES):

        def accepts(name: str, suffixes: tuple[str, ...] = suffixes) -> bool:
            return name.lower().endswith(suffixes) and is_visible(name)

        if path.is_dir():
            files: FileSource = folder(path, accepts)
        else:
            found = archive(path, accepts)
            if found is None:
                return None
            files = found[0]
        if len(files) and (suffixes is not TABLES or all(head.startswith(HEADER) for _, head in files.heads({0}))):
            return files
    return None


def _items(path: Path, files: FileSource) -> Items:
    scores, held, skipped = [], [], []
    for i, content in files.contents():
        name = files.names[i]
        try:
            scores.append(read_score(name, content))
            held.append(any(part in HELD for part in PurePosixPath(name).parts[:-1]))
        except InputError as error:
            skipped.append(str(error))
    if not scores:
        raise InputError(f"{path} holds no piece that can be read: {skipped[0]}")
    more = "; ..." if len(skipped) > MAX_NAMED else ""
    notes = [f"skipped {len(skipped):,} of {len(files):,}: {'; '.join(skipped[:MAX_NAMED])}{more}"] if skipped else []
    name = path.name.split(".")[0] if path.is_file() else path.name
    mask = np.array(held) if any(held) and not all(held) else None
    if mask is not None:
        notes.append(f"held out: the {int(mask.sum()):,} pieces of the folder {HELD[0]}")
    return Items(name or "music", KIND, _array(scores), held=mask, notes=tuple(notes))


def _array(scores: list[Score]) -> Any:
    array = np.empty(len(scores), object)
    array[:] = scores
    return array


def read_score(name: str, content: Content) -> Score:
    """The score in the content of a file.

    Raises:
        InputError: if it is damaged, or has no notes.
    """
    if isinstance(content, Unreadable):
        raise InputError(f"{name} cannot be read: {content.why}")
    readers: dict[tuple[str, ...], Callable[[str, bytes], Score]] = {TABLES: _table, NOTATION: notation.read}
    reader = next((reader for suffixes, reader in readers.items() if name.lower().endswith(suffixes)), _midi)
    score = reader(name, content)
    if score.length > MAX_QUARTERS * score.resolution:
        raise InputError(f"{name} is damaged: it has {score.length / score.resolution:,.0f} quarters; export it again")
    if not score.tracks:
        raise InputError(f"{name} has no notes; give a file with notes")
    return score


def library(name: str) -> Any:
    """The package that reads and writes MIDI.

    Args:
        name: of the file that needs it.

    Raises:
        InputError: if it is not installed.
    """
    try:
        import symusic
    except ImportError as error:
        raise InputError(f"{name}: MIDI needs the package symusic: pip install 'sparring[music]'") from error
    return symusic


def _midi(name: str, content: bytes) -> Score:
    symusic = library(name)
    if content[:4] != b"MThd":
        raise InputError(f"{name} is not a MIDI file; it does not begin with MThd")
    if len(content) >= 14 and struct.unpack(">H", content[12:14])[0] & 0x8000:
        raise InputError(f"{name} counts time in frames (SMPTE), not in quarters; export it with ticks per quarter")
    try:
        found = symusic.Score.from_midi(content)
    except Exception as error:  # its parser raises bare RuntimeErrors and ValueErrors
        raise InputError(f"{name} is damaged: {str(error).splitlines()[0]}; export it again") from error
    if found.tpq < 1 or found.note_num() > MAX_NOTES:
        raise InputError(
            f"{name} is damaged: {found.note_num():,} notes, {found.tpq} ticks per quarter; export it again"
        )
    tempos = [(int(t.time), float(t.qpm)) for t in found.tempos]
    metres = [(int(m.time), int(m.numerator), int(m.denominator)) for m in found.time_signatures]
    metres = [m for m in metres if m[1] > 0 and m[2] > 0]
    keys = [k.key for k in found.key_signatures if -7 <= k.key <= 7]
    tempo = round(min(tempos)[1], 2) if tempos else TEMPO
    return Score(
        name, tuple(t for t in map(_track, found.tracks) if len(t.notes)), int(found.tpq),
        tuple(sorted(set(metres))) or ((0, *METRE),), tempo, max(1, len(tempos)),
        keys[0] if keys else None,
    )  # fmt: skip


def _track(track: Any) -> Track:
    notes = track.notes.numpy()
    rows = np.stack([notes["time"], notes["time"] + notes["duration"], notes["pitch"], notes["velocity"]], 1)
    rows = rows.astype(np.int64)
    rows = rows[rows[:, 1] > rows[:, 0]]
    return Track(rows[np.lexsort((rows[:, 2], rows[:, 0]))], int(track.program), bool(track.is_drum), str(track.name))


def _table(name: str, content: bytes) -> Score:
    """A row per sixteenth and a column per voice: MIDI pitches, 0 for a rest. Equal pitches one after the other are one
    note, since the table does not say where notes begin.
    """
    try:
        lines = content.decode("ascii").split()
        rows = np.array([[int(cell) for cell in line.split(",")] for line in lines[1:]], np.int64)
    except (ValueError, UnicodeDecodeError) as error:
        raise InputError(f"{name} is damaged: {error}; give a column of pitches for each voice") from error
    if rows.ndim != 2 or not len(rows) or rows.min() < 0 or rows.max() > 127:
        raise InputError(f"{name} holds no rows of pitches from 0 to 127; give a column of pitches for each voice")
    tracks = []
    for voice, column in enumerate(rows.T):
        edges = np.flatnonzero(np.r_[True, column[1:] != column[:-1], True])
        starts, ends = edges[:-1], edges[1:]
        sounding = column[starts] > 0
        loud = np.full(len(starts), VELOCITY)
        notes = np.stack([starts, ends, column[starts], loud], 1)[sounding]
        tracks.append(Track(notes, 0, False, f"voice {voice + 1}"))
    return Score(name, tuple(t for t in tracks if len(t.notes)), SIXTEENTH)


def named(set_name: str, file: str) -> Callable[[], Items]:
    """Reads a set that lies in a file of the folder `music` where named sets are stored."""

    def load() -> Items:
        for place in (*places("music"), *places(set_name)):
            if (place / file).exists():
                items = read(place / file)
                assert items is not None
                return Items(set_name, KIND, items.items, held=items.held, notes=items.notes)
        raise InputError(
            f"{set_name} is not on this machine; put {file} into {places('music')[-1]}, or set SPARRING_DATA to a "
            f"folder that holds music/{file}"
        )

    return load


SETS: Mapping[str, Callable[[], Items]] = {
    "chorales": named("chorales", "jsb_chorales.tgz"),
    "nottingham": named("nottingham", "nottingham-midi.zip"),
}

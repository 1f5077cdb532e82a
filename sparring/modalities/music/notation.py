"""Scores in MusicXML, part-wise, also compressed (.mxl). Repeats are read once, grace notes and unpitched notes not."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, field
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import numpy as np

from sparring.data.tars import MAX_FILE_BYTES
from sparring.errors import InputError
from sparring.modalities.music.score import METRE, TEMPO, VELOCITY, Ints, Score, Track

NATURAL = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
RESOLUTION = 960  # ticks per quarter, into which all divisions are converted
CONTAINER = "META-INF/"


@dataclass
class Reader:
    """What is known while the measures of a part are read.

    Attributes:
        now: ticks at which the next note begins.
        last: ticks at which the last note began, for those that sound with it.
        divisions: units of a duration per quarter.
        transpose: semitones from written to sounding pitches.
        notes: start, end, pitch, velocity.
        open: index of the note of each pitch that is tied to the next one.
    """

    now: int = 0
    last: int = 0
    divisions: float = 1.0
    transpose: int = 0
    notes: list[list[int]] = field(default_factory=list)
    open: dict[int, int] = field(default_factory=dict)
    metres: list[tuple[int, int, int]] = field(default_factory=list)
    tempos: list[tuple[int, float]] = field(default_factory=list)
    keys: list[int] = field(default_factory=list)

    def ticks(self, element: Element) -> int:
        return round(float(element.findtext("duration") or 0) * RESOLUTION / self.divisions)

    def attributes(self, element: Element) -> None:
        self.divisions = float(element.findtext("divisions") or self.divisions)
        self.transpose = int(element.findtext("transpose/chromatic") or self.transpose)
        beats, unit = element.findtext("time/beats"), element.findtext("time/beat-type")
        if beats and unit:
            self.metres.append((self.now, sum(int(part) for part in beats.split("+")), int(unit)))
        if fifths := element.findtext("key/fifths"):
            self.keys.append(int(fifths))

    def note(self, element: Element) -> None:
        if element.find("grace") is not None:
            return
        length = self.ticks(element)
        start = self.last if element.find("chord") is not None else self.now
        pitch = self._pitch(element)
        ties = {tie.get("type") for tie in element.findall("tie")}
        if pitch is not None:
            begun = self.open.pop(pitch, None) if "stop" in ties else None
            if begun is not None and self.notes[begun][1] == start:
                self.notes[begun][1] = start + length
            else:
                begun = len(self.notes)
                self.notes.append([start, start + length, pitch, VELOCITY])
            if "start" in ties:
                self.open[pitch] = begun
        self.last, self.now = start, max(self.now, start + length)

    def _pitch(self, element: Element) -> int | None:
        step, octave = element.findtext("pitch/step"), element.findtext("pitch/octave")
        if step is None or octave is None:
            return None
        alter = round(float(element.findtext("pitch/alter") or 0))
        return 12 * (int(octave) + 1) + NATURAL[step] + alter + self.transpose

    def measure(self, measure: Element) -> None:
        end = begin = self.now
        for element in measure:
            if element.tag == "attributes":
                self.attributes(element)
            elif element.tag == "note":
                self.note(element)
            elif element.tag in ("backup", "forward"):
                self.now += self.ticks(element) * (-1 if element.tag == "backup" else 1)
                self.now = max(begin, self.now)
            for sound in element.iter("sound"):
                if tempo := sound.get("tempo"):
                    self.tempos.append((self.now, float(tempo)))
            end = max(end, self.now)
        self.now = end


def read(name: str, content: bytes) -> Score:
    """The score in a MusicXML document.

    Raises:
        InputError: if it is damaged, or another document.
    """
    try:
        root = ElementTree.fromstring(_document(name, content))
        if root.tag != "score-partwise":
            raise InputError(f"{name} is not part-wise MusicXML, but <{root.tag[:40]}>; export it as MusicXML")
        return _score(name, root)
    except (ElementTree.ParseError, ValueError, KeyError, ZeroDivisionError, OverflowError) as error:
        raise InputError(f"{name} is damaged: {error}; export it again") from error


def _document(name: str, content: bytes) -> bytes:
    if not name.lower().endswith(".mxl"):
        return content
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            inside = [m for m in archive.infolist() if not m.filename.startswith(CONTAINER) and not m.is_dir()]
            if not inside or inside[0].file_size > MAX_FILE_BYTES:
                raise InputError(f"{name} holds no score of a usable size; export it again")
            return archive.read(inside[0])
    except (zipfile.BadZipFile, OSError, EOFError) as error:
        raise InputError(f"{name} is damaged: {error}; export it again") from error


def _score(name: str, root: Element) -> Score:
    names = {part.get("id"): part.findtext("part-name") or "" for part in root.iter("score-part")}
    programs = {
        part.get("id"): int(part.findtext("midi-instrument/midi-program") or 1) - 1 for part in root.iter("score-part")
    }
    parts = [(part.get("id"), _read_part(part)) for part in root.findall("part")]
    tracks = [
        Track(notes, programs.get(key, 0), False, names.get(key, "").strip())
        for key, reader in parts
        if len(notes := _sorted(reader))
    ]
    metres = tuple(dict.fromkeys(m for _, reader in parts for m in reader.metres))
    tempos = [tempo for _, reader in parts for tempo in reader.tempos]
    keys = [key for _, reader in parts for key in reader.keys]
    return Score(
        name, tuple(tracks), RESOLUTION, metres or ((0, *METRE),), min(tempos)[1] if tempos else TEMPO,
        max(1, len(tempos)), keys[0] if keys else None,
    )  # fmt: skip


def _read_part(part: Element) -> Reader:
    reader = Reader()
    for measure in part.findall("measure"):
        reader.measure(measure)
    return reader


def _sorted(reader: Reader) -> Ints:
    notes = np.array(reader.notes, np.int64).reshape(-1, 4)
    notes = notes[(notes[:, 1] > notes[:, 0]) & (notes[:, 2] >= 0) & (notes[:, 2] < 128)]
    return notes[np.lexsort((notes[:, 2], notes[:, 0]))]

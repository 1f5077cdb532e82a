"""MusicXML, https://www.w3.org/2021/06/musicxml40/: scores as part-wise documents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from sparring.modalities.music.score import END, PITCH, START, Score, Track

STEPS = ("C", "C", "D", "E", "E", "F", "F", "G", "A", "A", "B", "B")  # of the pitch classes,
ALTERS = (0, 1, 0, -1, 0, 0, 1, 0, -1, 0, -1, 0)  # and by how much they are raised
TYPES = ((4.0, "whole"), (2.0, "half"), (1.0, "quarter"), (0.5, "eighth"), (0.25, "16th"), (0.125, "32nd"))
DOCTYPE = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n'
    b'<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" '
    b'"http://www.musicxml.org/dtds/partwise.dtd">\n'
)
SPLIT = 54  # mean pitch below which a part has a bass clef


@dataclass(frozen=True)
class Piece:
    """Pitches that sound together within a bar.

    Attributes:
        start, end: ticks.
        pitches: () for a rest.
        begins: pitches whose note begins here.
        goes_on: pitches whose note goes on after the end.
    """

    start: int
    end: int
    pitches: tuple[int, ...]
    begins: frozenset[int]
    goes_on: frozenset[int]


def document(score: Score) -> bytes:
    """A score as a MusicXML document."""
    root = Element("score-partwise", version="4.0")
    parts = SubElement(root, "part-list")
    for i, track in enumerate(score.tracks):
        part = SubElement(parts, "score-part", id=f"P{i + 1}")
        SubElement(part, "part-name").text = track.name or f"part {i + 1}"
    numerator, denominator = score.metre
    bar = 4 * score.resolution * numerator // denominator
    bars = max(1, -(-score.length // bar))
    for i, track in enumerate(score.tracks):
        part = SubElement(root, "part", id=f"P{i + 1}")
        for number in range(bars):
            measure = SubElement(part, "measure", number=str(number + 1))
            if number == 0:
                _attributes(measure, score, track, i == 0)
            for piece in _pieces(track, number * bar, (number + 1) * bar):
                _notes(measure, piece, score.resolution)
    ElementTree.indent(root)
    content: bytes = ElementTree.tostring(root, encoding="utf-8")
    return DOCTYPE + content + b"\n"


def _attributes(measure: Element, score: Score, track: Track, first: bool) -> None:
    attributes = SubElement(measure, "attributes")
    SubElement(attributes, "divisions").text = str(score.resolution)
    SubElement(SubElement(attributes, "key"), "fifths").text = str(score.key or 0)
    time = SubElement(attributes, "time")
    for name, value in zip(("beats", "beat-type"), score.metre, strict=True):
        SubElement(time, name).text = str(value)
    low = len(track.notes) > 0 and float(track.notes[:, PITCH].mean()) < SPLIT
    clef = SubElement(attributes, "clef")
    for name, text in (("sign", "F" if low else "G"), ("line", "4" if low else "2")):
        SubElement(clef, name).text = text
    if first:
        SubElement(measure, "sound", tempo=f"{score.tempo:g}")


def _pieces(track: Track, begin: int, end: int) -> Iterator[Piece]:
    """What sounds between two bar lines, cut wherever a note begins or ends."""
    inside = track.notes[(track.notes[:, START] < end) & (track.notes[:, END] > begin)]
    edges = sorted({begin, end, *(int(t) for t in inside[:, :2].flatten() if begin < t < end)})
    for a, b in pairwise(edges):
        sounding = inside[(inside[:, START] <= a) & (inside[:, END] >= b)]
        yield Piece(
            a, b, tuple(sorted({int(n[PITCH]) for n in sounding})),
            frozenset(int(n[PITCH]) for n in sounding if n[START] == a),
            frozenset(int(n[PITCH]) for n in sounding if n[END] > b),
        )  # fmt: skip


def _notes(measure: Element, piece: Piece, divisions: int) -> None:
    """The notes of a piece, tied where a note goes on."""
    for i, pitch in enumerate(piece.pitches or (None,)):
        note = SubElement(measure, "note")
        if i:
            SubElement(note, "chord")
        if pitch is None:
            SubElement(note, "rest")
        else:
            spelled = SubElement(note, "pitch")
            SubElement(spelled, "step").text = STEPS[pitch % 12]
            if ALTERS[pitch % 12]:
                SubElement(spelled, "alter").text = str(ALTERS[pitch % 12])
            SubElement(spelled, "octave").text = str(pitch // 12 - 1)
        SubElement(note, "duration").text = str(piece.end - piece.start)
        if pitch is not None:
            for on, kind in ((pitch not in piece.begins, "stop"), (pitch in piece.goes_on, "start")):
                if on:
                    SubElement(note, "tie", type=kind)
        _shape(note, (piece.end - piece.start) / divisions)


def _shape(note: Element, quarters: float) -> None:
    """The kind of a note head, where one or a dotted one has this length."""
    for length, name in TYPES:
        if quarters in (length, 1.5 * length):
            SubElement(note, "type").text = name
            if quarters != length:
                SubElement(note, "dot")
            return

"""Piano rolls: pitch against time, each track in its color, with the rules that it breaks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from PIL import Image, ImageDraw

from sparring.metrics import voices
from sparring.modalities.music.grid import place, steps_of, voice
from sparring.modalities.music.score import END, LOUD, PITCH, START, Score

COLORS = ((214, 69, 65), (230, 150, 40), (60, 150, 90), (50, 100, 190), (140, 80, 170), (110, 110, 110))
WRONG = (20, 20, 20)  # of parallels
CROSSED = (200, 0, 160)  # of crossing voices
PAPER, LINE, BAR, BLACK = (255, 255, 255), (236, 236, 236), (190, 190, 190), (246, 246, 250)
BLACK_KEYS = (1, 3, 6, 8, 10)
QUARTER, SEMITONE, MARGIN = 24, 5, 26  # pixels
RULES = 4  # steps per quarter in which rules are checked
OCTAVE = 12


def draw_scores(scores: Sequence[Score]) -> Image.Image:
    """Scores below one another: bars and octaves as lines, notes as boxes, parallels as black lines between the voices
    that move in parallel, crossing voices as magenta frames.
    """
    rolls = [_roll(score) for score in scores]
    width = max(roll.width for roll in rolls)
    page = Image.new("RGB", (width, sum(roll.height for roll in rolls)), PAPER)
    top = 0
    for roll in rolls:
        page.paste(roll, (0, top))
        top += roll.height
    return page


def _roll(score: Score) -> Image.Image:
    sounding = [track.notes[:, PITCH] for track in score.tracks if len(track.notes)]
    all_pitches = np.concatenate(sounding) if sounding else np.array([60])
    low, high = int(all_pitches.min()) - 2, int(all_pitches.max()) + 2
    quarters = max(1.0, score.length / score.resolution)
    image = Image.new("RGB", (MARGIN + int(np.ceil(quarters * QUARTER)) + 2, (high - low + 1) * SEMITONE + 8), PAPER)
    pen = ImageDraw.Draw(image)
    _background(pen, image, low, high, score)
    for i, track in enumerate(score.tracks):
        for note in track.notes:
            left, right = (MARGIN + int(note[k]) * QUARTER / score.resolution for k in (START, END))
            y = (high - int(note[PITCH])) * SEMITONE
            shade = 0.55 + 0.45 * min(1.0, float(note[LOUD]) / 90)
            color = tuple(round(255 - (255 - c) * shade) for c in COLORS[i % len(COLORS)])
            pen.rectangle((left, y, max(left + 1, right - 2), y + SEMITONE - 1), fill=color)
    _rules(pen, score, high)
    return image


def _background(pen: ImageDraw.ImageDraw, image: Image.Image, low: int, high: int, score: Score) -> None:
    for pitch in range(low, high + 1):
        y = (high - pitch) * SEMITONE
        if pitch % OCTAVE in BLACK_KEYS:
            pen.rectangle((MARGIN, y, image.width, y + SEMITONE - 1), fill=BLACK)
        if pitch % OCTAVE == 0:
            pen.line((MARGIN, y + SEMITONE - 1, image.width, y + SEMITONE - 1), fill=BAR)
            pen.text((2, y - 4), f"C{pitch // OCTAVE - 1}", fill=(90, 90, 90))
    numerator, denominator = score.metre
    bar = 4 * numerator / denominator
    for i in range(int(score.length / score.resolution / bar) + 2):
        x = MARGIN + i * bar * QUARTER
        pen.line((x, 0, x, image.height), fill=BAR)


def _rules(pen: ImageDraw.ImageDraw, score: Score, high: int) -> None:
    """Mark parallels and crossings, if all tracks are voices."""
    steps = steps_of(score, RULES)
    lines = [voice(place(track, score.resolution, RULES), steps) for track in score.tracks]
    if len(lines) < 2 or any(line is None for line in lines):
        return
    piece = np.stack([line[0] for line in lines if line is not None], 1)
    pairs = list(combinations(range(piece.shape[1]), 2))
    for step, k in zip(*np.nonzero(voices.parallels(piece)), strict=True):
        for part in pairs[k]:
            (x0, y0), (x1, y1) = (_spot(piece, s, part, high) for s in (step - 1, step))
            pen.line((x0, y0, x1, y1), fill=WRONG, width=2)
    for step, k in zip(*np.nonzero(voices.crossings(piece)), strict=True):
        x, y = _spot(piece, step, int(k) + 1, high)
        pen.rectangle((x - 3, y - 3, x + 3, y + 3), outline=CROSSED)


def _spot(piece: voices.Pitches, step: int, part: int, high: int) -> tuple[float, float]:
    x = MARGIN + (step + 0.5) * QUARTER / RULES
    return x, (high - int(piece[step, part]) + 0.5) * SEMITONE

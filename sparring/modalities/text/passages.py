"""What is learned of the texts of a file: each of them, or windows of one long text."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sparring.data.store import Progress
from sparring.modalities.text.texts import Texts
from sparring.modalities.text.tokens import END, Tokenizer

BLOCKS = 10  # parts of a long text, of each of which the last tenth is held out
Codes = NDArray[np.int16]
Index = NDArray[np.int64]


@dataclass(frozen=True)
class Passages:
    """Texts, and how they are cut.

    Attributes:
        texts: of the file.
        continuous: True if samples are windows of a long text.
    """

    texts: Texts
    continuous: bool

    @cached_property
    def lines(self) -> list[str]:
        """The texts; of a long text its lines with their ends, so that together they are the text."""
        if not self.continuous:
            return [text.strip() for text in self.texts.texts]
        return [text + self.texts.glue for text in self.texts.texts]

    def whole(self) -> list[str]:
        """What a vocabulary is fitted to: all texts that are not empty."""
        return [text for text in self.lines if text.strip() or self.continuous]


@dataclass(frozen=True)
class Side:
    """Texts that are trained on, or texts that are held out.

    Attributes:
        texts: n of them.
        labels: the class of each, (n,), or None.
    """

    texts: list[str]
    labels: Index | None


def is_continuous(texts: Texts, cut: Literal["auto", "lines", "windows"]) -> bool:
    """True if samples are windows of a long text."""
    return texts.continuous if cut == "auto" else cut == "windows"


def lines(
    passages: Passages, tokenizer: Tokenizer, length: int, progress: Progress
) -> tuple[Codes, Index, tuple[tuple[str, str], ...]]:
    """Codes (n, length) of texts, which are cut there, the index of each, and those that are left out and why."""
    found, rows, skipped = [], [], []
    for i, text in enumerate(passages.lines):
        progress(i, len(passages.lines))
        if not text:
            continue
        codes = tokenizer.codes(text)[: length - 1]
        if -1 in codes:
            unseen = next(t for t, code in zip(tokenizer.tokenize(text), codes, strict=False) if code < 0)
            skipped.append(
                (passages.texts.place(i), f"{unseen.strip() or unseen!r} does not occur in the training texts")
            )
            continue
        found.append(codes + [END] * (length - len(codes)))
        rows.append(i)
    return np.array(found, np.int16).reshape(-1, length), np.array(rows, np.int64), tuple(skipped)


def windows(passages: Passages, tokenizer: Tokenizer, length: int) -> tuple[Codes, Index, int]:
    """Codes (n, length) of the windows of a long text that begin with one of its lines, the index of this line, and the
    largest number of lines in a window.
    """
    parts = [tokenizer.codes(line) for line in passages.lines]
    codes = np.array([code for part in parts for code in part], np.int32)
    begins = np.concatenate([[0], np.cumsum([len(part) for part in parts])])
    full = np.array([bool(line.strip()) for line in passages.lines])
    size = length - 1
    first = np.flatnonzero(full & (begins[:-1] + size <= len(codes)))
    last = np.searchsorted(begins, begins[first] + size, "left")  # the line after a window
    if not len(first):
        return np.zeros((0, length), np.int16), first, 1
    taken = codes[begins[first][:, None] + np.arange(size)]
    known = (taken > 0).all(1)
    ended = np.pad(taken[known], ((0, 0), (0, 1))).astype(np.int16)
    return ended, first[known], int((last - first).max())


def held_lines(n: int) -> NDArray[np.bool_]:
    """Which lines of a long text are held out: the last tenth of each of ten parts."""
    place = np.arange(n) * BLOCKS % max(n, 1) / max(n, 1)
    held: NDArray[np.bool_] = (place >= 0.9) & (n >= 2 * BLOCKS)
    return held


def apart(first: Index, span: int) -> Index:
    """Windows that do not overlap, of those that begin with these lines: their positions in `first`."""
    chosen, free = [], -1
    for i, line in enumerate(first.tolist()):
        if line >= free:
            chosen.append(i)
            free = line + span
    return np.array(chosen, np.int64)


def notes_of(passages: Passages, codes: Codes, tokenizer: Tokenizer, longest: int) -> tuple[str, ...]:
    """What the user should know about how texts are read, one line each."""
    known = f"{len(tokenizer.vocabulary):,} {tokenizer.unit}"
    if passages.continuous:
        return (
            f"one long text, in windows of {codes.shape[1] - 1} {tokenizer.unit}; {known} "
            "(cut=lines learns each line, unit= and window= change the rest)",
        )
    notes = [f"each {passages.texts.unit} is a text; {known} (unit= changes them)"]
    if tokenizer.unknown > 0:
        notes.append(
            f"{(codes == tokenizer.unknown).any(1).mean():.1%} of the texts have rare {tokenizer.unit}, which are "
            "not learned"
        )
    cut = int((codes[:, -2] > 0).sum()) if codes.shape[1] == longest + 1 else 0
    if cut:
        notes.append(f"{cut:,} texts have {longest} {tokenizer.unit} or more and are cut there (longest= changes it)")
    return tuple(notes)

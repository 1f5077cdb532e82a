"""Which files and columns hold texts, and which hold tables."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import median

PROBED = 500  # lines or values by which a file or a column is recognized
SEPARATORS = (",", ";", "\t", "|")
EVEN = 0.9  # share of the lines with the same number of separators, from which a file is a table
NUMERIC = re.compile(r"[+-]?(\d[\d.,:/-]*)([eE][+-]?\d+)?%?")
MIN_DISTINCT = 0.5  # share of different values from which a column is free text
MIN_WORDS = 3  # median number of words of free text
MAX_CLASSES = 100
MIN_PER_CLASS = 2  # mean number of texts of a class
MAX_LINES, MAX_LINE = 20, 1000  # a file of so few and so long lines is one long text
MIN_BLANKS, MIN_BLANK = 5, 0.05  # blank lines, and their share, from which a file is one long text


def is_table(lines: Sequence[str]) -> bool:
    """True if the lines of a file without a telling suffix are rows of a table or numbers."""
    probed = [line for line in lines if line.strip()][:PROBED]
    if not probed:
        return False
    if _share(probed, lambda line: all(map(NUMERIC.fullmatch, re.split(r"[\s,;|]+", line.strip())))) >= EVEN:
        return True
    for separator in SEPARATORS:
        counts = Counter(line.count(separator) for line in probed)
        usual, count = counts.most_common(1)[0]
        if usual and count >= EVEN * len(probed):
            return True
    return _has_numeric_column(probed)


def _has_numeric_column(lines: Sequence[str]) -> bool:
    """True if lines have the same number of parts between spaces, and one of these is a number in most lines."""
    rows = [line.split() for line in lines]
    usual, count = Counter(map(len, rows)).most_common(1)[0]
    if usual < 2 or count < EVEN * len(rows):
        return False
    columns = zip(*(row for row in rows if len(row) == usual), strict=True)
    return any(_share(column, NUMERIC.fullmatch) >= EVEN for column in columns)


def is_continuous(lines: Sequence[str]) -> bool:
    """True if the lines of a file are parts of one long text: few and long, or in paragraphs with blank lines between
    them, some of which have several lines.
    """
    full = [bool(line.strip()) for line in lines]
    if sum(full) < MAX_LINES:
        return sum(map(len, lines)) > MAX_LINES * MAX_LINE / 4 and max(map(len, lines), default=0) > MAX_LINE / 4
    inside = full[: len(full) - full[::-1].index(True)]
    paragraphs = "".join("x" if here else " " for here in inside).split()
    blank = inside.count(False)
    return blank >= max(MIN_BLANKS, MIN_BLANK * len(inside)) and median(map(len, paragraphs)) > 1


def is_free_text(values: Sequence[str]) -> bool:
    """True if the values of a column are texts, not categories or codes."""
    known = _spread([value for value in values if value.strip()])
    if not known:
        return False
    return len(set(known)) >= MIN_DISTINCT * len(known) and median(len(value.split()) for value in known) >= MIN_WORDS


def is_label(values: Sequence[str]) -> bool:
    """True if the values of a column are classes."""
    different = len(set(values))
    return 2 <= different <= MAX_CLASSES and len(values) >= MIN_PER_CLASS * different


def longest_text(columns: Mapping[str, Sequence[str]]) -> str:
    """The name of the column with the longest texts among those of free text; of the one with the longest values if
    none has any.
    """
    free = {name: values for name, values in columns.items() if is_free_text(values)} or columns
    return max(free, key=lambda name: sum(map(len, _spread(free[name]))))


def _spread(values: Sequence[str]) -> Sequence[str]:
    return values[:: max(1, len(values) // PROBED)][:PROBED]


def _share(values: Sequence[str] | tuple[str, ...], holds: object) -> float:
    assert callable(holds)
    return sum(1 for value in values if holds(value)) / len(values)

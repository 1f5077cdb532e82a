"""Layouts of texts: which of their numbers can be the year, the month, the day, the hour."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sparring.modalities.tables.columns.forms.dates import DateForm, Fields, directives
from sparring.modalities.tables.columns.forms.names import ZONES, month_numbers, weekday_numbers

MIN_SHARE = 0.95  # of the texts that are dates, so that the others count as errors
HALF = re.compile(r"(?<=[\d -])[ap](?:\.? ?m\.?)?(?![^\W\d_])", re.IGNORECASE)
TOKEN = re.compile(r"\d+|[^\W\d_]+\.?|\s+|.", re.DOTALL)
FILLERS = {"de", "of", "at", "fy", "um", "uhr", "del", "kl", "kl.", "klo", "the", "le", "den", "à"}
WEEKS = {"w", "wk", "week", "kw", "woche", "semaine", "semana"}
CJK = frozenset("年月日时時分秒년월일시분초")
YEARS = (1500, 2300)  # that years of four digits lie in; 9999 is a year without end

# Layouts of texts: N a number, M the name of a month, A a weekday, P AM or PM, Z a time zone, O the ending of 1st, F
# "of" and the like.
SEPARATOR = r"[-/.]|\. |/ | |, |- "
TIME = re.compile(r"N:N(?::N(?:[.,]N)?)?(?: ?P)?|N(?:\.N)?[ -]?P|N[h時时시] ?N(?:[m分분](?: ?N[s秒초])?)?")
# After 27/Dec/2020: and 27DEC2020:, and after 27.12.2020
LATE_TIME = re.compile(r"(?:(?<=[-/.][NM]:)|(?<=NMN:))N:N(?::N(?:\.N)?)?$|(?<=[-/. ]N )N\.N(?:\.N){0,2}(?: ?P)?$")
COMPACT_TIME = re.compile(r"(?:(?<=T)|(?<=^N[ _]))N(?:\.N)?$")  # after 20201227
OFFSET = re.compile(r" ?(?:Z|Z?[+\u2212-]N(?::N)?)$")
DATES = tuple(
    (re.compile(expression), kinds)
    for expression, *kinds in (  # layouts of dates, and what their numbers can be
        (rf"N({SEPARATOR})N\1N\.?|N[年년] ?N[月월] ?N[日일]?", "Ymd", "dmY", "mdY"),
        (r"NO?[-/., ]*(?:F )?M,?(?: F)?[-/., ]*N", "dY", "Yd"),
        (r"M[-/. ]*NO?[-/., ]+N", "dY"),
        (r"M,?(?: F)?[-/., ']*N", "Y"),
        (r"N[-/., ]*M", "Y"),
        (r"N[-/.]N|N[年년] ?N[月월]", "Ym", "mY", "Yj"),
        (r"NmN", "Ym"),
        (r"(?:F ?)?N[- ]?qN", "Yq", "qY"),
        (r"qN[-/ ']*(?:F ?)?N", "qY"),
        (r"N[- /]?wN", "GV"),
        (r"w ?N[-/., ]+N", "VG"),
        (r"N-?wN-N", "GVu"),
    )
)
DIGITS_ONLY = {  # by the number of digits
    14: ("%Y%m%d%H%M%S",),
    12: ("%Y%m%d%H%M",),
    8: ("%Y%m%d", "%d%m%Y", "%m%d%Y"),
    6: ("%Y%m", "%y%m%d", "%d%m%y", "%m%d%y"),
}
COMPACT_TIMES = {4: "%H%M", 6: "%H%M%S"}
WORD_DIRECTIVES = {"M": "%b", "A": "%a", "P": "%p", "O": "%o", "Z": "%z"}


@dataclass(frozen=True)
class Layout:
    """The tokens of a text: digits, names and what stands between them.

    Attributes:
        marks: a letter for each token, or the character itself.
        tokens: the text of each.
    """

    marks: str
    tokens: tuple[str, ...]

    @property
    def digits(self) -> list[str]:
        return [token for mark, token in zip(self.marks, self.tokens, strict=True) if mark == "N"]


def layout(text: str) -> Layout | None:
    """The layout of a text; None if it contains a word that dates do not have."""
    marks, tokens = "", []
    for token in TOKEN.findall(HALF.sub(lambda half: half.group()[0] + "m", text)):
        mark = _mark(token, marks)
        if mark is None:
            return None
        marks += mark
        tokens.append(token)
    return Layout(marks, tuple(tokens))


def _mark(token: str, before: str) -> str | None:
    word = token.lower()
    bare = word.rstrip(".")
    if token[0].isdigit():
        return "N"
    if token.isspace():
        return " "
    if not token[0].isalpha() or token in CJK:
        return token
    if bare in ("am", "pm", "a", "p") and before.endswith(("N", "N ", "N-")):
        return "P"
    if bare in ("st", "nd", "rd", "th") and before.endswith("N"):
        return "O"
    if word in ("t", "q", "w", "h") or (word in ("m", "s", "min") and before.endswith("N")):
        return "T" if word == "t" else word[0]
    if bare in WEEKS and "w" not in before:
        return "w"
    if bare in month_numbers() and "M" not in before:
        return "M"
    if bare in weekday_numbers() and "A" not in before:
        return "A"
    if bare in ZONES and "N" in before:
        return "Z"
    return "F" if word in FILLERS else None


def share_read(patterns: Sequence[str], texts: Sequence[str]) -> float:
    """Share of the texts that some patterns read as dates of our times."""
    moments = DateForm(pattern=patterns[0], others=tuple(patterns[1:])).moments(texts)
    known = moments[~np.isnan(moments)].astype(np.int64)
    years = Fields.of(known).year
    likely = (years >= YEARS[0]) & (years < YEARS[1]) | (years == 9999)
    return float(likely.sum()) / len(texts)


def patterns_of(layouts: list[Layout]) -> list[str]:
    """All patterns that nearly all texts of one layout have."""
    marks = layouts[0].marks
    columns = list(zip(*(found.digits for found in layouts), strict=True))
    offset = OFFSET.search(marks)
    body = marks[: offset.start()] if offset and _is_offset(marks[: offset.start()], offset.group()) else marks
    texts = ["".join(found.tokens) for found in layouts]
    patterns = []
    for names in _assignments(body, columns[: body.count("N")]):
        pattern = _pattern(layouts[0], body, names, columns)
        if body != marks:
            pattern += " %z" if marks[len(body)] == " " else "%z"
        if share_read([pattern], texts) >= MIN_SHARE and not _is_season(pattern, columns):
            patterns.append(pattern)
    return patterns


def _is_offset(before: str, text: str) -> bool:
    """True if a number with a sign at the end of a text is an offset from UTC: a date and a time stand before it."""
    dated = before.count("N") >= 4 or "M" in before or "T" in before
    return ("Z" in text and ":" in before) or (dated and (":" in before or "T" in before))


def _is_season(pattern: str, columns: list[tuple[str, ...]]) -> bool:
    """True for years such as 2009/10."""
    if directives(pattern) != ["Y", "m"]:
        return False
    return all((int(a) + 1) % 100 == int(b) for a, b in zip(*columns, strict=True))


def _assignments(body: str, columns: list[tuple[str, ...]]) -> list[list[str]]:
    """What the numbers of a layout can be: lists with a directive's letter for each."""
    expressions = (LATE_TIME, COMPACT_TIME, TIME)
    span = next((match for expression in expressions if (match := expression.search(body))), None)
    if span is None:
        return _date_names(_stripped(body), columns)
    before = body[: span.start()].count("N")
    after = before + span.group().count("N")
    compact = span.re is COMPACT_TIME
    times = _time_names(span.group(), columns[before:after], compact)
    if times is None:
        return []
    date = _stripped(f"{body[: span.start()]}\0{body[span.end() :]}")
    dates = _date_names(date, columns[:before] + columns[after:])
    return [[*names[:before], *times, *names[before:]] for names in dates]


def _stripped(rest: str) -> str:
    """The layout of a date without its weekday, and without its time (\\0) and what joins them."""
    rest = re.sub(r"^A[,.]? ?(?:F )?|,? ?\(?A\)?$|,? ?A(?= ?\0)", "", rest)
    rest = re.sub(r"[ T,:_]*(?:F )?\0(?: ?Z)?(?: F)?[, ]*", "\0", rest)
    rest = re.sub(r"^A[,.]? ?|,? ?A$", "", rest)
    return re.sub(r"(?<=[NM])\0(?=[NM])", " ", rest).replace("\0", "")


def _date_names(rest: str, columns: list[tuple[str, ...]]) -> list[list[str]]:
    """What the numbers of a date can be; [[]] if there is no date."""
    if not rest:
        return [[]]
    if rest == "N":
        return [["D"]] if {len(text) for text in columns[0]} in ({8}, {6}) else []
    kinds = next((kinds for expression, kinds in DATES if expression.fullmatch(rest)), ())
    return [names for kind in kinds if (names := _fitting(kind, columns, rest))]


def _fitting(kind: str, columns: list[tuple[str, ...]], rest: str) -> list[str]:
    """A directive's letter for each number; [] if their digits do not fit."""
    names = []
    for letter, column in zip(kind, columns, strict=True):
        widths = {len(text) for text in column}
        if letter in "YG" and widths != {4}:
            if widths != {2} or not _can_be_short(kind, rest, column):
                return []
            names.append("y")
        elif letter not in "YG" and ((letter == "j" and widths != {3}) or (letter != "j" and max(widths) > 2)):
            return []
        else:
            names.append(letter)
    return names


def _can_be_short(kind: str, rest: str, years: tuple[str, ...]) -> bool:
    """True if years can have two digits: beside a day and a month, or in Jan-49, but not in Jan 05."""
    if len(kind) == 1:
        return (rest[1:2] in ("-", "'") and rest[0] == "M") or "'" in rest or max(map(int, years)) > 31
    return len(kind) == 3 or "M" in rest or "q" in rest


def _time_names(span: str, columns: list[tuple[str, ...]], compact: bool) -> list[str] | None:
    """A directive's letter for each number of a time; None if their digits do not fit.

    Args:
        compact: True if nothing stands between hours, minutes and seconds.
    """
    if compact:
        widths = {len(text) for text in columns[0]}
        return [f"T{min(widths)}", "f"][: len(columns)] if widths in ({4}, {6}) else None
    names = ["I" if "P" in span else "H", "M", "S", "f"][: len(columns)]
    return None if any(len(text) != 2 for column in columns[1:3] for text in column) else names


def _pattern(first: Layout, body: str, names: list[str], columns: list[tuple[str, ...]]) -> str:
    """The pattern of a layout whose numbers have some meaning."""
    numbers = iter(zip(names, columns, strict=False))
    pattern = ""
    for mark, token in zip(body, first.tokens, strict=False):
        pattern += _directive(*next(numbers)) if mark == "N" else WORD_DIRECTIVES.get(mark, token)
    return pattern


def _directive(name: str, texts: tuple[str, ...]) -> str:
    if name == "D":
        return _compact(texts)
    if name.startswith("T"):
        return COMPACT_TIMES[int(name[1:])]
    if name == "f":
        widths = set(map(len, texts))
        return "%-f" if len(widths) > 1 else f"%{min(9, *widths, 9)}f"
    padded = any(text[0] == "0" and len(text) > 1 for text in texts) or all(len(text) == 2 for text in texts)
    return f"%{name}" if padded or name in "YyGjqu" else f"%-{name}"


def _compact(texts: tuple[str, ...]) -> str:
    """The pattern of a date in digits only, before a time."""
    return max(DIGITS_ONLY[len(texts[0])], key=lambda pattern: share_read([pattern], texts))

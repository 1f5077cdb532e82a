"""Latitudes and longitudes in degrees, minutes and seconds: 48°51'24.5"N, W 0° 7.650'."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparring.modalities.tables.columns.forms.base import Floats, Form, Texts, spread, unique_texts

MIN_SHARE = 0.95  # of the texts that are angles
SIDES = "NSEWO"  # O is west in French, Spanish and Italian
NEGATIVE = "SWO"
NUMBER = r"\d{1,2}(?:[.,]\d+)?"
ANGLE = re.compile(
    rf"(?P<before>[{SIDES}]?)(?P<space>\s*)(?P<sign>-?)(?P<degrees>\d{{1,3}}(?:[.,]\d+)?)(?P<mark>\s*[°º]\s*)"
    rf"(?:(?P<minutes>{NUMBER})(?P<prime>\s*['′’´]\s*))?"  # noqa: RUF001 - signs of minutes
    rf"(?:(?P<seconds>{NUMBER})(?P<double>\s*(?:[\"″”]|''|′′)\s*))?(?P<after>[{SIDES}]?)",  # noqa: RUF001
    re.IGNORECASE,
)


@dataclass(frozen=True)
class AngleForm(Form):
    """How angles are written. Numbers are degrees, negative in the south and the west.

    Attributes:
        marks: what stands after degrees, minutes and seconds.
        widths: digits before the decimal mark of each, at least.
        decimals: of the last of them.
        point: the decimal mark.
        sides: letters of positive and of negative angles; () for a minus sign.
        before: what stands between the letter and the degrees if it stands in front; None if it stands behind.
    """

    kind: str = "angle"
    marks: tuple[str, ...] = ("°", "'", '"')
    widths: tuple[int, ...] = (1, 2, 2)
    decimals: int = 0
    point: str = "."
    sides: tuple[str, ...] = ()
    before: str | None = None

    @property
    def dtype(self) -> str:
        return "string"

    @property
    def step(self) -> float:
        return 0.0

    @property
    def _units(self) -> int:
        """Of the last digit, in one degree."""
        return int(60 ** (len(self.marks) - 1) * 10**self.decimals)

    def numbers(self, texts: Sequence[Any]) -> Floats:
        different, codes = unique_texts(texts)
        return spread(np.array([self._number(text) for text in different], np.float64), codes)

    def _number(self, text: str) -> float:
        found = ANGLE.fullmatch(text)
        return np.nan if found is None or len(_marks(found)) != len(self.marks) else degrees(found)

    def texts(self, numbers: Floats) -> Texts:
        written = np.empty(len(numbers), object)
        written[:] = [None if np.isnan(x) else self._text(float(x)) for x in numbers]
        return written

    def _text(self, x: float) -> str:
        counts, rest = [], round(abs(x) * self._units)
        for i in range(len(self.marks)):
            size = self._units // 60**i
            count, rest = divmod(rest, size) if i < len(self.marks) - 1 else (rest, 0)
            counts.append(count)
        last, fraction = divmod(counts[-1], 10**self.decimals)
        numbers = [f"{count:0{width}}" for count, width in zip([*counts[:-1], last], self.widths, strict=True)]
        numbers[-1] += f"{self.point}{fraction:0{self.decimals}}" if self.decimals else ""
        text = "".join(number + mark for number, mark in zip(numbers, self.marks, strict=True))
        if not self.sides:
            return ("-" if x < 0 else "") + text.rstrip()
        side = self.sides[int(x < 0)]
        return text + side if self.before is None else side + self.before + text.rstrip()


def degrees(found: re.Match[str]) -> float:
    """The degrees of an angle; NaN if its minutes or seconds are no less than 60, or it is no latitude or longitude."""
    parts = [float((found[name] or "0").replace(",", ".")) for name in ("degrees", "minutes", "seconds")]
    side = (found["before"] or found["after"]).upper()
    whole = parts[0] + parts[1] / 60 + parts[2] / 3600
    if max(parts[1:]) >= 60 or whole > (90 if side in ("N", "S") else 180):
        return np.nan
    return -whole if found["sign"] or (side and side in NEGATIVE) else whole


def _marks(found: re.Match[str]) -> tuple[str, ...]:
    return tuple(found[name] for name in ("mark", "prime", "double") if found[name])


def angle_form(texts: Sequence[str]) -> AngleForm | None:
    """The form of the angles in some different texts; None if most of them are none."""
    found = [match for match in map(ANGLE.fullmatch, texts) if match is not None and match["mark"]]
    found = [match for match in found if _marks(match)[1:] or match["before"] or match["after"]]
    if len(found) < MIN_SHARE * len(texts):
        return None
    marks = Counter(map(_marks, found)).most_common(1)[0][0]
    found = [match for match in found if _marks(match) == marks]
    names = ("degrees", "minutes", "seconds")[: len(marks)]
    last = [re.split("[.,]", match[names[-1]]) for match in found]
    letters = {match["before"] or match["after"] for match in found}
    form = AngleForm(
        marks=marks, widths=tuple(min(len(re.split("[.,]", m[name])[0]) for m in found) for name in names),
        decimals=max(len(part[1]) if len(part) > 1 else 0 for part in last),
        point="," if any("," in match[names[-1]] for match in found) else ".",
        sides=_sides(letters), before=found[0]["space"] if found[0]["before"] else None,
    )  # fmt: skip
    return form if float((~np.isnan(form.numbers(texts))).mean()) >= MIN_SHARE else None


def _sides(letters: set[str]) -> tuple[str, ...]:
    """The letters of positive and of negative angles."""
    positive = next((c for c in letters if c and c.upper() not in NEGATIVE), "")
    negative = next((c for c in letters if c and c.upper() in NEGATIVE), "")
    if not positive and not negative:
        return ()
    other = {"N": "S", "S": "N", "E": "W", "W": "E", "O": "E"}
    case = str.lower if (positive or negative).islower() else str.upper
    return positive or case(other[negative.upper()]), negative or case(other[positive.upper()])

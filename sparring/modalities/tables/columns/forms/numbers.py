"""Numbers as countries, accountants and spreadsheets write them: 13.56%, $1,250.00, (1.250,00), 70 kg, 1.2M."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from sparring.modalities.tables.columns.forms.base import Floats, Form, Texts, spread, unique_texts

SPACES = " \u00a0\u202f\u2009"
GROUPING = SPACES + "'\u2019_\u066c"  # characters that only ever stand between thousands
MINUS = "-\u2212\u2013\ufe63\uff0d"
CORE = re.compile(
    rf"(?P<left>\D*?)(?P<core>(?:(?<![^\W\d_])[.,])?\d(?:[\d.,{GROUPING}]*\d)?(?:[.,](?![{SPACES}]*[^\W\d_]))?)"
    rf"(?P<exponent>[eE][+{MINUS}]?\d+)?(?P<right>(?!\d).*)",
    re.DOTALL,
)
DEBIT = re.compile(r"\b(dr|db|debit|soll)\b\.?", re.IGNORECASE)
CREDIT = re.compile(r"\b(cr|credit|haben)\b\.?", re.IGNORECASE)
MAX_DECIMALS = 15
FLOAT_DIGITS = 16  # characters of a number whose digits are all exact


class Parts(NamedTuple):
    """A number's text in parts.

    Attributes:
        left, right: what stands around the number, as it is.
        core: digits and separators.
        exponent: such as "E+05".
        negative: True if left and right say so.
        label: the currency or unit: left and right without signs, brackets and spaces.
    """

    left: str
    core: str
    exponent: str
    right: str
    negative: bool
    label: str


def parts(text: str) -> Parts | None:
    """The parts of a number's text; None if it contains no single number."""
    found = CORE.fullmatch(text)
    if found is None:
        return None
    left, core, exponent, right = (found[name] or "" for name in ("left", "core", "exponent", "right"))
    brackets = "(" in left and ")" in right
    minus = [side for side in (left, right) if any(c in MINUS for c in side)]
    debit = DEBIT.search(right) or DEBIT.search(left)
    words = [CREDIT.sub("", DEBIT.sub("", side)) for side in (left, right)]
    signs = f"{MINUS}+{SPACES}" + ("()" if brackets else "")
    label = "|".join(side.strip(signs).lower() for side in words)
    return Parts(left, core, exponent, right, bool(brackets or minus or debit), "" if label == "|" else label)


@dataclass(frozen=True)
class NumberForm(Form):
    """How the numbers of a column are written.

    Attributes:
        positive, negative, zero: what stands before and after such numbers.
        label: currency or unit, as `Parts.label`; a number may lack it.
        thousands: character between thousands; "" for none.
        indian: True if digits above a thousand are in groups of two: 12,34,567.
        decimal: decimal point or comma.
        decimals: smallest and largest number of decimals.
        exponent: "E" or "e" in scientific notation; "" otherwise.
        nothing: text of zero, if it has no digits.
        magnitudes: suffixes and what they multiply by, the largest first, such as ("K", 1000).
        flags: labels of remarks after some numbers, such as " p" for a provisional one, which are not written.
        point: True if numbers are written with a decimal point, although the data have commas.
    """

    kind: str = "number"
    positive: tuple[str, str] = ("", "")
    negative: tuple[str, str] = ("-", "")
    zero: tuple[str, str] = ("", "")
    label: str = ""
    thousands: str = ""
    indian: bool = False
    decimal: str = "."
    decimals: tuple[int, int] = (0, 0)
    exponent: str = ""
    magnitudes: tuple[tuple[str, float], ...] = ()
    nothing: str = ""
    flags: tuple[str, ...] = ()
    point: bool = False

    @property
    def dtype(self) -> str:
        return "Float64" if self.decimals[1] or self.exponent or self.magnitudes else "Int64"

    @property
    def plain(self) -> bool:
        """True if other programs read it as a number."""
        bare = (self.positive, self.negative, self.zero) == (("", ""), ("-", ""), ("", ""))
        return bare and not self.thousands and self.decimal == "." and not (self.magnitudes or self.flags)

    @property
    def step(self) -> float:
        return 0.0 if self.exponent or self.magnitudes else 10.0 ** -self.decimals[1]

    @cached_property
    def _core(self) -> re.Pattern[str]:
        return core_pattern(self.thousands, self.decimal, self.indian)

    def numbers(self, texts: Sequence[Any]) -> Floats:
        different, codes = unique_texts(texts)
        return spread(np.array([self._quick(text) for text in different], np.float64), codes)

    def _quick(self, text: str) -> float:
        """The number of a text that is written as most are, without looking at its parts; of others as `number`."""
        for (before, after), sign in ((self.positive, 1.0), (self.negative, -1.0)):
            if text.startswith(before) and text.endswith(after) and not self.magnitudes:
                core = text[len(before) : len(text) - len(after)]
                if self._core.fullmatch(core):
                    return sign * float(core.replace(self.thousands, "").replace(self.decimal, "."))
        return self.number(text)

    def number(self, text: str) -> float:
        """The number of one text; NaN if it is not written in this form."""
        if self.point and re.fullmatch(rf"-?\d+\.\d{{1,{self.decimals[1]}}}", text):
            return float(text)
        found = parts(text)
        if found is None:
            return 0.0 if self.nothing and text == self.nothing else np.nan
        factor = self._factor(found.label)
        if factor is None or not self._core.fullmatch(found.core):
            return np.nan
        digits = found.core.replace(self.thousands, "") if self.thousands else found.core
        exponent = re.sub(f"[{MINUS}]", "-", found.exponent)
        value = float(digits.replace(self.decimal, ".") + exponent) * factor
        return -value if found.negative else value

    def _factor(self, label: str) -> float | None:
        """What a label multiplies by; None if it is another one than the column's."""
        if label in ("", self.label, *self.flags):
            return 1.0
        before = self.label.partition("|")[0]
        return {f"{before}|{suffix.lower()}": factor for suffix, factor in self.magnitudes}.get(label)

    def texts(self, numbers: Floats) -> Texts:
        written = np.empty(len(numbers), object)
        written[:] = [None if np.isnan(x) else self.text(float(x)) for x in numbers]
        return written

    def text(self, x: float) -> str:
        """The text of one number."""
        suffix, factor = next((pair for pair in self.magnitudes if abs(x) >= pair[1]), ("", 1.0))
        digits = self._digits(abs(x) / factor)
        nothing = not re.search("[1-9]", digits.split(self.exponent)[0] if self.exponent else digits)
        if nothing and self.nothing:
            return self.nothing
        before, after = self.zero if nothing else self.negative if x < 0 else self.positive
        return f"{before}{digits}{suffix}{after}"

    def _digits(self, x: float) -> str:
        least, most = self.decimals
        if self.exponent:
            mantissa, _, power = f"{x:.{most}e}".partition("e")
            return _shortened(mantissa, least).replace(".", self._mark) + self.exponent + power
        whole, _, fraction = _shortened(_positional(x, most), least).partition(".")
        if self.thousands:
            whole = _grouped(whole, self.thousands, 2 if self.indian else 3)
        return whole + (self._mark + fraction if fraction else "")

    @property
    def _mark(self) -> str:
        """The decimal mark that is written."""
        return "." if self.point else self.decimal


def _positional(x: float, decimals: int) -> str:
    """The digits of a number with some decimals, without those that floating-point numbers do not have."""
    digits = f"{x:.{decimals}f}"
    if len(digits) <= FLOAT_DIGITS:
        return digits
    shortest: str = np.format_float_positional(x, unique=True, trim="-")
    missing = decimals - len(shortest.partition(".")[2])
    return digits if missing < 0 else shortest + ("." if "." not in shortest else "") + "0" * missing


def _shortened(digits: str, least: int) -> str:
    """Decimals without zeros at their end, but at least some of them."""
    whole, _, fraction = digits.partition(".")
    fraction = fraction[:least] + fraction[least:].rstrip("0")
    return f"{whole}.{fraction}" if fraction else whole


def _grouped(whole: str, mark: str, size: int) -> str:
    """Digits with a mark between thousands, and between groups of some size above."""
    head, tail = whole[:-3], whole[-3:]
    groups = [head[max(0, end - size) : end] for end in range(len(head), 0, -size)][::-1]
    return mark.join([*groups, tail])


def core_pattern(thousands: str, decimal: str, indian: bool = False) -> re.Pattern[str]:
    """The pattern of a number's digits and separators. Thousands need not be separated."""
    mark, point = re.escape(thousands), re.escape(decimal)
    grouped = rf"\d{{1,2}}({mark}\d\d)*{mark}\d{{3}}" if indian else rf"\d{{1,3}}({mark}\d{{3}})+"
    whole = rf"({grouped}|\d+)" if thousands else r"\d+"
    return re.compile(rf"{whole}({point}\d*)?|{point}\d+")

"""Recognition of the form of numbers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sparring.modalities.tables.columns.forms.numbers import (
    GROUPING,
    MAX_DECIMALS,
    MINUS,
    SPACES,
    NumberForm,
    Parts,
    core_pattern,
    parts,
)

DASH = re.compile(rf"[{SPACES}]*[{MINUS}\u2014]+[{SPACES}]*")  # zero in accounts: $ -
MAX_LABEL = 24  # characters of a currency or a unit
MIN_READ_SHARE = 0.5  # of the different texts that have one form, so that there is a form at all
MIN_CONSISTENT_SHARE = 0.95  # of the numbers that a meaning of their separators must explain
MAGNITUDES = {
    "k": 1e3, "tsd": 1e3, "m": 1e6, "mn": 1e6, "mio": 1e6, "mm": 1e6, "b": 1e9, "bn": 1e9, "mrd": 1e9, "g": 1e9,
    "t": 1e12, "tn": 1e12, "lakh": 1e5, "crore": 1e7,
}  # fmt: skip
CURRENCIES = frozenset({
    "usd", "us$", "eur", "gbp", "jpy", "chf", "cny", "rmb", "inr", "rs", "rs.", "re", "brl", "r$", "cad",
    "c$", "ca$", "aud", "a$", "au$", "nzd", "nz$", "mxn", "mx$", "sek", "nok", "dkk", "kr", "kr.", "pln",
    "zł", "czk", "kč", "huf", "ft", "ron", "lei", "bgn", "лв", "rub", "руб", "руб.", "uah", "грн", "try",  # noqa: RUF001
    "tl", "krw", "twd", "nt$", "hkd", "hk$", "sgd", "s$", "thb", "idr", "rp", "rp.", "myr", "rm", "php",
    "vnd", "đ", "aed", "sar", "ils", "zar", "r", "egp", "ngn", "kes", "ksh", "fr", "fr.", "sfr", "sfr.", "e£",
    "£e",
})  # fmt: skip
# After a number: notes of tables, and remarks of statistical offices such as p for provisional.
FLAG = re.compile(rf"[{SPACES}]+[bcdefinprsuz]{{1,3}}|[{SPACES}]?(\*{{1,3}}|[†‡]|\[\w{{1,3}}\]|\([bcdefinprsuz]\))")
MIN_FLAGS = 2  # numbers with one of them
PREFIXES = CURRENCIES | {"ca.", "ca"}


@dataclass(frozen=True)
class Context:
    """What the other columns of a file say about ambiguous values.

    Attributes:
        decimal: the decimal mark that they use; "" if they use none.
        semicolons: True if the values of the file are separated by semicolons.
        day_first: True or False if other dates have the day or the month first; None if there are none.
        marked: True if numbers have marks between thousands, or signs of currencies and units.
    """

    decimal: str = ""
    semicolons: bool = False
    day_first: bool | None = None
    marked: bool = False


def number_form(texts: Sequence[str], context: Context) -> NumberForm | None:
    """The form of most of some different texts; None if they have none.

    The caller decides whether the other texts are errors.
    """
    found = [p for p in map(parts, texts) if p is not None]
    if len(found) < MIN_READ_SHARE * len(texts):
        return None
    labels = Counter(p.label for p in found)
    label, magnitudes = _unit(labels)
    before = label.partition("|")[0]
    flags = () if label or magnitudes else _flags(found)
    own = {"", label, *(f"{before}|{name}" for name, _ in magnitudes), *flags}
    found = [p for p in found if p.label in own]
    if len(found) < MIN_READ_SHARE * len(texts) or not (label == "" or magnitudes or _is_unit(label, found)):
        return None
    marks = separators([p.core for p in found], context)
    if marks is None:
        return None
    thousands, decimal, indian = marks
    pattern = core_pattern(thousands, decimal, indian)
    form = _form([p for p in found if pattern.fullmatch(p.core)], label, marks, magnitudes)
    nothing = next((text for text in texts if before and DASH.fullmatch(text.lower().replace(before, ""))), "")
    if form is None:
        return None
    point = decimal == "," and context.semicolons and not (thousands or label or magnitudes or context.marked)
    return replace(form, nothing=nothing, flags=flags, point=point and _is_bare(form))


def _flags(found: Sequence[Parts]) -> tuple[str, ...]:
    """The labels of remarks after numbers, if there are some."""
    flagged = [p.label for p in found if FLAG.fullmatch(p.right) and p.label.startswith("|")]
    return tuple(dict.fromkeys(flagged)) if len(flagged) >= MIN_FLAGS else ()


def _is_bare(form: NumberForm) -> bool:
    """True if nothing but a minus stands around numbers."""
    return (form.positive, form.negative, form.zero) == (("", ""), ("-", ""), ("", ""))


def _unit(labels: Counter[str]) -> tuple[str, tuple[tuple[str, float], ...]]:
    """The most frequent label, and the suffixes of thousands, millions and so on, the largest first."""
    named = [name for name in labels if name]
    if not named:
        return "", ()
    label = max(named, key=labels.__getitem__)
    before, _, after = label.partition("|")
    suffixes = [name.partition("|")[2] for name in named if name.startswith(f"{before}|")]
    suffixes = [suffix for suffix in suffixes if suffix in MAGNITUDES]
    bare = labels[""] + labels[f"{before}|"]
    if after in MAGNITUDES and (len(suffixes) > 1 or (bare and before)):
        return f"{before}|" if before else "", tuple(
            sorted(((s, MAGNITUDES[s]) for s in suffixes), key=lambda pair: -pair[1])
        )
    if labels[label] < labels[""]:  # most numbers stand alone; <5 among them is none
        return "", ()
    return label, ()


def _is_unit(label: str, found: Sequence[Parts]) -> bool:
    """True for a currency or a unit, and False for a part of a code, such as the A of A100."""
    before, _, after = label.partition("|")
    if (
        any(c.isdigit() for c in before)
        or len(label) > MAX_LABEL
        or (re.search(r"\d", after) and not after[0].isalpha())
    ):
        return False
    mine = [p for p in found if p.label == label]
    if any(re.fullmatch(r"0\d+", p.core) for p in mine):
        return False
    numeric = any(re.search(rf"[.,{GROUPING}]", p.core) for p in mine)
    letters = any(c.isalnum() for c in before)
    if letters and before not in CURRENCIES and before not in PREFIXES and not numeric:
        return False
    if not after or not any(c.isalnum() for c in after):
        return True
    spaced = any(p.right[:1] in SPACES for p in mine if p.right)
    return numeric or spaced or len({len(p.core) for p in mine}) > 1 or any(not c.isalnum() for c in after)


def separators(cores: Sequence[str], context: Context) -> tuple[str, str, bool] | None:
    """The character between thousands, the decimal mark, and whether digits are grouped as in India.

    Args:
        cores: digits and separators of numbers.
    """
    marks = {c for core in cores for c in core if not c.isdigit()}
    candidates: list[tuple[str, str, bool]] = []
    shares: dict[tuple[str, str, bool], float] = {}
    for thousands in ("", *sorted(marks)):
        for decimal in (".", ","):
            if decimal == thousands or not marks <= {thousands, decimal}:
                continue
            for indian in (False, True) if thousands == "," else (False,):
                pattern = core_pattern(thousands, decimal, indian)
                share = sum(map(bool, map(pattern.fullmatch, cores))) / len(cores)
                if share >= MIN_CONSISTENT_SHARE:
                    candidates.append((thousands, decimal, indian))
                    shares[candidates[-1]] = share
    if len(marks) == 1 and (mark := next(iter(marks))) in ".,":
        as_decimal = ("", mark, False)
        other = "," if mark == "." else "."
        as_thousands = next((c for c in candidates if c[0] == mark), None)
        if as_thousands and as_decimal in candidates:
            grouped = _is_thousands(mark, cores, context)
            return (as_thousands[0], other, as_thousands[2]) if grouped else as_decimal
    return min(candidates, key=lambda c: (-shares[c], c[2], c[0] != ""), default=None)


def _is_thousands(mark: str, cores: Sequence[str], context: Context) -> bool:
    """True if a mark that is always followed by three digits stands between thousands."""
    marked = [core for core in cores if mark in core]
    bare = [core for core in cores if mark not in core]
    if any(core.startswith(("0", mark)) or core.index(mark) > 3 for core in marked):
        return False
    if context.decimal:
        return context.decimal != mark
    if context.semicolons and mark == ",":
        return False
    if any(len(core) > 3 for core in bare):
        return False
    if mark == ",":
        return True
    # Shortest decimals do not all have three digits; fixed ones do, and then there are no whole numbers beside them.
    return len(bare) > 0 and any(core.endswith("0") for core in marked)


def is_ambiguous(cores: Sequence[str]) -> bool:
    """True if a point in some numbers may stand between thousands or be a decimal point."""
    marked = [core for core in cores if "." in core]
    return bool(marked) and all(re.fullmatch(r"[+-]?[1-9]\d{0,2}\.\d{3}", core) for core in marked)


def _form(
    found: Sequence[Parts], label: str, marks: tuple[str, str, bool], magnitudes: tuple[tuple[str, float], ...]
) -> NumberForm | None:
    if not found:
        return None
    thousands, decimal, indian = marks
    decimals = [len(p.core.partition(decimal)[2]) for p in found]
    cased = Counter(p.right.strip() for p in found if p.right)
    written = tuple((next((c for c in cased if c.lower() == name), name), factor) for name, factor in magnitudes)
    around = _templates([p for p in found if p.label == label or magnitudes], bool(magnitudes))
    return NumberForm(
        positive=around[1], negative=around[-1], zero=around[0], label=label, thousands=thousands, indian=indian,
        decimal=decimal, decimals=(min(decimals), min(max(decimals), MAX_DECIMALS)), magnitudes=written,
        exponent=next((p.exponent[0] for p in found if p.exponent), ""),
    )  # fmt: skip


def _templates(found: Sequence[Parts], bare: bool) -> dict[int, tuple[str, str]]:
    """What stands before and after positive numbers (1), zeros (0) and negative numbers (-1), most often.

    Args:
        bare: True if suffixes of magnitudes stand there, which are written separately.
    """
    seen: dict[int, Counter[tuple[str, str]]] = {1: Counter(), 0: Counter(), -1: Counter()}
    for p in found:
        sign = -1 if p.negative else int(bool(re.search("[1-9]", p.core)))
        seen[sign][(p.left, "" if bare else p.right)] += 1
    most = {sign: count.most_common(1)[0][0] for sign, count in seen.items() if count}
    positive = most.get(1) or most.get(0) or _without_sign(most[-1])
    before, after = positive
    unsigned = (before.replace("+", ""), after)
    return {1: positive, 0: most.get(0, unsigned), -1: most.get(-1, ("-" + unsigned[0], after))}


def _without_sign(around: tuple[str, str]) -> tuple[str, str]:
    """What stands around a positive number, if only negative ones are known."""
    signs = re.compile("[-\u2212\u2013\ufe63\uff0d()]")
    return signs.sub("", around[0]), signs.sub("", around[1])

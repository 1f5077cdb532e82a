"""Identifiers: values that are different in each row, of which samples get new ones."""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from math import gcd, prod
from typing import TYPE_CHECKING, Any

import numpy as np

from sparring.modalities.tables.columns import arrow
from sparring.modalities.tables.columns.column import Column
from sparring.modalities.tables.columns.values import Codes, Floats
from sparring.modalities.tables.random import uniform

if TYPE_CHECKING:
    from pandas import Series

Gaps = tuple[tuple[int, int], ...]
DIGITS, LOWER = "0123456789", "abcdefghijklmnopqrstuvwxyz"
CLASSES = {  # of characters, by their letter or digit in a shape
    "9": DIGITS, "1": DIGITS[1:], "a": LOWER, "A": LOWER.upper(), "h": DIGITS + LOWER[:6],
    "H": DIGITS + LOWER[:6].upper(), "x": DIGITS + LOWER, "X": DIGITS + LOWER.upper(),
    "z": DIGITS + LOWER + LOWER.upper(), "²": "12", "⁵": DIGITS[:6], "⁸": "89ab",
}  # fmt: skip
MIXED = ("h", "H", "x", "X", "z")  # classes of digits and letters, the smallest first
IPV4 = re.compile(r"(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}")
UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
UUID4_SHAPE = "hhhhhhhh-hhhh-4hhh-⁸hhh-hhhhhhhhhhhh"
OCTETS = {1: "9", 2: "19", 3: "²⁵⁵"}  # shapes of numbers below 256, by their digits
MAX_SHAPES = 1000
MIN_MIXED_SHAPES = 20  # of digits and letters at the same places, above which digits and letters are interchangeable
MAX_GAPS = 256  # between the data's values, the largest ones, that new values are taken from
MIN_MARGIN_GAP = 32  # values; from the edges of larger gaps a part is left out, so that no value of the data is stored
MARGIN = 16  # one part of so many
MAX_EXACT_SPACE = 2**62  # possible values; among more than these, the data's own are not met
GOLDEN_SHARE = 0.6180339887  # of a range: multiples of such a step are spread evenly over it


@dataclass(frozen=True)
class Identifier(Column):
    """Values that are different in each row. They are not learned; samples get new ones, all different.

    Attributes:
        prefix, suffix: common beginning and end of all values.
        shapes: patterns of the rest in `CLASSES`; other characters stand for themselves. () for whole numbers.
        shape_counts: of each pattern in the data.
        next: the integer after the largest one of the data, if these are consecutive.
        missing: number of missing values.
        rows: number of rows of the data.
        low, high: range of whole numbers that are not consecutive; both 0 for text.
        free: for each shape, or for whole numbers, the first value and the length of ranges without a value of the
            data; () if the values are so many that the data's own are not met.
    """

    kind: str = "identifier"
    prefix: str = ""
    shapes: tuple[str, ...] = ()
    shape_counts: tuple[int, ...] = ()
    next: int = 0
    missing: int = 0
    rows: int = 0
    low: int = 0
    high: int = 0
    free: tuple[Gaps, ...] = ()
    suffix: str = ""

    def counted(self) -> list[tuple[Sequence[Any], tuple[int, ...]]]:
        return [(self.shapes, self.shape_counts), ((None,), (self.missing,))]

    @property
    def width(self) -> int:
        return 0

    def encode(self, values: Series) -> tuple[Codes, Floats]:
        return np.zeros(len(values), np.int64), np.zeros(len(values))

    def decode(self, codes: Codes, scalars: Floats, random: Floats, start: int = 0) -> Any:  # noqa: ARG002
        if not self.shapes and self.high <= self.low:
            return self._following(len(random), start)
        keys = (random * 2**53).astype(np.uint64)
        missing = uniform(keys, 0) * self.rows < self.missing
        decoded = np.empty(len(random), object)
        if not self.shapes:
            decoded[:] = [None if gap else self._whole(start + i) for i, gap in enumerate(missing)]
            return decoded
        edges = np.cumsum(self.shape_counts) / sum(self.shape_counts)
        shapes = np.searchsorted(edges, uniform(keys, 1), side="right").clip(max=len(edges) - 1)
        noise = uniform(keys, 2)
        for i in np.flatnonzero(~missing):
            decoded[i] = self.prefix + self._text(int(shapes[i]), start + int(i), float(noise[i])) + self.suffix
        return decoded

    def _following(self, n: int, start: int) -> Any:
        """The integers after the largest one of the data; from 0 again after the largest one of the dtype."""
        last = largest(self.dtype)
        if self.next + start + n <= min(last, np.iinfo(np.int64).max):
            return self.next + start + np.arange(n)
        return np.array([(self.next + start + i) % (last + 1) for i in range(n)], object)

    def _whole(self, position: int) -> int:
        """The new whole number of a row: between those of the data, and above them if there are no others."""
        gaps = self.free[0] if self.free else ((self.low, self.high - self.low + 1),)
        space = Space(gaps)
        if position < space.size:
            return space.value(position)
        return (self.high + 1 + position - space.size) % (largest(self.dtype) + 1)

    def _text(self, shape: int, position: int, noise: float) -> str:
        """The new text of a row. Each position has another one for the same shape.

        Args:
            noise: in [0, 1).
        """
        if position >= self._spaces[shape].size:
            shape = max(range(len(self.shapes)), key=lambda i: self._spaces[i].size)
        space = self._spaces[shape]
        if position < space.size:
            pattern, index = self.shapes[shape], space.value(position)
            if capacity(pattern) > MAX_EXACT_SPACE:
                every = capacity(pattern) // MAX_EXACT_SPACE
                digest = hashlib.blake2b(f"{position} {noise}".encode()).digest()
                index = index * every + int.from_bytes(digest) % every
            return written(pattern, index)
        longer = self.shapes[shape] + "9"  # no value is left: longer ones are new
        while longer in self.shapes or capacity(longer) < 2 * position:
            longer += "9"
        return written(longer, Space(((0, capacity(longer)),)).value(position))

    @cached_property
    def _spaces(self) -> list[Space]:
        """The new values of each shape."""
        whole = [((0, min(capacity(shape), MAX_EXACT_SPACE)),) for shape in self.shapes]
        return [Space(gaps or everything) for gaps, everything in zip(self.free or whole, whole, strict=True)]


class Space:
    """Ranges of integers, each of which has a position such that neighboring positions are far apart.

    Args:
        gaps: the first integer and the length of each range.
    """

    def __init__(self, gaps: Gaps) -> None:
        self.starts = [start for start, _ in gaps]
        self.before = [0, *accumulate(length for _, length in gaps)]
        self.size = self.before[-1]
        self.step = max(1, round(self.size * GOLDEN_SHARE))
        while self.size and gcd(self.step, self.size) > 1:
            self.step += 1

    def value(self, position: int) -> int:
        """The integer at a position from 0 to size - 1."""
        offset = (position + 1) * self.step % self.size
        gap = bisect_right(self.before, offset) - 1
        return self.starts[gap] + offset - self.before[gap]


def capacity(shape: str) -> int:
    """Number of the different texts of a shape."""
    return prod(len(CLASSES[c]) for c in shape if c in CLASSES)


def written(shape: str, index: int) -> str:
    """The text of a shape with an index."""
    characters = []
    for c in reversed(shape):
        if c in CLASSES:
            index, place = divmod(index, len(CLASSES[c]))
            c = CLASSES[c][place]
        characters.append(c)
    return "".join(reversed(characters))


def index_of(shape: str, text: str) -> int | None:
    """The index of a text of a shape; None if it has letters of other scripts."""
    index = 0
    for c, character in zip(shape, text, strict=True):
        if c in CLASSES:
            place = CLASSES[c].find(character)
            if place < 0:
                return None
            index = index * len(CLASSES[c]) + place
    return index


def fit_identifier(values: Series, dtype: str) -> Identifier:
    """The fitted column for some values.

    Args:
        dtype: of samples.
    """
    from pandas.api import types

    name, present = str(values.name), values.dropna()
    missing, rows = len(values) - len(present), len(values)
    if types.is_integer_dtype(values.dtype) or arrow.is_whole(values.dtype):
        different = sorted({int(v) for v in present})
        first, last = different[0], different[-1]
        if last - first + 1 == len(different) and not missing:
            return Identifier(name, dtype, next=last + 1)
        if last > first:
            free = (_gaps(different, first, last + 1),)
            return Identifier(name, dtype, low=first, high=last, missing=missing, rows=rows, free=free)
    texts = [str(int(v)) if types.is_numeric_dtype(values.dtype) else str(v) for v in present]
    prefix = re.sub(r"\d+$", "", _common_prefix(texts))
    rest = [text[len(prefix) :] for text in texts]
    suffix = re.sub(r"^\d+", "", _common_prefix([text[::-1] for text in rest])[::-1])
    rest = [text.removesuffix(suffix) for text in rest]
    patterns = _known_patterns(texts, rest) or _patterns(rest)
    counts = Counter(patterns).most_common(MAX_SHAPES)
    by_shape: dict[str, list[str]] = {shape: [] for shape, _ in counts}
    for pattern, text in zip(patterns, rest, strict=True):
        by_shape.get(pattern, []).append(text)
    return Identifier(
        name, dtype, prefix=prefix, suffix=suffix,
        shapes=tuple(s for s, _ in counts), shape_counts=tuple(n for _, n in counts),
        missing=missing, rows=rows, free=tuple(_free(shape, texts) for shape, texts in by_shape.items()),
    )  # fmt: skip


def _free(shape: str, texts: Iterable[str]) -> Gaps:
    """The largest ranges of indices without a text of the data; () for too many possible texts to need them."""
    if capacity(shape) > MAX_EXACT_SPACE:
        return ()
    used = {index for text in texts if (index := index_of(shape, text)) is not None}
    return _gaps(sorted({-1, *used, capacity(shape)}), 0, capacity(shape)) or ((0, 0),)


def _gaps(used: Sequence[int], low: int, high: int) -> Gaps:
    """The largest ranges between sorted integers, from `low` to below `high`."""
    gaps = []
    for before, after in pairwise(used):
        length = after - before - 1
        margin = length // MARGIN if length >= MIN_MARGIN_GAP else 0
        if length > 0:
            gaps.append((before + 1 + margin, length - 2 * margin))
    widest = sorted(gaps, key=lambda gap: -gap[1])[:MAX_GAPS]
    return tuple(sorted((start, length) for start, length in widest if low <= start < high))


def _patterns(texts: Sequence[str]) -> list[str]:
    """The pattern of each text. Where digits and letters are interchangeable, as in hexadecimal numbers, one class
    stands for both; the first digit of numbers that never begin with 0 is another class.
    """
    plain = ["".join(map(_shape, text)) for text in texts]
    groups: dict[str, set[str]] = {}
    skeletons = [re.sub("[9Aa]", "?", shape) for shape in plain]
    for skeleton, shape in zip(skeletons, plain, strict=True):
        groups.setdefault(skeleton, set()).add(shape)
    members: dict[str, list[str]] = {skeleton: [] for skeleton in groups}
    for skeleton, text in zip(skeletons, texts, strict=True):
        members[skeleton].append(text)
    mixed = {
        skeleton: _mixed(members[skeleton]) for skeleton, shapes in groups.items() if len(shapes) > MIN_MIXED_SHAPES
    }
    zeros = any(re.match(r"0\d", text) for text in texts)
    found = [mixed.get(skeleton) or shape for skeleton, shape in zip(skeletons, plain, strict=True)]
    return [f"1{shape[1:]}" if shape[:2] == "99" and not zeros else shape for shape in found]


def _known_patterns(texts: Sequence[str], rest: Sequence[str]) -> list[str]:
    """The pattern of each text of a known kind, not all of whose characters are free; [] for others.

    Args:
        rest: the texts without their common beginning and end.
    """
    if texts == rest and all(map(UUID4.fullmatch, texts)):
        return [UUID4_SHAPE] * len(texts)
    if not all(map(IPV4.fullmatch, texts)):
        return []
    shapes = ["".join(map(_shape, text)) for text in rest]
    return [re.sub(r"9+", lambda run: OCTETS[len(run[0])], shape) for shape in shapes]


def _mixed(texts: Sequence[str]) -> str:
    """The pattern of texts whose digits and letters are interchangeable: everywhere the smallest class of all of
    them.
    """
    letters = {c for text in texts for c in text if c.isalnum()}
    name = next((name for name in MIXED if letters <= set(CLASSES[name])), "z")
    return "".join(name if c.isalnum() else c for c in texts[0])


def _shape(character: str) -> str:
    """9 for a digit, A or a for a letter of any script; other characters are unchanged."""
    if character.isdigit():
        return "9"
    return ("A" if character.isupper() else "a") if character.isalpha() else character


def _common_prefix(texts: list[str]) -> str:
    low, high = min(texts), max(texts)
    return low[: next((i for i, pair in enumerate(zip(low, high, strict=False)) if len(set(pair)) > 1), len(low))]


def largest(dtype: str) -> int:
    """The largest integer of a dtype."""
    try:
        return int(np.iinfo(dtype.lower()).max)
    except (TypeError, ValueError):
        return 10**38

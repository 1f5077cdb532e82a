"""Images of more than eight bits per channel: which of their values are black and white.

The type of a file does not say that: cameras write twelve bits into sixteen, scanners signed integers, instruments
floats of any range. The range is chosen from some of the images of a data set, and is the same for all of them.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sparring.errors import InputError

DEEP = ("I;16", "I;16B", "I;16L", "I;16N", "I", "F")  # Pillow's modes of gray values of more than eight bits
BITS = (8, 10, 12, 14, 16)  # of cameras and scanners
MIN_WHITE = 32  # the largest value of a set is itself white if it is below this
MIN_SHARE = 0.25  # of [0, 1] that floats must use to be in this range
QUANTILES = (0.001, 0.999)  # between which nearly all values are
MAX_SAMPLED = 1 << 20  # pixels of an image that quantiles are computed from
BAND = 1 << 20  # pixels that are converted together
MISSING = (-9999.0, -32768.0, -99999.0)  # values that instruments and maps write where they have none
MAX_VALUE = 1e30  # larger values mark missing ones too
SAMPLE_FORMAT, PHOTOMETRIC, BITS_PER_SAMPLE, NO_DATA = 339, 262, 258, 42113  # tags of TIFF
UNSIGNED, SIGNED, WHITE_IS_ZERO = 1, 2, 0
# Unpackers of Pillow for color of 16 bits keep the high byte. The one for the other byte order keeps the low byte.
SWAPPED = {f"{mode};16{a}": f"{mode};16{b}" for mode in ("RGB", "RGBA", "RGBX") for a, b in ("LB", "BL", "NB")}

Values = NDArray[Any]


@dataclass(frozen=True)
class Levels:
    """The values that become black and white, 0 and 255.

    Attributes:
        range: those of images of more than eight bits: (black, white). () for all values of their type: 16 bits, and
            floats in [0, 1], or in [0, 255] if any exceeds 1.
        white: the value of white in gray images of eight bits.
    """

    range: tuple[float, ...] = ()
    white: int = 255


@dataclass(frozen=True)
class Depth:
    """The values of one image.

    Attributes:
        container: the type of the file's values in words.
        whole: True for integers.
        low, high: the least and the greatest, without missing ones.
        floor, ceiling: their quantiles.
        missing: True if any is missing: not a number, or one that marks missing values.
    """

    container: str
    whole: bool
    low: float
    high: float
    floor: float
    ceiling: float
    missing: bool = False

    @property
    def is_deep(self) -> bool:
        return self.container != "8-bit"


def deep_values(content: bytes, image: Image.Image) -> Values | None:
    """The values of an image of more than eight bits, (h, w) or (h, w, c) with integers or floats; None for others.

    Args:
        content: of the file.
        image: opened from it; its pixels are read.
    """
    if image.mode in DEEP:
        values = np.asarray(image)
        if _tag(image, BITS_PER_SAMPLE) == 32 and _tag(image, SAMPLE_FORMAT) == UNSIGNED:
            values = values.view(np.uint32)
        return np.invert(values) if _tag(image, PHOTOMETRIC) == WHITE_IS_ZERO and image.mode == "I;16" else values
    if image.mode == "L" and _tag(image, SAMPLE_FORMAT) == SIGNED:
        return np.asarray(image).view(np.int8)
    swapped = [_with_rawmode(tile) for tile in getattr(image, "tile", ())]
    if not swapped or None in swapped:
        return None
    with Image.open(io.BytesIO(content), formats=[str(image.format)]) as second:
        second.tile = swapped
        low = np.asarray(second)
    color: Values = np.asarray(image).astype(np.uint16) << 8
    color |= low
    return color


def _with_rawmode(tile: Any) -> Any:
    """A tile whose other bytes are read; None unless its pixels are color of 16 bits."""
    first, *more = tile.args if isinstance(tile.args, tuple) else (tile.args,)
    other = SWAPPED.get(first)
    if other is None:
        return None
    return tile._replace(args=(other, *more) if isinstance(tile.args, tuple) else other)


def _tag(image: Image.Image, number: int) -> Any:
    """The first value of a tag of a TIFF; None for other files and other tags."""
    value = getattr(image, "tag_v2", {}).get(number)
    return value[0] if isinstance(value, tuple) and value else value


def no_data(image: Image.Image) -> float | None:
    """The value that marks missing pixels, as a map's TIFF declares it."""
    with suppress(TypeError, ValueError):
        return float(str(_tag(image, NO_DATA)).strip("\0 "))
    return None


def depth_of(values: Values, missing: float | None = None) -> Depth | None:
    """The range of an image's values; None if none is finite.

    Args:
        values: integers or floats.
        missing: the value that marks missing ones, if the file declares it.
    """
    whole = values.dtype.kind in "iu"
    bits = 8 * values.dtype.itemsize
    container = (
        f"{bits}-bit {'floats' if not whole else 'signed integers'}" if values.dtype.kind != "u" else f"{bits}-bit"
    )
    sampled = values.reshape(-1)[:: max(1, values.size // MAX_SAMPLED)].astype(np.float64)
    sampled = sampled[_present(sampled, missing)]
    lows, highs, gaps = [], [], False
    for band in _bands(values):
        wide = band.astype(np.float64)
        present = _present(wide, missing)
        gaps |= not present.all()
        if present.any():
            lows.append(float(wide[present].min()))
            highs.append(float(wide[present].max()))
    if not lows:
        return None
    floor, ceiling = np.quantile(sampled, QUANTILES) if len(sampled) else (min(lows), max(highs))
    return Depth(container, whole, min(lows), max(highs), float(floor), float(ceiling), gaps)


def _present(values: NDArray[np.float64], missing: float | None) -> NDArray[np.bool_]:
    present = np.isfinite(values) & (np.abs(values) < MAX_VALUE)
    for marker in MISSING if missing is None else (*MISSING, missing):
        present &= values != marker
    return present


def _bands(values: Values) -> Iterator[Values]:
    """Rows of an image, a few at a time, so that conversions need little memory."""
    rows = max(1, BAND // max(1, math.prod(values.shape[1:])))
    for begin in range(0, len(values), rows):
        yield values[begin : begin + rows]


def eight_bits(values: Values, range: tuple[float, ...] = (), missing: float | None = None) -> NDArray[np.uint8]:
    """Values of more than eight bits as eight bits. Missing ones become black.

    Args:
        range: as in `Levels`.
        missing: as for `depth_of`.

    Raises:
        ValueError: if none is finite.
    """
    if not range:
        return _as_stored(values)
    black, white = range
    result = np.empty(values.shape, np.uint8)
    begin, finite = 0, False
    for band in _bands(values):
        wide = band.astype(np.float64)
        finite |= bool(np.isfinite(wide).any())
        present = _present(wide, missing) | (wide >= white)  # infinite is brighter than white
        with np.errstate(invalid="ignore", over="ignore"):
            scaled = np.round((wide - black) * (255 / (white - black))).clip(0, 255)
        result[begin : begin + len(band)] = np.where(present, scaled, 0)
        begin += len(band)
    if not finite:
        raise ValueError("its pixels are not numbers")
    return result


def _as_stored(values: Values) -> NDArray[np.uint8]:
    if values.dtype.kind == "f":
        top = max((float(b[f].max()) for b in _bands(values) if (f := np.isfinite(b)).any()), default=math.nan)
        if math.isnan(top):
            raise ValueError("its pixels are not numbers")
        return eight_bits(values, (0.0, 1.0 if top <= 1 else 255.0))
    return eight_bits(values, (0.0, 255.0 if values.dtype.itemsize == 1 else 65535.0))


def checked_range(range: tuple[float, ...]) -> tuple[float, ...]:
    """A range that a user gave.

    Raises:
        InputError: if it is not empty, and not two finite numbers, of which the first is less.
    """
    if range and not (len(range) == 2 and all(map(math.isfinite, range)) and range[0] < range[1]):
        given = ",".join(f"{value:g}" for value in range)
        raise InputError(f"levels={given} is not a range; give the values of black and white, as levels=0,4095")
    return range


def choose(depths: Sequence[Depth]) -> Levels:
    """The levels of a data set.

    Args:
        depths: of some of its gray or deep images.
    """
    deep = [depth for depth in depths if depth.is_deep]
    shallow = [depth.high for depth in depths if not depth.is_deep]
    white = max(1, int(max(shallow))) if shallow and max(shallow) < MIN_WHITE else 255
    return Levels(range_of(deep) if deep else (), white)


def range_of(depths: Sequence[Depth]) -> tuple[float, float]:
    """The values of black and white of images, by all their values together."""
    low, high = min(depth.low for depth in depths), max(depth.high for depth in depths)
    largest = max(abs(low), abs(high))
    if all(depth.whole for depth in depths):
        if low >= 0 and MIN_WHITE <= high < 2 ** BITS[-1]:
            return 0.0, float(next(2**bits - 1 for bits in BITS if high < 2**bits))
        return (0.0, max(1.0, high)) if low >= 0 and high < MIN_WHITE else _observed(depths)
    if low >= -1 and high <= 1 and largest > MIN_SHARE:
        return (0.0 if low >= 0 else -1.0), 1.0
    if 0 <= low < MIN_WHITE <= high <= 255:
        return 0.0, 255.0
    return _observed(depths)


def _observed(depths: Sequence[Depth]) -> tuple[float, float]:
    """The range of the values, without a few that are far from all others."""
    floor, ceiling = min(depth.floor for depth in depths), max(depth.ceiling for depth in depths)
    low, high = min(depth.low for depth in depths), max(depth.high for depth in depths)
    margin = (ceiling - floor) / 2
    black, white = (low if low >= floor - margin else floor), (high if high <= ceiling + margin else ceiling)
    return black, white if white > black else above(black)


def above(black: float) -> float:
    """A value of white for images all of whose values are black."""
    return max(black + 1, math.nextafter(black, math.inf))  # 1e17 + 1 == 1e17


def describe(depths: Sequence[Depth], levels: Levels, given: bool) -> tuple[str, ...]:
    """What was chosen, in a line for the user; () if there is nothing to say.

    Args:
        given: True if the user gave the range.
    """
    deep = [depth for depth in depths if depth.is_deep]
    if not deep:
        return (
            () if levels.white == 255 else (f"gray values from 0 to {levels.white}: {levels.white} is read as white",)
        )
    kinds = " and ".join(dict.fromkeys(depth.container for depth in deep))
    low, high = min(depth.low for depth in deep), max(depth.high for depth in deep)
    black, white = levels.range or (0.0, 65535.0)
    bits = f", {white + 1:.0f} levels" if black == 0 and deep[0].whole and white + 1 in [2**b for b in BITS] else ""
    gaps = "; missing values are read as black" if any(depth.missing for depth in deep) else ""
    how = "as given" if given else "levels=BLACK,WHITE changes that"
    return (
        f"{kinds} values from {low:,g} to {high:,g}: {black:,g} is read as black and {white:,g} as white{bits}"
        f"{gaps} ({how})",
    )

"""Which kind of content an answer has: RFC 9110, section 12.5.1."""

from __future__ import annotations

from collections.abc import Sequence

PNG, JSON, CSV, NPZ = "image/png", "application/json", "text/csv", "application/x-npz"


def chosen(accept: str, offers: Sequence[str]) -> str | None:
    """Of the media types on offer, the first of those that a header `Accept` likes best; None where it takes none.

    A type's quality is that of the range that names it most closely. What cannot be read as a range is left out, and
    without any range the first offer is taken.
    """
    ranges = [found for part in accept.split(",") if (found := _range(part)) is not None]
    if not ranges:
        return offers[0]
    qualities = [_quality(offer, ranges) for offer in offers]
    best = max(qualities)
    return offers[qualities.index(best)] if best > 0 else None


def _range(text: str) -> tuple[str, float] | None:
    """A media range, in small letters, and its quality from 0 to 1."""
    kind, *parameters = (part.strip().lower() for part in text.split(";"))
    if kind.count("/") != 1 or not all(kind.split("/")):
        return None
    quality = 1.0
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                quality = float(value)
            except ValueError:
                return None
    return (kind, quality) if 0 <= quality <= 1 else None


def _quality(offer: str, ranges: Sequence[tuple[str, float]]) -> float:
    for name in (offer, f"{offer.split('/')[0]}/*", "*/*"):
        found = [quality for kind, quality in ranges if kind == name]
        if found:
            return max(found)
    return 0.0

"""The media type of a response: RFC 9110, section 12.5.1."""

from __future__ import annotations

from collections.abc import Sequence

from sparring.modalities import Modality

PNG, JSON, NPZ = "image/png", "application/json", "application/x-npz"
MULTIPART = "multipart/form-data"  # several files, each as a field of a form


def offers(modality: Modality) -> tuple[str, ...]:
    """The media types that samples are sent as, the default first: that of the first writer of one file, or JSON if
    it is text.
    """
    media = [writer.media for writer in modality.writers if writer.media]
    media.sort(key=MULTIPART.__eq__)
    if not media or media[0].startswith("text/"):
        return (JSON, *media)
    return (media[0], JSON, *media[1:])


def chosen(accept: str, offers: Sequence[str]) -> str | None:
    """The first of the offered media types that a header `Accept` prefers; None if it accepts none.

    The quality of a type is that of the most specific range that matches it. Parts that are not media ranges are
    ignored. Without any range, the first offer is chosen.
    """
    ranges = [parsed for part in accept.split(",") if (parsed := _range(part)) is not None]
    if not ranges:
        return offers[0]
    qualities = [_quality(offer, ranges) for offer in offers]
    best = max(qualities)
    return offers[qualities.index(best)] if best > 0 else None


def _range(text: str) -> tuple[str, float] | None:
    """A media range in lower case, and its quality from 0 to 1."""
    media, *parameters = (part.strip().lower() for part in text.split(";"))
    if media.count("/") != 1 or not all(media.split("/")):
        return None
    quality = 1.0
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                quality = float(value)
            except ValueError:
                return None
    return (media, quality) if 0 <= quality <= 1 else None


def _quality(offer: str, ranges: Sequence[tuple[str, float]]) -> float:
    for name in (offer, f"{offer.split('/')[0]}/*", "*/*"):
        qualities = [quality for media, quality in ranges if media == name]
        if qualities:
            return max(qualities)
    return 0.0

"""What the images of a data set need: channels, and the values of black and white."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

from sparring.data.sources import FileSource, Unreadable, map_files
from sparring.errors import InputError
from sparring.modalities.images.decoding import Header, examine
from sparring.modalities.images.depth import Levels, choose, describe

MAX_EXAMINED = 256  # files that are opened to choose size, channels and levels
MIN_TRANSPARENT = 0.5  # share of transparent images from which transparency is learned


def examine_some(images: FileSource) -> tuple[Header, ...]:
    """Properties of some of the images, evenly spaced over all.

    Raises:
        InputError: if none can be read.
    """
    return _examined(images, images.modified)


@lru_cache(maxsize=8)  # a data set is fitted, encoded and described
def _examined(images: FileSource, modified: str) -> tuple[Header, ...]:  # noqa: ARG001
    wanted = set(range(0, len(images), max(1, len(images) // MAX_EXAMINED)))
    with ThreadPoolExecutor() as pool:
        results = [result for _, result in map_files(images, examine, pool, wanted)]
    headers = [result for result in results if isinstance(result, Header)]
    if not headers:
        why = next(result.why for result in results if isinstance(result, Unreadable))
        first = images.names[min(wanted)]
        raise InputError(f"{images.path}: none of its images can be read ({first}: {why}); repair or replace them")
    return tuple(headers)


def channels_for(headers: Sequence[Header], alpha: bool | None) -> int:
    """Number of channels that images need.

    Args:
        alpha: True to learn transparency, False to place transparent images on white; None to learn it if at least half
            of the images are transparent.
    """
    share = sum(header.channels == 4 for header in headers) / len(headers)
    learned = share >= MIN_TRANSPARENT if alpha is None else alpha
    return 4 if learned else max(header.colors for header in headers)


def levels_for(headers: Sequence[Header], given: tuple[float, ...] = ()) -> Levels:
    """The levels of images.

    Args:
        given: the range of those of more than eight bits, if the user gave it.
    """
    chosen = choose([header.depth for header in headers if header.depth is not None])
    return Levels(given, chosen.white) if given else chosen


def notes_on(headers: Sequence[Header], channels: int, levels: Levels) -> tuple[str, ...]:
    """What was decided about images, for the user, one line each.

    Args:
        channels, levels: as they are read.
    """
    notes = []
    transparent, moving = sum(header.channels == 4 for header in headers), sum(header.frames > 1 for header in headers)
    of = f"of {len(headers):,} images{' that were examined' if len(headers) >= MAX_EXAMINED else ''}"
    if transparent:
        kept = ": alpha is learned as a fourth channel (alpha=false places them on white)"
        lost = " and placed on white (alpha=true learns transparency as a fourth channel)"
        notes.append(f"{transparent:,} {of} {_verb(transparent)} transparent{kept if channels == 4 else lost}")
    if moving:
        notes.append(f"{moving:,} {of} {_verb(moving, 'has', 'have')} several frames or pages: only the first is used")
    depths = [header.depth for header in headers if header.depth is not None]
    return (*notes, *describe(depths, levels, levels.range != choose(depths).range))


def _verb(count: int, one: str = "is", many: str = "are") -> str:
    return one if count == 1 else many

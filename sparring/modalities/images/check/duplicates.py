"""Pictures that are the same as others, and pictures that are unlike all others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from sparring.modalities.images.check.measure import Measured

BITS = 4  # by which the hashes of two copies may differ
LEVELS = 4.0  # mean difference of two copies' thumbnails and colours, of 255
PEAK = 24  # largest difference at any place of the thumbnails
NEIGHBOURS = 8  # that each hash is compared with, in each of four orders
FAR = 8.0  # deviations from the median at which a picture is unlike the others
BLANK = 2.0  # levels between which a picture without content stays


def duplicates(pictures: Sequence[Measured]) -> list[list[int]]:
    """Groups of indices of pictures that look the same: resized, recompressed or plain copies.

    Hashes are sorted in four orders, each beginning with another quarter of their bits, and compared
    with their neighbours there, so that the work grows little faster than the number of pictures.
    What has similar hashes is compared by thumbnail and colour.
    """
    if len(pictures) < 2:
        return []
    hashes = np.array([p.hash for p in pictures], np.uint64)
    thumbs = np.stack([p.thumb for p in pictures]).reshape(len(pictures), -1).astype(np.int16)
    colours = np.array([p.colour for p in pictures])
    pairs = []
    for shift in (0, 16, 32, 48):
        order = np.argsort((hashes << np.uint64(shift)) | (hashes >> np.uint64((64 - shift) % 64)), kind="stable")
        for step in range(1, min(NEIGHBOURS, len(order) - 1) + 1):
            a, b = order[:-step], order[step:]
            close = np.bitwise_count(hashes[a] ^ hashes[b]) <= BITS
            a, b = a[close], b[close]
            apart = np.abs(thumbs[a] - thumbs[b])
            alike = (apart.mean(1) <= LEVELS) & (apart.max(1) <= PEAK)
            alike &= np.abs(colours[a] - colours[b]).max(1) <= LEVELS
            pairs.append(np.stack([a[alike], b[alike]]))
    rows, columns = np.concatenate(pairs, 1)
    graph = coo_array((np.ones(len(rows)), (rows, columns)), (len(hashes), len(hashes)))
    _, group = connected_components(graph, directed=False)
    order = np.argsort(group, kind="stable")
    found = np.split(order, np.flatnonzero(np.diff(group[order])) + 1)
    return sorted(sorted(map(int, members)) for members in found if len(members) > 1)


def outliers(pictures: Sequence[Measured]) -> dict[int, str]:
    """Indices of pictures unlike the others, and in what."""
    found: dict[int, str] = {}
    for blank in (i for i, picture in enumerate(pictures) if np.ptp(picture.thumb) <= BLANK):
        found[blank] = "blank"
    sizes = np.log2([[p.look.width * p.look.height, p.look.width / p.look.height] for p in pictures])
    shades = np.array([[p.thumb.mean(), p.thumb.std(), max(p.colour) - min(p.colour)] for p in pictures])
    for values, least, low, high in (
        (sizes[:, 1], 0.05, "much taller", "much wider"),
        (sizes[:, 0] / 2, 0.05, "much smaller", "much larger"),
        (shades[:, 0], 4.0, "much darker", "much brighter"),
        (shades[:, 1], 4.0, "much flatter", "much more contrast"),
        (shades[:, 2], 4.0, "much greyer", "much more coloured"),
    ):
        far = _deviations(values, least)
        for i in np.flatnonzero(np.abs(far) > FAR):
            found.setdefault(int(i), low if far[i] < 0 else high)
    return dict(sorted(found.items()))


def _deviations(values: NDArray[np.floating], least: float) -> NDArray[np.floating]:
    """How many deviations each value is from the median, by the median deviation, at least so much."""
    off: NDArray[np.floating] = values - np.median(values)
    return off / max(least, 1.4826 * float(np.median(np.abs(off))))

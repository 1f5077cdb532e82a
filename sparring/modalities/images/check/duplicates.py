"""Images that look the same as others, and images that differ from all others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from sparring.modalities.images.check.measure import Measured

MAX_BITS = 4  # in which the hashes of duplicates differ
MAX_MEAN_DIFFERENCE = 4.0  # of the thumbnails and colors of duplicates, of 255
MAX_DIFFERENCE = 24  # at any pixel of the thumbnails
NEIGHBORS = 8  # hashes that each is compared with, in each of four orders
MAX_DEVIATIONS = 8.0  # from the median, beyond which an image is an outlier
BLANK_RANGE = 2.0  # range of the levels of an image without content


def duplicates(images: Sequence[Measured]) -> list[list[int]]:
    """Groups of indices of images that look the same: resized, recompressed or exact copies.

    Hashes are sorted in four orders, each beginning with another quarter of their bits, and compared with their
    neighbors there, so that the cost grows little faster than the number of images. Images with similar hashes are
    compared by thumbnail and color.
    """
    if len(images) < 2:
        return []
    hashes = np.array([m.hash for m in images], np.uint64)
    thumbnails = np.stack([m.thumbnail for m in images]).reshape(len(images), -1).astype(np.int16)
    colors = np.array([m.color for m in images])
    pairs = []
    for shift in (0, 16, 32, 48):
        order = np.argsort((hashes << np.uint64(shift)) | (hashes >> np.uint64((64 - shift) % 64)), kind="stable")
        for step in range(1, min(NEIGHBORS, len(order) - 1) + 1):
            a, b = order[:-step], order[step:]
            close = np.bitwise_count(hashes[a] ^ hashes[b]) <= MAX_BITS
            a, b = a[close], b[close]
            difference = np.abs(thumbnails[a] - thumbnails[b])
            same = (difference.mean(1) <= MAX_MEAN_DIFFERENCE) & (difference.max(1) <= MAX_DIFFERENCE)
            same &= np.abs(colors[a] - colors[b]).max(1) <= MAX_MEAN_DIFFERENCE
            pairs.append(np.stack([a[same], b[same]]))
    rows, columns = np.concatenate(pairs, 1)
    graph = coo_array((np.ones(len(rows)), (rows, columns)), (len(hashes), len(hashes)))
    _, group = connected_components(graph, directed=False)
    order = np.argsort(group, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(group[order])) + 1)
    return sorted(sorted(map(int, members)) for members in groups if len(members) > 1)


def outliers(images: Sequence[Measured]) -> dict[int, str]:
    """Indices of images that differ from the others, and how."""
    found: dict[int, str] = {}
    for blank in (i for i, measured in enumerate(images) if np.ptp(measured.thumbnail) <= BLANK_RANGE):
        found[blank] = "blank"
    sizes = np.log2([[m.header.width * m.header.height, m.header.width / m.header.height] for m in images])
    shades = np.array([[m.thumbnail.mean(), m.thumbnail.std(), max(m.color) - min(m.color)] for m in images])
    for values, minimum, low, high in (
        (sizes[:, 1], 0.05, "much taller", "much wider"),
        (sizes[:, 0] / 2, 0.05, "much smaller", "much larger"),
        (shades[:, 0], 4.0, "much darker", "much brighter"),
        (shades[:, 1], 4.0, "much less contrast", "much more contrast"),
        (shades[:, 2], 4.0, "much less color", "much more color"),
    ):
        deviations = _deviations(values, minimum)
        for i in np.flatnonzero(np.abs(deviations) > MAX_DEVIATIONS):
            found.setdefault(int(i), low if deviations[i] < 0 else high)
    return dict(sorted(found.items()))


def _deviations(values: NDArray[np.floating], minimum: float) -> NDArray[np.floating]:
    """(value - median) / scaled median absolute deviation, with a minimum for the denominator."""
    differences: NDArray[np.floating] = values - np.median(values)
    return differences / max(minimum, 1.4826 * float(np.median(np.abs(differences))))

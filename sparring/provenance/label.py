"""The visible label that GB 45438-2025 asks for: "AI" and the characters for "generated", in a corner of a picture."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sparring.errors import InputError

SHARE = 0.05  # of the shortest side that the label's characters are high, at least
BACKGROUND, INK = 255, 0
GAP = 1  # cells between characters, and around the label
# Drawn here, because no font that comes with the libraries has the characters U+751F and U+6210.
GLYPHS = (
    """
    ..###..
    .##.##.
    ##...##
    ##...##
    ##...##
    #######
    ##...##
    ##...##
    ##...##
    ##...##
    ##...##
    """,
    """
    ####
    .##.
    .##.
    .##.
    .##.
    .##.
    .##.
    .##.
    .##.
    .##.
    ####
    """,
    """
    ....#......
    ..#.#......
    ..#.#......
    .#########.
    .#..#......
    #...#......
    ....#......
    ..#######..
    ....#......
    ....#......
    ###########
    """,
    """
    ......#.#..
    ......#..#.
    .##########
    .#....#....
    .#....#..#.
    .####.#..#.
    .#..#.#.#..
    .#..#..#...
    .#..#..#..#
    #.#.#.#.#.#
    #..#.#...##
    """,
)


def _drawn() -> NDArray[np.bool_]:
    """The label in cells, True for ink."""
    parts = []
    for glyph in GLYPHS:
        rows = [[cell == "#" for cell in line.strip()] for line in glyph.split()]
        parts.append(np.pad(np.array(rows), ((GAP, GAP), (0, GAP))))
    return np.pad(np.concatenate(parts, 1), ((0, 0), (GAP, 0)))


LABEL = _drawn()


def labeled(items: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pictures (n, h, w, c) with the label in the lower right corner, as black on white.

    Raises:
        InputError: if they are too small for a label that can be read.
    """
    height, width = items.shape[1:3]
    if width < LABEL.shape[1] or height < LABEL.shape[0]:
        raise InputError(
            f"pictures of {width} x {height} pixels are too small for a visible label, which needs "
            f"{LABEL.shape[1]} x {LABEL.shape[0]}; show the label beside them, and mark them with --mark eu"
        )
    rows = max(LABEL.shape[0], math.ceil(SHARE * min(height, width) * LABEL.shape[0] / (LABEL.shape[0] - 2 * GAP)))
    columns = min(width, round(rows * LABEL.shape[1] / LABEL.shape[0]))
    ink = Image.fromarray(np.where(LABEL, INK, BACKGROUND).astype(np.uint8))
    cells = np.array(ink.resize((columns, rows), Image.Resampling.NEAREST if rows < 22 else Image.Resampling.BILINEAR))
    marked = items.copy()
    marked[:, height - rows :, width - columns :] = cells[..., None]
    if items.shape[-1] % 2 == 0:
        marked[:, height - rows :, width - columns :, -1] = 255  # not transparent
    return marked

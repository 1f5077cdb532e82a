"""Pictures with a line below each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

LEAST = 64  # pixels of a picture's side, so that the line below it can be read
LINE = 14
GAP = 4


def captioned(pictures: NDArray[np.uint8], captions: Sequence[str], columns: int) -> Image.Image:
    """Pictures (n, h, w, c) with a caption each, side by side, small ones enlarged by whole pixels."""
    times = -(-LEAST // min(pictures.shape[1:3]))
    font = ImageFont.load_default(size=11)
    tiles = [Image.fromarray(_coloured(picture)) for picture in pictures]
    width, height = tiles[0].width * times, tiles[0].height * times
    rows = -(-len(tiles) // columns)
    page = Image.new("RGB", (columns * (width + GAP) - GAP, rows * (height + LINE + GAP) - GAP), "white")
    draw = ImageDraw.Draw(page)
    for i, (tile, caption) in enumerate(zip(tiles, captions, strict=True)):
        left, top = i % columns * (width + GAP), i // columns * (height + LINE + GAP)
        page.paste(tile.resize((width, height), Image.Resampling.NEAREST), (left, top))
        draw.text((left + width / 2, top + height), caption, "black", font=font, anchor="ma")
    return page


def _coloured(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(h, w, 3), alpha on white."""
    colours: NDArray[np.uint8] = np.asarray(Image.fromarray(picture.squeeze()).convert("RGBA"))
    alpha = colours[..., 3:] / 255
    laid: NDArray[np.uint8] = np.round(colours[..., :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)
    return laid

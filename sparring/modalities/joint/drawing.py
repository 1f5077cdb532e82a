"""Cards that show all parts of an item."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from sparring.modalities.exploring import tiled
from sparring.modalities.samples import Samples

SIDE = 96  # pixels of a part's longer side on a card, about
FONT = 10
LINE = 11  # pixels of a line of text
MAX_LINES = 14
MAX_CHARACTERS = 30
GAP = 4


def cards(parts: Sequence[Samples]) -> list[Image.Image]:
    """One card for each item, with its parts side by side.

    Args:
        parts: the samples of each part.
    """
    drawn = [_drawn(samples) for samples in parts]
    return [_card(images) for images in zip(*drawn, strict=True)]


def _drawn(samples: Samples) -> list[Image.Image]:
    """An image of each item of a part: its own kind of data's, or else its values as lines of text."""
    frame = samples.modality.as_frame(samples)
    if frame is not None:
        rows = frame.astype("string").fillna("").to_dict("records")
        return [_lines([f"{name}: {value}" for name, value in row.items()]) for row in rows]
    images = samples.modality.draw_items(samples)
    if images is None:
        return [_lines([str(item)]) for item in samples.items]
    return [_fitted(image) for image in images]


def _fitted(image: Image.Image) -> Image.Image:
    """On white, enlarged by whole pixels or reduced."""
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    image = image.convert("RGB")
    times = SIDE / max(image.size)
    if times >= 1:
        return image.resize((image.width * int(times), image.height * int(times)), Image.Resampling.NEAREST)
    size = (max(1, round(image.width * times)), max(1, round(image.height * times)))
    return image.resize(size, Image.Resampling.LANCZOS)


def _lines(lines: Sequence[str]) -> Image.Image:
    """Lines of text as an image."""
    wrapped = [line[i : i + MAX_CHARACTERS] for line in lines for i in range(0, max(1, len(line)), MAX_CHARACTERS)]
    shown = wrapped[:MAX_LINES]
    font = ImageFont.load_default(size=FONT)
    width = max(SIDE, math.ceil(max((font.getlength(line) for line in shown), default=0)) + 2)
    image = Image.new("RGB", (width, max(1, LINE * len(shown) + 2)), "white")
    draw = ImageDraw.Draw(image)
    for i, line in enumerate(shown):
        draw.text((1, LINE * i), line, "black", font=font)
    return image


def _card(images: Sequence[Image.Image]) -> Image.Image:
    width = sum(image.width for image in images) + GAP * (len(images) - 1)
    card = Image.new("RGB", (width, max(image.height for image in images)), "white")
    left = 0
    for image in images:
        card.paste(image, (left, 0))
        left += image.width + GAP
    return card


def sheet(images: Sequence[Image.Image]) -> Image.Image:
    """Cards in a grid that is about as high as wide."""
    width, height = (max(image.size[side] for image in images) for side in (0, 1))
    columns = max(1, min(len(images), round(math.sqrt(len(images) * height / width))))
    return tiled(images, columns)

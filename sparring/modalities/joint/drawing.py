"""Cards that show all parts of an item."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from sparring.modalities.samples import Samples

SIDE, WIDTH = 96, 288  # pixels of the height and the width of a part on a card, at most
FONT = 10
LINE = 11  # pixels of a line of text
MAX_LINES = 14  # of a row
TEXT_LINES = 8
TEXT_WIDTH = 160  # pixels
MAX_CHARACTERS = 30  # of a line of a text
CUT = "…"  # in place of the end of a line that is too long
GAP = 4  # pixels between the parts of a card
APART = 10  # pixels between cards


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
        lines = [[f"{name}: {value}" for name, value in row.items()][:MAX_LINES] for row in rows]
        return [_text(line[0]) if len(frame.columns) == 1 else _lines(line, len(line)) for line in lines]
    images = samples.modality.draw_items(samples)
    if images is None:
        return [_text(str(item)) for item in samples.items]
    return [_fitted(image) for image in images]


def _fitted(image: Image.Image) -> Image.Image:
    """On white, enlarged by whole pixels or reduced."""
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    image = image.convert("RGB")
    times = min(WIDTH / image.width, SIDE / image.height)
    if times >= 1:
        return image.resize((image.width * int(times), image.height * int(times)), Image.Resampling.NEAREST)
    size = (max(1, round(image.width * times)), max(1, round(image.height * times)))
    return image.resize(size, Image.Resampling.LANCZOS)


def _text(text: str) -> Image.Image:
    """A text as an image that is about as high as others."""
    lines = textwrap.wrap(text, MAX_CHARACTERS)
    return _lines(lines[:TEXT_LINES], TEXT_LINES)


def _lines(lines: Sequence[str], count: int) -> Image.Image:
    """Lines of text as an image, whose size depends on their number alone: frames of a film have one size."""
    font = ImageFont.load_default(size=FONT)
    image = Image.new("RGB", (TEXT_WIDTH, LINE * count + 2), "white")
    draw = ImageDraw.Draw(image)
    for i, line in enumerate(lines):
        shown = line
        while font.getlength(shown) > TEXT_WIDTH - 2:
            shown = shown.removesuffix(CUT)[:-1] + CUT
        draw.text((1, LINE * i), shown, "black", font=font)
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
    """Cards at their own size, so that texts can be read, in a grid that is about as high as wide."""
    width, height = (max(image.size[side] for image in images) + APART for side in (0, 1))
    columns = max(1, min(len(images), round(math.sqrt(len(images) * height / width))))
    rows = -(-len(images) // columns)
    page = Image.new("RGB", (columns * width - APART, rows * height - APART), "white")
    for i, image in enumerate(images):
        page.paste(image, (i % columns * width, i // columns * height))
    return page

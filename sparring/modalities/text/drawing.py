"""Texts as images."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

CHARACTERS = 90  # of a line on a page
CARD = 30  # of a line on a card
LINES = 8  # of a text on a page or a card at most
MAX_DRAWN = 100  # texts on a page
SIZE, LEADING, MARGIN = 13, 17, 8  # of the font, and pixels between lines and around
PAPER, INK, GRAY = "white", "#202020", "#707070"


def page(texts: Sequence[str], names: Sequence[str] | None = None) -> Image.Image:
    """Texts below one another, at most 100, with the names of their classes."""
    shown = list(texts[:MAX_DRAWN])
    blocks = [_wrapped(text, CHARACTERS) for text in shown]
    heights = [LEADING * len(block) + MARGIN for block in blocks]
    image = Image.new("RGB", (CHARACTERS * 8 + 120, max(1, sum(heights)) + 2 * MARGIN), PAPER)
    pen, font, top = ImageDraw.Draw(image), ImageFont.load_default(SIZE), MARGIN
    for i, block in enumerate(blocks):
        pen.text((MARGIN, top), str(i + 1) if names is None else names[i][:14], GRAY, font)
        pen.multiline_text((110, top), "\n".join(block), INK, font, spacing=LEADING - SIZE)
        top += heights[i]
    return image


def cards(texts: Sequence[str]) -> list[Image.Image]:
    """An image of each text, all of one size."""
    blocks = [_wrapped(text, CARD) for text in texts]
    height = LEADING * max((len(block) for block in blocks), default=1) + 2 * MARGIN
    return [_card(block, height) for block in blocks]


def _card(lines: Sequence[str], height: int) -> Image.Image:
    image = Image.new("RGB", (CARD * 8 + 2 * MARGIN, height), PAPER)
    font = ImageFont.load_default(SIZE)
    ImageDraw.Draw(image).multiline_text((MARGIN, MARGIN), "\n".join(lines), INK, font, spacing=LEADING - SIZE)
    return image


def _wrapped(text: str, width: int) -> list[str]:
    lines = [part for line in text.split("\n") for part in textwrap.wrap(line, width) or [""]]
    return [*lines[: LINES - 1], "..."] if len(lines) > LINES else lines

"""Runs side by side: their scores in a table, their sheets beside one another."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape

from PIL import Image

from sparring.console import clock
from sparring.errors import InputError
from sparring.files import read_json
from sparring.metrics.results import Number, stored_numbers
from sparring.runs.folder import RunFolder
from sparring.studio.run_index import Card, Shelf

ARROWS = {"low": "↓", "high": "↑", "real": "≈"}


def table(shelf: Shelf, cards: Sequence[Card]) -> str:
    """What is known of runs, a column for each: how they were trained, and what `sparring evaluate` has found."""
    judged = [_judged(card) for card in cards]
    rows = [
        ["recipe", *(card.recipe for card in cards)],
        ["data", *(card.data for card in cards)],
        ["steps", *(f"{card.step:,}" for card in cards)],
        ["time", *(clock(card.seconds) for card in cards)],
        ["samples/s", *(_speed(shelf, card) for card in cards)],
        ["while training", *(card.score or "-" for card in cards)],
    ]
    for name in dict.fromkeys(name for found in judged for name in found):
        rows.append([name, *(found.get(name, "-") for found in judged)])
    head = "".join(f"<th scope=col>{escape(text)}</th>" for text in ("", *(card.name for card in cards)))
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="wide" tabindex="0"><table class="scores"><tr>{head}</tr>{body}</table></div>'


def _speed(shelf: Shelf, card: Card) -> str:
    log = shelf.log(card.path)
    return f"{log[-1]['speed']:,.0f}" if log else "-"


def _judged(card: Card) -> dict[str, str]:
    """The numbers of a run's evaluation by their names, with an arrow to where better is; none where it has none."""
    path = RunFolder(card.path).evaluation
    if not path.is_file():
        return {}
    try:
        numbers = stored_numbers(read_json(path))
        return {f"{name} {ARROWS[n['best']]}": _shown(name, n) for name, n in numbers.items()}
    except (InputError, KeyError, TypeError, AttributeError):
        return {"evaluation": "damaged"}


def _shown(name: str, number: dict[str, float | None]) -> str:
    """A number, and in brackets what real data get."""
    value, real = (
        "-" if number.get(key) is None else str(Number(name, float(number[key] or 0), "real"))
        for key in ("value", "real")
    )
    return value if real == "-" else f"{value} ({real})"


def sheets(named: Sequence[tuple[str, Image.Image, str]]) -> str:
    """Sheets beside one another: (name, sheet, what it shows)."""
    shown = []
    for name, picture, what in named:
        file = io.BytesIO()
        picture.convert("RGB").save(file, "PNG")
        content = base64.b64encode(file.getvalue()).decode()
        said = f"{escape(name)} <span class=quiet>{escape(what)}</span>"
        alt = escape(f"{what} of {name}", quote=True)
        shown.append(
            f'<figure><figcaption>{said}</figcaption><img alt="{alt}" src="data:image/png;base64,{content}"></figure>'
        )
    return f'<div class="sheets">{"".join(shown)}</div>'

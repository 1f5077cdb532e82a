"""Runs side by side: their evaluations in a table, and their sheets next to each other."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from PIL import Image

from sparring.console import clock
from sparring.errors import InputError
from sparring.metrics.results import ARROWS, Number, StoredNumber, read_numbers
from sparring.runs.folder import RunFolder
from sparring.studio.run_index import Card, RunIndex

MISSING = "-"


@dataclass(frozen=True)
class Sheet:
    """An image of a run's samples.

    Attributes:
        name: of the run.
        image: the samples.
        caption: what it shows.
    """

    name: str
    image: Image.Image
    caption: str


def table(runs: RunIndex, cards: Sequence[Card]) -> str:
    """A column for each run: how it was trained, and the metrics that `sparring evaluate` computed."""
    evaluations = [_metrics(card) for card in cards]
    rows = [
        ["recipe", *(card.recipe for card in cards)],
        ["data", *(card.data for card in cards)],
        ["steps", *(f"{card.step:,}" for card in cards)],
        ["time", *(clock(card.seconds) for card in cards)],
        ["samples/s", *(_speed(runs, card) for card in cards)],
        ["during training", *(card.score or MISSING for card in cards)],
    ]
    for name in dict.fromkeys(name for metrics in evaluations for name in metrics):
        rows.append([name, *(metrics.get(name, MISSING) for metrics in evaluations)])
    head = "".join(f"<th scope=col>{escape(text)}</th>" for text in ("", *(card.name for card in cards)))
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="wide" tabindex="0"><table class="scores"><tr>{head}</tr>{body}</table></div>'


def _speed(runs: RunIndex, card: Card) -> str:
    log = [] if card.error else runs.log(card.path)
    return f"{log[-1]['speed']:,.0f}" if log and "speed" in log[-1] else MISSING


def _metrics(card: Card) -> dict[str, str]:
    """The metrics of a run's evaluation by name, with an arrow towards better values; none if it was not evaluated."""
    path = RunFolder(card.path).evaluation
    if not path.is_file():
        return {}
    try:
        return {f"{name} {ARROWS[n['best']]}": _formatted(name, n) for name, n in read_numbers(path).items()}
    except InputError:
        return {"evaluation": "damaged"}


def _formatted(name: str, number: StoredNumber) -> str:
    """A value, followed by that of real data in parentheses."""
    value, real = (
        MISSING if one is None else str(Number(name, float(one), "real"))
        for one in (number["value"], number.get("real"))
    )
    return value if real == MISSING else f"{value} ({real})"


def sheets_html(sheets: Sequence[Sheet]) -> str:
    """Sheets next to each other."""
    figures = []
    for sheet in sheets:
        file = io.BytesIO()
        sheet.image.convert("RGB").save(file, "PNG")
        content = base64.b64encode(file.getvalue()).decode()
        caption = f"{escape(sheet.name)} <span class=muted>{escape(sheet.caption)}</span>"
        alt = escape(f"{sheet.caption} of {sheet.name}", quote=True)
        image = f'<img alt="{alt}" src="data:image/png;base64,{content}">'
        figures.append(f"<figure><figcaption>{caption}</figcaption>{image}</figure>")
    return f'<div class="sheets">{"".join(figures)}</div>'

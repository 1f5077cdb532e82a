"""Runs as cards, in HTML. Whatever a folder holds is text here, never markup."""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from html import escape
from pathlib import Path

from PIL import Image

from sparring.studio.charts import spark
from sparring.studio.run_index import Card, Line

THUMBNAIL = 320  # pixels of a thumbnail's longer side, at most
EMPTY = (
    '<div class="empty"><h3>No runs yet</h3><p>A run is a folder that <code>sparring train</code> writes: samples, '
    "curves, the model. Open <b>Train</b>, choose a folder of files or a set by name, and press Start.</p></div>"
)


def page(cards: Sequence[Card], logs: Mapping[str, Sequence[Line]], states: Mapping[str, str], current: str) -> str:
    """All cards.

    Args:
        logs: of the runs, by name.
        states: of runs that a command is at work on, by name: training, judging, stopping.
        current: the name of the run that is chosen.
    """
    shown = [one(card, logs[card.name], states.get(card.name, ""), card.name == current) for card in cards]
    return f'<div class="cards">{"".join(shown)}</div>' if shown else EMPTY


def one(card: Card, log: Sequence[Line], state: str, chosen: bool) -> str:
    """A card: a button that chooses the run."""
    name = escape(card.name, quote=True)
    if card.why:
        return f'<div class="card broken"><h3>{name}</h3><p class="trouble">{escape(card.why)}</p></div>'
    said = state or ("trained" if card.ready else "unfinished")
    facts = " · ".join(escape(part) for part in (card.recipe, Path(card.data).name, KINDS.get(card.kind, card.kind)))
    share = card.share if said == "training" else None
    bar = "" if share is None else f'<div class="bar"><i style="width:{100 * share:.1f}%"></i></div>'
    trouble = f'<p class="trouble brief">{escape(card.troubles[-1])}</p>' if card.troubles else ""
    score = f'<span class="score">{escape(card.score)}</span>' if card.score else ""
    return (
        f'<button type="button" class="card{" chosen" if chosen else ""}" data-run="{name}" '
        f'aria-pressed="{"true" if chosen else "false"}">'
        f'{_picture(card)}<div class="about"><h3>{name}</h3><span class="state {said}">{said}</span>'
        f'<p class="quiet">{facts}</p><p>{escape(card.bound)}</p>{bar}{score}{spark(log)}{trouble}'
        f'<p class="quiet">{ago(card.changed)}</p></div></button>'
    )


KINDS = {
    "images": "pictures", "rows": "a table", "pairs": "pictures of pictures", "unpaired": "pictures of pictures",
    "degraded": "pictures of pictures",
}  # fmt: skip


def _picture(card: Card) -> str:
    if card.sheet is None:
        return '<div class="thumb none">no samples yet</div>'
    try:
        content = thumbnail(card.sheet, card.sheet.stat().st_mtime_ns)
    except (OSError, SyntaxError):  # it is gone, or half of it is there; the latter is Pillow's word for a broken PNG
        return '<div class="thumb none">no samples yet</div>'
    alt = escape(f"samples of {card.name} at step {int(card.sheet.stem):,}", quote=True)
    return f'<img class="thumb" alt="{alt}" src="data:image/png;base64,{content}">'


@lru_cache(maxsize=256)
def thumbnail(path: Path, _stamp: int) -> str:
    """The middle of a sheet as a small PNG, in base64.

    Args:
        _stamp: when the file was written, since it may be written anew.
    """
    with Image.open(path) as opened:
        sheet = opened.convert("RGB")
    sheet.thumbnail((2 * THUMBNAIL, 2 * THUMBNAIL), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    sheet.quantize(128).save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode()


def _from_here(path: Path) -> Path:
    """As it would be typed where the studio was started."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def ago(when: float) -> str:
    """How long ago a moment was, in words that do not change each second."""
    seconds = time.time() - when
    for unit, name in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= unit:
            many = int(seconds // unit)
            return f"{many} {name}{'s' if many > 1 else ''} ago"
    return "just now"


def details(card: Card, log: Sequence[Line], charts: str) -> str:
    """What a run's page says under its sheet."""
    if card.why:
        return f'<p class="trouble">{escape(card.why)}</p>'
    rows = [
        ("recipe", card.recipe), ("data", card.data), ("makes", KINDS.get(card.kind, card.kind)),
        ("trained", card.bound), ("speed", f"{log[-1]['speed']:,.0f} samples/s" if log else ""),
        ("score", card.score), ("folder", str(_from_here(card.path))),
    ]  # fmt: skip
    facts = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in rows if value)
    troubles = "".join(f'<li class="trouble">{escape(text)}</li>' for text in card.troubles)
    return f"<dl>{facts}</dl>{f'<ul>{troubles}</ul>' if troubles else ''}{charts}"

"""Runs as cards, in HTML. Text from folders is escaped: it never becomes markup."""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from html import escape
from pathlib import Path

from PIL import Image

from sparring.studio.charts import sparkline
from sparring.studio.run_index import Card, Line, as_text

THUMBNAIL_SIDE = 320  # pixels of the longer side
EMPTY = (
    '<div class="empty"><h3>No runs yet</h3><p>A run is a folder written by <code>sparring train</code>: samples, '
    "curves, the model. Open <b>Train</b>, choose a data set by name or a path, and press Start.</p></div>"
)


def page(cards: Sequence[Card], logs: Mapping[str, Sequence[Line]], states: Mapping[str, str], selected: str) -> str:
    """All cards.

    Args:
        logs: of the runs, by name.
        states: of runs that a command works on, by name: training, evaluating, stopping.
        selected: name of the selected run.
    """
    html = [card_html(card, logs[card.name], states.get(card.name, ""), card.name == selected) for card in cards]
    return f'<div class="cards">{"".join(html)}</div>' if html else EMPTY


def card_html(card: Card, log: Sequence[Line], state: str, selected: bool) -> str:
    """A card: a button that selects the run."""
    name = escape(card.name, quote=True)
    if card.error:
        return f'<div class="card broken"><h3>{name}</h3><p class="warning">{escape(card.error)}</p></div>'
    state = state or ("trained" if card.ready else "unfinished")
    summary = " · ".join(escape(part) for part in (card.recipe, Path(card.data).name, card.items))
    bar = progress_bar(card.share if state == "training" else None)
    warning = f'<p class="warning brief">{escape(card.findings[-1])}</p>' if card.findings else ""
    score = f'<span class="score">{escape(card.score)}</span>' if card.score else ""
    return (
        f'<button type="button" class="card{" selected" if selected else ""}" data-run="{name}" '
        f'aria-pressed="{"true" if selected else "false"}">'
        f'{_thumbnail_html(card)}<div class="about"><h3>{name}</h3><span class="state {state}">{state}</span>'
        f'<p class="muted">{summary}</p><p>{escape(card.progress)}</p>{bar}{score}{sparkline(log)}{warning}'
        f'<p class="muted">{ago(card.changed)}</p></div></button>'
    )


def progress_bar(share: float | None) -> str:
    """A bar for a share in [0, 1]; "" for None."""
    return "" if share is None else f'<div class="bar"><i style="width:{100 * share:.1f}%"></i></div>'


def _thumbnail_html(card: Card) -> str:
    placeholder = '<div class="thumb none">no samples yet</div>'
    if card.sheet is None:
        return placeholder
    try:
        content = thumbnail(card.sheet, card.sheet.stat().st_mtime_ns)
    except Exception:  # the file was removed or is being written, or is no image: Pillow raises any exception then
        return placeholder
    alt = escape(f"samples of {card.name} at step {int(card.sheet.stem):,}", quote=True)
    return f'<img class="thumb" alt="{alt}" src="data:image/png;base64,{content}">'


@lru_cache(maxsize=256)
def thumbnail(path: Path, _modified: int) -> str:
    """A sheet as a small PNG in base64.

    Args:
        _modified: when the file was written, so that a new version is read.
    """
    with Image.open(path) as opened:
        sheet = opened.convert("RGB")
    sheet.thumbnail((2 * THUMBNAIL_SIDE, 2 * THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    sheet.quantize(128).save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode()


def _from_here(path: Path) -> Path:
    """A path relative to the folder in which the studio was started, if it is inside."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def ago(when: float) -> str:
    """How long ago a time was, in words that do not change every second."""
    seconds = time.time() - when
    for unit, name in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= unit:
            count = int(seconds // unit)
            return f"{count} {name}{'s' if count > 1 else ''} ago"
    return "just now"


def details(card: Card, log: Sequence[Line], charts: str) -> str:
    """Everything about a run, for the column next to the cards."""
    if card.error:
        return f'<p class="warning">{escape(card.error)}</p>'
    rows = [
        ("recipe", card.recipe), ("data", card.data), ("samples", card.items), ("trained", card.progress),
        ("speed", f"{log[-1]['speed']:,.0f} samples/s" if log and "speed" in log[-1] else ""), ("score", card.score),
        ("folder", as_text(str(_from_here(card.path)))),
    ]  # fmt: skip
    listed = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in rows if value)
    findings = "".join(f'<li class="warning">{escape(text)}</li>' for text in card.findings)
    findings = f"<ul>{findings}</ul>" if findings else ""
    return f'<dl data-run="{escape(card.name, quote=True)}">{listed}</dl>{findings}{charts}'

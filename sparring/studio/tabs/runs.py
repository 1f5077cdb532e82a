"""Runs as cards, and the details of the selected one."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from sparring.runs.folder import RunFolder
from sparring.studio import cards, charts
from sparring.studio.handlers import shows_errors
from sparring.studio.run_index import Card
from sparring.studio.studio import Studio
from sparring.studio.theme import SCROLL_TO_DETAILS, SELECT_CARD

PAGE_SIZE = 24  # cards that are shown at first, and added by a button
REFRESH_INTERVAL = 2.0  # seconds

Updates = dict[Any, Any]  # by component


@dataclass(frozen=True)
class Listing:
    """Components of the list of runs.

    Attributes:
        limit: state with the number of cards that are shown.
        shown: state that identifies what is shown, so that nothing is sent again.
    """

    limit: gr.State
    shown: gr.State
    cards: gr.HTML
    more: gr.Button


@dataclass(frozen=True)
class Details:
    """Components of the selected run.

    Attributes:
        shown: state with the name of the run and its contents as they are shown.
    """

    shown: gr.State
    sheet: gr.Image
    about: gr.HTML
    get: gr.Button
    files: gr.File


def tab(studio: Studio) -> None:
    """Lay out the tab."""
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=280):
            html = gr.HTML(cards.EMPTY, js_on_load=SELECT_CARD, elem_id="cards", apply_default_css=False)
            more = gr.Button("Show more runs", visible=False, size="sm", elem_id="more")
            listing = Listing(gr.State(PAGE_SIZE), gr.State(""), html, more)
        with gr.Column(scale=2, min_width=280, elem_id="run-details"):
            details = _details()
    _connect(studio, listing, details)


def _details() -> Details:
    sheet = gr.Image(
        label="Last sheet", interactive=False, visible=False, format="png", elem_id="run-sheet",
        buttons=["download", "fullscreen"], elem_classes="crisp", alt_text="Samples of the run",
    )  # fmt: skip
    about = gr.HTML("", elem_id="run-about", apply_default_css=False)
    get = gr.Button("Get the run's files", visible=False, elem_id="get-files")
    files = gr.File(label="Files", visible=False, file_count="multiple", elem_id="run-files", elem_classes="downloads")
    return Details(gr.State(("", "")), sheet, about, get, files)


def _connect(studio: Studio, listing: Listing, details: Details) -> None:
    refresh_list: dict[str, Any] = {
        "fn": shows_errors(partial(_list, studio, listing)),
        "inputs": [studio.run, listing.shown, listing.limit],
        "outputs": [listing.cards, listing.shown, listing.more, studio.run],
        "show_progress": "hidden",
    }
    refresh_details: dict[str, Any] = {
        "fn": shows_errors(partial(_show_details, studio, details)),
        "inputs": [studio.run, details.shown],
        "outputs": list(vars(details).values()),
        "show_progress": "hidden",
    }
    timer = gr.Timer(REFRESH_INTERVAL)
    for trigger in (timer.tick, studio.run.change):
        trigger(**refresh_list)
        trigger(**refresh_details)
    listing.cards.select(shows_errors(partial(_select, studio)), None, studio.run, show_progress="hidden").then(
        None, js=SCROLL_TO_DETAILS
    )
    listing.more.click(lambda limit: limit + PAGE_SIZE, listing.limit, listing.limit).then(**refresh_list)
    details.get.click(
        shows_errors(lambda name: gr.File(value=copy_files(studio, name), visible=True)), studio.run, details.files
    )


def _list(studio: Studio, listing: Listing, selected: str | None, shown: str, limit: int) -> Updates:
    """The cards, if they have changed."""
    all_cards = studio.runs.cards()
    names = [card.name for card in all_cards]
    name = selected if selected in names else next(iter(names), None)
    first = all_cards[:limit]
    logs = {card.name: [] if card.error else studio.runs.log(card.path) for card in first}
    html = cards.page(first, logs, studio.job_states(first), name or "")
    digest = hashlib.sha256((html + "\n".join(sorted(names))).encode()).hexdigest()
    if digest == shown:
        return {listing.shown: gr.skip()}
    # The user may have selected another run meanwhile: the selection is only set if the selected run does not exist.
    run = gr.Dropdown(choices=names) if name == selected else gr.Dropdown(choices=names, value=name)
    return {
        listing.cards: html,
        listing.shown: digest,
        listing.more: gr.Button(visible=len(all_cards) > limit),
        studio.run: run,
    }


def _show_details(studio: Studio, details: Details, name: str | None, shown: tuple[str, str]) -> Updates:
    """The details of a run, if they have changed. Files of another run disappear."""
    path = studio.runs.paths().get(name or "")
    card = None if path is None else studio.runs.card(name or "", path)
    now = name or "", f"{card}"
    if now == shown:
        return {details.shown: gr.skip()}
    updates: Updates = {details.shown: now}
    if now[0] != shown[0]:
        updates[details.files] = gr.File(visible=False, value=None)
    if card is None:
        return updates | {
            details.sheet: gr.Image(visible=False), details.about: "", details.get: gr.Button(visible=False),
        }  # fmt: skip
    log = [] if card.error else studio.runs.log(card.path)
    return updates | {
        details.sheet: gr.Image(value=last_sheet(card), visible=card.sheet is not None),
        details.about: cards.details(card, log, charts.log_charts(log)),
        details.get: gr.Button(visible=not card.error),
    }


def _select(studio: Studio, event: gr.EventData) -> gr.Dropdown:
    studio.runs.path(event.run)
    return gr.Dropdown(choices=list(studio.runs.paths()), value=event.run)


def last_sheet(card: Card) -> Image.Image | None:
    """A run's last sheet of samples."""
    if card.sheet is None or not card.sheet.is_file():
        return None
    try:
        with Image.open(card.sheet) as opened:
            return opened.convert("RGB")
    except Exception:  # as for thumbnails
        return None


def copy_files(studio: Studio, name: str) -> list[str]:
    """Copies of the files of a run: the model as an archive, its card, curves, animation, log, evaluation, recipe."""
    folder = RunFolder(studio.runs.path(name))
    archive = studio.new_file("model.zip")
    copies: list[Path] = []
    if (folder.model / "model.json").is_file():
        copies.append(Path(shutil.make_archive(str(archive.with_suffix("")), "zip", folder.model)))
    for path in (folder.card, folder.curves, folder.progress, folder.log, folder.evaluation, folder.recipe):
        if path.is_file():
            copies.append(Path(shutil.copyfile(path, archive.with_name(path.name))))
    return [str(path) for path in copies]

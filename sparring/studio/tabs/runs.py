"""Runs as cards; one of them is looked at more closely."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from sparring.runs.folder import RunFolder
from sparring.studio import cards, charts
from sparring.studio.look import CHOOSE, SCROLL
from sparring.studio.run_index import Card
from sparring.studio.studio import Studio, told

FIRST = 24  # cards that are shown at first
EVERY = 2.0  # seconds between looks at the folders


def tab(studio: Studio) -> None:
    """Lay out and wire."""
    many, seen, looked = gr.State(FIRST), gr.State(""), gr.State("")
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=280):
            shown = gr.HTML(cards.EMPTY, js_on_load=CHOOSE, elem_id="cards", apply_default_css=False)
            more = gr.Button("Show more runs", visible=False, size="sm", elem_id="more")
        with gr.Column(scale=2, min_width=280, elem_id="run-details"):
            sheet = gr.Image(
                label="Last sheet", interactive=False, visible=False, format="png", elem_id="run-sheet",
                buttons=["download", "fullscreen"], elem_classes="crisp", alt_text="Samples of the run",
            )  # fmt: skip
            facts = gr.HTML("", elem_id="run-facts", apply_default_css=False)
            get = gr.Button("Get the run's files", visible=False, elem_id="get-files")
            files = gr.File(label="Files", visible=False, file_count="multiple", elem_id="run-files")

    def listed(asked: str | None, before: str, limit: int) -> list[Any]:
        found = studio.shelf.cards()
        names = [card.name for card in found]
        name = asked if asked in names else next(iter(names), None)
        first = found[:limit]
        logs = {card.name: [] if card.why else studio.shelf.log(card.path) for card in first}
        html = cards.page(first, logs, studio.states(first), name or "")
        now = hashlib.sha256((html + "\n".join(sorted(names))).encode()).hexdigest()
        if now == before:  # nothing is sent, and nothing on the page moves
            return [gr.skip()] * 4
        # Another's value may have changed meanwhile: it is only set where there is no such run.
        run = gr.Dropdown(choices=names) if name == asked else gr.Dropdown(choices=names, value=name)
        return [html, now, gr.Button(visible=len(found) > limit), run]

    def closer(name: str | None, before: str) -> list[Any]:
        card = studio.shelf.card(name, studio.shelf.path(name)) if name in studio.shelf.paths() and name else None
        now = f"{card}"
        if now == before:
            return [gr.skip()] * 4
        if card is None:
            return [gr.Image(visible=False), "", gr.Button(visible=False), now]
        log = [] if card.why else studio.shelf.log(card.path)
        text = cards.details(card, log, charts.panels(log))
        last = gr.Image(value=picture(card), visible=card.sheet is not None)
        return [last, text, gr.Button(visible=not card.why), now]

    def chosen(event: gr.EventData) -> gr.Dropdown:
        studio.shelf.path(event.run)
        return gr.Dropdown(choices=list(studio.shelf.paths()), value=event.run)

    to_list, to_look = [shown, seen, more, studio.run], [sheet, facts, get, looked]
    timer = gr.Timer(EVERY)
    timer.tick(told(listed), [studio.run, seen, many], to_list, show_progress="hidden")
    timer.tick(told(closer), [studio.run, looked], to_look, show_progress="hidden")
    studio.run.change(told(listed), [studio.run, seen, many], to_list, show_progress="hidden")
    studio.run.change(told(closer), [studio.run, looked], to_look, show_progress="hidden")
    studio.run.change(lambda: gr.File(visible=False, value=None), None, files, show_progress="hidden")
    shown.select(told(chosen), None, studio.run, show_progress="hidden").then(None, js=SCROLL)
    more.click(lambda limit: limit + FIRST, many, many).then(
        told(listed), [studio.run, seen, many], to_list, show_progress="hidden"
    )
    get.click(told(lambda name: gr.File(value=packed(studio, name), visible=True)), studio.run, files)


def picture(card: Card) -> Image.Image | None:
    """A run's last sheet."""
    if card.sheet is None or not card.sheet.is_file():
        return None
    with Image.open(card.sheet) as opened:
        return opened.convert("RGB")


def packed(studio: Studio, name: str) -> list[str]:
    """Copies of what a run has written that is worth keeping: the model as an archive, its card, curves, film, log."""
    folder = RunFolder(studio.shelf.path(name))
    place = studio.place("model.zip")
    made: list[Path] = []
    if (folder.model / "model.json").is_file():
        made.append(Path(shutil.make_archive(str(place.with_suffix("")), "zip", folder.model)))
    for path in (folder.card, folder.curves, folder.progress, folder.log, folder.evaluation, folder.recipe):
        if path.is_file():
            made.append(Path(shutil.copyfile(path, place.with_name(path.name))))
    return [str(path) for path in made]

"""Several runs side by side."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import gradio as gr
from PIL import Image

from sparring.errors import InputError
from sparring.runs.folder import RunFolder
from sparring.studio import scores
from sparring.studio.run_index import Card
from sparring.studio.studio import Studio, downloads, told, whole
from sparring.studio.tabs.runs import picture

MOST = 6  # runs at once
SAMPLES = {"images": 36, "points": 2500, "rows": 1000, "series": 16}


def tab(studio: Studio) -> None:
    """Lay out and wire."""
    with gr.Row(equal_height=False):
        runs = gr.Dropdown(
            label="Runs", info=f"2 to {MOST}", choices=[], value=[], multiselect=True, elem_id="runs", scale=3,
            min_width=260,
        )  # fmt: skip
        seed = gr.Number(0, label="Seed", precision=0, elem_id="compare-seed", min_width=90, scale=1)
    with gr.Row():
        go = gr.Button("Compare", variant="primary", elem_id="compare", min_width=120)
        judge = gr.Button("Judge those without scores", elem_id="judge", min_width=120)
        save = gr.DownloadButton("Download (.html)", visible=False, elem_id="compare-html", min_width=120)
    said = gr.Markdown("", elem_id="compare-said")
    shown = gr.HTML("", elem_id="compared", apply_default_css=False)
    numbers = gr.HTML("", elem_id="scores", apply_default_css=False)

    def judging(names: list[str], of: float, progress: gr.Progress = gr.Progress()) -> list[Any]:
        found = judged(studio, names, progress)
        return [found, *_compared(studio, names, of)]

    def offered(event: gr.SelectData | None = None) -> gr.Dropdown:  # noqa: ARG001
        return gr.Dropdown(choices=list(studio.shelf.paths()))

    runs.focus(offered, None, runs, show_progress="hidden")
    studio.run.change(offered, None, runs, show_progress="hidden")
    compared = [shown, numbers, save]
    go.click(told(partial(_compared, studio)), [runs, seed], compared, show_progress_on=shown)
    judge.click(told(judging), [runs, seed], [said, *compared], show_progress_on=said)


def judged(studio: Studio, names: list[str], progress: Callable[..., Any]) -> str:
    """Judge runs that have not been yet, one after the other, and say what has come of it.

    Args:
        progress: told how many of how many are done, and `desc`, what is being done.

    Raises:
        InputError: where there are too few, too many, or one cannot be read.
    """
    waiting = [card for card in _cards(studio, names) if not RunFolder(card.path).evaluation.is_file()]
    wrong = []
    for i, card in enumerate(waiting):
        progress((i, len(waiting)), desc=f"Judging {card.name}", unit="runs")
        try:
            job = studio.jobs.start(card.path, ["evaluate", "--", str(card.path)])
        except InputError as error:
            wrong.append(f"{card.name} could not be judged: {error}.")
            continue
        job.process.wait()
        if not RunFolder(card.path).evaluation.is_file():
            why = (job.said().strip().splitlines() or ["it was stopped"])[-1].removeprefix("sparring: ")
            wrong.append(f"{card.name} could not be judged: {why}.")
    return " ".join(wrong) or "All of them are judged."


def _compared(studio: Studio, names: list[str], of: float) -> list[Any]:
    cards = _cards(studio, names)
    html = scores.sheets([(card.name, *_sheet(studio, card, whole(of, "Seed"))) for card in cards])
    table = scores.table(studio.shelf, cards)
    path = studio.place("compared.html")
    path.write_text(f"<!doctype html><meta charset=utf-8><title>Runs compared</title>{html}{table}")
    return [html, table, *downloads({".html": path}, (".html",))]


def _cards(studio: Studio, names: list[str]) -> list[Card]:
    """Of the runs to compare.

    Raises:
        InputError: where there are too few, too many, or one cannot be read.
    """
    if not 2 <= len(names or []) <= MOST:
        raise InputError(f"{len(names or [])} runs are chosen; choose 2 to {MOST}")
    cards = [studio.shelf.card(name, studio.shelf.path(name)) for name in names]
    for card in cards:
        if card.why:
            raise InputError(f"{card.name} {card.why}")
    return cards


def _sheet(studio: Studio, card: Card, seed: int) -> tuple[Image.Image, str]:
    """Samples of a seed; the last sheet of what makes pictures of pictures, or has no model yet."""
    if card.ready and card.kind in SAMPLES:
        with studio.models.of(card.path) as model:
            return model.sample(SAMPLES[card.kind], seed=seed).preview(), f"samples of seed {seed}"
    last = picture(card)
    if last is None:
        raise InputError(f"{card.name} has neither a model nor a sheet yet; train it further")
    return last, f"sheet of step {card.step:,}"

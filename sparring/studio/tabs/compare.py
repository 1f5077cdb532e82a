"""Several runs side by side."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import gradio as gr

from sparring.errors import InputError
from sparring.runs.folder import RunFolder
from sparring.studio import scores
from sparring.studio.handlers import shows_errors, whole_number
from sparring.studio.run_index import Card
from sparring.studio.scores import Sheet
from sparring.studio.studio import Studio
from sparring.studio.tabs.runs import last_sheet

MIN_RUNS, MAX_RUNS = 2, 6


def tab(studio: Studio) -> None:
    """Lay out the tab."""
    with gr.Row(equal_height=False):
        runs = gr.Dropdown(
            label="Runs", info=f"{MIN_RUNS} to {MAX_RUNS}", choices=[], value=[], multiselect=True, elem_id="runs",
            scale=3, min_width=260,
        )  # fmt: skip
        seed = gr.Number(0, label="Seed", precision=0, elem_id="compare-seed", min_width=90, scale=1)
    with gr.Row():
        go = gr.Button("Compare", variant="primary", elem_id="compare", min_width=120)
        evaluate = gr.Button("Evaluate those without scores", elem_id="evaluate", min_width=120)
        save = gr.DownloadButton("Download (.html)", visible=False, elem_id="compare-html", min_width=120)
    status = gr.Markdown("", elem_id="compare-status")
    sheets = gr.HTML("", elem_id="compared", apply_default_css=False)
    table = gr.HTML("", elem_id="scores", apply_default_css=False)

    def offer(event: gr.SelectData | None = None) -> gr.Dropdown:  # noqa: ARG001
        return gr.Dropdown(choices=list(studio.runs.paths()))

    runs.focus(offer, None, runs, show_progress="hidden")
    studio.run.change(offer, None, runs, show_progress="hidden")
    compare = shows_errors(partial(_compare, studio))
    go.click(compare, [runs, seed], [sheets, table, save], show_progress_on=sheets)
    evaluate.click(
        shows_errors(partial(_evaluate, studio)), [runs, seed], [status, sheets, table, save], show_progress_on=status
    )


def _evaluate(studio: Studio, names: list[str], seed: float, progress: gr.Progress = gr.Progress()) -> list[Any]:
    status = evaluate_runs(studio, names, progress)
    return [status, *_compare(studio, names, seed)]


def evaluate_runs(studio: Studio, names: list[str], progress: Callable[..., Any]) -> str:
    """Evaluate the runs that have not been evaluated, one after the other. Returns the outcome, in words.

    Args:
        progress: called with (runs done, runs in total), and `desc`, what is being done.

    Raises:
        InputError: if there are too few runs, too many, or one cannot be read.
    """
    waiting = [card for card in _cards(studio, names) if not RunFolder(card.path).evaluation.is_file()]
    failures, trusted = [], ["--trust-code"] if studio.trust else []
    for i, card in enumerate(waiting):
        progress((i, len(waiting)), desc=f"Evaluating {card.name}", unit="runs")
        try:
            job = studio.jobs.start(card.path, ["evaluate", *trusted, "--", str(card.path)])
        except InputError as error:
            failures.append(f"{card.name} could not be evaluated: {error}.")
            continue
        job.process.wait()
        if not RunFolder(card.path).evaluation.is_file():
            reason = (job.output().strip().splitlines() or ["it was stopped"])[-1].removeprefix("sparring: ")
            failures.append(f"{card.name} could not be evaluated: {reason}.")
    return " ".join(failures) or "All of them are evaluated."


def _compare(studio: Studio, names: list[str], seed: float) -> list[Any]:
    cards = _cards(studio, names)
    html = scores.sheets_html([_sheet(studio, card, whole_number(seed, "Seed")) for card in cards])
    table = scores.table(studio.runs, cards)
    path = studio.new_file("compared.html")
    path.write_text(f"<!doctype html><meta charset=utf-8><title>Runs compared</title>{html}{table}")
    return [html, table, gr.DownloadButton(value=str(path), visible=True)]


def _cards(studio: Studio, names: list[str]) -> list[Card]:
    """The runs to compare.

    Raises:
        InputError: if there are too few, too many, or one cannot be read.
    """
    if not MIN_RUNS <= len(names or []) <= MAX_RUNS:
        raise InputError(f"{len(names or [])} runs are selected; select {MIN_RUNS} to {MAX_RUNS}")
    cards = [studio.runs.card(name, studio.runs.path(name)) for name in names]
    for card in cards:
        if card.error:
            raise InputError(f"{card.name} {card.error}")
    return cards


def _sheet(studio: Studio, card: Card, seed: int) -> Sheet:
    """Samples of a seed; the last sheet of a run that has no model yet or generates from given items."""
    model = studio.model(card.name)
    if model is not None and model.modality.source is None:
        with studio.models.use(card.path) as model:
            samples = model.sample(model.modality.preview_items, seed=seed)
        return Sheet(card.name, samples.preview(), f"samples of seed {seed}")
    image = last_sheet(card)
    if image is None:
        raise InputError(f"{card.name} has neither a model nor a sheet yet; train it further")
    return Sheet(card.name, image, f"sheet of step {card.step:,}")

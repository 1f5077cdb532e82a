"""The page: a head with the run that is looked at, and a tab for each thing to do."""

from __future__ import annotations

from functools import partial
from typing import Any

import gradio as gr

from sparring.studio.studio import OLD, SWEPT, Studio, told
from sparring.studio.tabs import apply as picture
from sparring.studio.tabs import compare, edit, runs, sample, train
from sparring.studio.tabs import complete as table

MAPPED = ("pairs", "unpaired", "degraded")
EVERY = 2.0  # seconds between looks at the chosen run's model
FOR = {  # kinds of data, by the tab that is for them
    "sample": ("images", "series", "points"),
    "edit": ("images",),
    "picture": ("images", *MAPPED),
    "table": ("rows",),
}


def page(studio: Studio) -> gr.Blocks:
    """The whole page."""
    forgotten = SWEPT, OLD  # of what Gradio itself keeps
    with gr.Blocks(title="Sparring Studio", analytics_enabled=False, fill_width=True, delete_cache=forgotten) as blocks:
        with gr.Row(elem_id="head"):
            gr.HTML('<h1 class="title">Sparring <span>Studio</span></h1>', scale=3, min_width=180)
            studio.run = gr.Dropdown(
                label="Run", choices=[], value=None, scale=2, min_width=240, elem_id="run", filterable=True
            )
        studio.made = gr.State("")
        with gr.Tabs(elem_id="tabs") as tabs:
            with gr.Tab("Runs", id="runs", elem_id="tab-runs"):
                runs.tab(studio)
            with gr.Tab("Train", id="train", elem_id="tab-train"):
                train.tab(studio)
            with gr.Tab("Sample", id="sample", elem_id="tab-sample", visible=False) as sampling:
                sampled = sample.tab(studio)
            with gr.Tab("Edit", id="edit", elem_id="tab-edit", visible=False) as editing:
                start, edited = edit.tab(studio)
            with gr.Tab("Your picture", id="picture", elem_id="tab-picture", visible=False) as yours:
                pictured = picture.tab(studio, start, tabs)
            with gr.Tab("Table", id="table", elem_id="tab-table", visible=False) as rows:
                asked = table.tab(studio)
            with gr.Tab("Compare", id="compare", elem_id="tab-compare"):
                compare.tab(studio)

        # A tab is there once it suits the run: what is chosen in it before would be lost.
        for kinds, shown, fitted in (
            (FOR["sample"], sampling, sampled), (FOR["edit"], editing, edited), (FOR["picture"], yours, pictured),
            (FOR["table"], rows, asked),
        ):  # fmt: skip
            fits = partial(_fits, studio, kinds)
            fitted.then(told(fits), studio.run, shown, show_progress="hidden")

        # A model comes when a training ends, and another when it has been resumed.
        stamped: dict[str, Any] = {"inputs": studio.run, "outputs": studio.made, "show_progress": "hidden"}
        studio.run.change(told(studio.stamp), **stamped)
        gr.Timer(EVERY).tick(told(studio.stamp), **stamped)

        def opened() -> gr.Dropdown:
            names, chosen = studio.chosen(None)
            return gr.Dropdown(choices=names, value=chosen)

        blocks.load(opened, None, studio.run, show_progress="hidden")
    assert isinstance(blocks, gr.Blocks)
    return blocks


def _fits(studio: Studio, kinds: tuple[str, ...], name: str | None) -> gr.Tab:
    """Whether the run has a use for a tab."""
    return gr.Tab(visible=studio.kind(name) in kinds)

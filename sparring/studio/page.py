"""The page: a header with the selected run, and the tabs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import gradio as gr

from sparring.model import Model
from sparring.studio.handlers import shows_errors
from sparring.studio.studio import CLEANING_INTERVAL, MAX_FILE_AGE, NO_RUN, Stamp, Studio
from sparring.studio.tabs import compare, edit, file, runs, sample, train

REFRESH_INTERVAL = 2.0  # seconds after which a new model of the selected run is noticed


def page(studio: Studio) -> gr.Blocks:
    """The whole page."""
    cleaning = CLEANING_INTERVAL, MAX_FILE_AGE  # of Gradio's own files
    with gr.Blocks(title="Sparring Studio", analytics_enabled=False, fill_width=True, delete_cache=cleaning) as blocks:
        with gr.Row(elem_id="head"):
            gr.HTML('<h1 class="title">Sparring <span>Studio</span></h1>', scale=3, min_width=180)
            studio.run = gr.Dropdown(
                label="Run", choices=[], value=None, scale=2, min_width=240, elem_id="run", filterable=True
            )
        studio.model_stamp = gr.State(NO_RUN)
        with gr.Tabs(elem_id="tabs") as tabs:
            _tabs(studio, tabs)
        # A model is there when a training ends, and another one after it has been resumed.
        stamp: dict[str, Any] = {"inputs": studio.run, "outputs": studio.model_stamp, "show_progress": "hidden"}
        studio.run.change(shows_errors(studio.stamp), **stamp)
        gr.Timer(REFRESH_INTERVAL).tick(shows_errors(studio.stamp), **stamp)
        blocks.load(partial(_load, studio), None, studio.run, show_progress="hidden")
    assert isinstance(blocks, gr.Blocks)
    return blocks


def _tabs(studio: Studio, tabs: gr.Tabs) -> None:
    """All tabs. Those that work with a model appear once they fit the selected run."""
    with gr.Tab("Runs", id="runs", elem_id="tab-runs"):
        runs.tab(studio)
    with gr.Tab("Train", id="train", elem_id="tab-train"):
        train.tab(studio)
    with gr.Tab("Sample", id="sample", elem_id="tab-sample", visible=False) as sample_tab:
        sample_fitted = sample.tab(studio)
    with gr.Tab("Edit", id="edit", elem_id="tab-edit", visible=False) as edit_tab:
        start, edit_fitted = edit.tab(studio)
    with gr.Tab("Your file", id="file", elem_id="tab-file", visible=False) as file_tab:
        file_fitted = file.tab(studio, start, tabs)
    with gr.Tab("Compare", id="compare", elem_id="tab-compare"):
        compare.tab(studio)
    for fitted, component, can_use in (
        (sample_fitted, sample_tab, sample.can_sample),
        (edit_fitted, edit_tab, edit.can_edit),
        (file_fitted, file_tab, file.can_use_files),
    ):
        visible = shows_errors(partial(_visible, studio, can_use))
        fitted.then(visible, studio.model_stamp, component, show_progress="hidden")


def _visible(studio: Studio, can_use: Callable[[Model], bool], stamp: Stamp) -> gr.Tab:
    """Show a tab if it can be used with the model of a run."""
    model = studio.model(stamp.run)
    return gr.Tab(visible=model is not None and can_use(model))


def _load(studio: Studio) -> gr.Dropdown:
    names, selected = studio.selection(None)
    return gr.Dropdown(choices=names, value=selected)

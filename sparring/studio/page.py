"""The page: a head with the run that is looked at, and a tab for each thing to do."""

from __future__ import annotations

import gradio as gr

from sparring.studio.studio import Studio, told
from sparring.studio.tabs import compare, edit, picture, runs, sample, table, train

MAPPED = ("pairs", "unpaired", "degraded")
FOR = {  # kinds of data, by the tab that is for them
    "sample": ("images", "series", "points"),
    "edit": ("images",),
    "picture": ("images", *MAPPED),
    "table": ("rows",),
}


def page(studio: Studio) -> gr.Blocks:
    """The whole page."""
    forgotten = 3600, 24 * 3600  # seconds between looks at files that were handed out, and how old they become
    with gr.Blocks(title="Sparring Studio", analytics_enabled=False, fill_width=True, delete_cache=forgotten) as blocks:
        with gr.Row(elem_id="head"):
            gr.HTML('<h1 class="title">Sparring <span>Studio</span></h1>', scale=3, min_width=180)
            studio.run = gr.Dropdown(
                label="Run", choices=[], value=None, scale=2, min_width=240, elem_id="run", filterable=True
            )
        with gr.Tabs(elem_id="tabs") as tabs:
            with gr.Tab("Runs", id="runs", elem_id="tab-runs"):
                runs.tab(studio)
            with gr.Tab("Train", id="train", elem_id="tab-train"):
                train.tab(studio)
            with gr.Tab("Sample", id="sample", elem_id="tab-sample", visible=False) as sampling:
                sample.tab(studio)
            with gr.Tab("Edit", id="edit", elem_id="tab-edit", visible=False) as editing:
                start = edit.tab(studio)
            with gr.Tab("Your picture", id="picture", elem_id="tab-picture", visible=False) as yours:
                picture.tab(studio, start, tabs)
            with gr.Tab("Table", id="table", elem_id="tab-table", visible=False) as rows:
                table.tab(studio)
            with gr.Tab("Compare", id="compare", elem_id="tab-compare"):
                compare.tab(studio)

        def fitting(name: str | None) -> list[gr.Tab]:
            """Only the tabs that the run has a use for."""
            kind = studio.kind(name)
            studio.modality(name)  # loads the model, without which the tabs are still those of another run
            return [gr.Tab(visible=kind in kinds) for kinds in FOR.values()]

        studio.run.change(told(fitting), studio.run, [sampling, editing, yours, rows], show_progress="hidden")

        def opened() -> gr.Dropdown:
            names, chosen = studio.chosen(None)
            return gr.Dropdown(choices=names, value=chosen)

        blocks.load(opened, None, studio.run, show_progress="hidden")
    assert isinstance(blocks, gr.Blocks)
    return blocks

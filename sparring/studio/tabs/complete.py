"""Rows of a table: asked for by columns, sampled, plotted beside real ones, downloaded."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.events import Dependency

from sparring.errors import InputError
from sparring.modalities.tables.columns import Category
from sparring.modalities.tables.table import Table
from sparring.studio import table_edits as tables
from sparring.studio.studio import Studio, downloads, told, whole

ANY = "any"
MOST = 100_000  # rows at once
SHOWN = 200  # rows of them on the page
FILES = (".csv", ".parquet")


def tab(studio: Studio) -> Dependency:
    """Lay out and wire; returned is what is done for another run."""
    with gr.Row(equal_height=False):
        with gr.Column(scale=1, min_width=270):
            columns = gr.Dropdown(
                label="Ask for", info="Columns that the rows are to be chosen by; none for any rows", multiselect=True,
                choices=[], value=[], elem_id="ask",
            )  # fmt: skip
            form = gr.Column()
            with gr.Row():
                number: dict[str, Any] = {"precision": 0, "min_width": 100, "interactive": True}
                many = gr.Number(1000, label="Rows", elem_id="rows", **number)
                seed = gr.Number(0, label="Seed", elem_id="table-seed", **number)
            go = gr.Button("Sample", variant="primary", elem_id="table-sample")
            named = (("Download (.csv)", "csv"), ("Download (.parquet)", "parquet"))
            files = [gr.DownloadButton(text, visible=False, size="sm", elem_id=f"rows-{s}") for text, s in named]
        with gr.Column(scale=3, min_width=280):
            said = gr.Markdown("", elem_id="table-said")
            frame = gr.Dataframe(label="Rows", interactive=False, visible=False, max_height=340, elem_id="frame")
            plots = gr.HTML("", elem_id="table-plots", apply_default_css=False)
    shown = [said, frame, plots, *files]

    def make(form: str | None, wanted: list[str], name: str, n: float, of: float, *answers: Any) -> list[Any]:
        if form != name:
            raise InputError(f"the form is still that of {form}; press Sample again")
        path = studio.shelf.path(name)
        with studio.models.of(path) as model:
            table = _table(model.modality)
            where = tables.asked(table.columns, _by_column(table, wanted, answers))
            samples = model.sample(whole(n, "Rows", 1, MOST), seed=whole(of, "Seed"), where=where)
            known = studio.models.once(path, "real", tables.real_rows)
            real = None if known is None else tables.obeying(table, known, where)
            charts = tables.figures(table, samples.items, real)
        made: dict[str, Path | None] = {}
        for suffix in FILES:
            place = studio.place(f"{Path(name).name}-{len(samples)}{suffix}")
            samples.save(place)
            made[suffix] = place
        text = _said(len(samples), where, None if real is None else len(real))
        rows = samples.items.head(SHOWN).astype(object)
        return [text, gr.Dataframe(value=rows.where(rows.notna(), ""), visible=True), charts, *downloads(made, FILES)]

    with form:

        @gr.render(inputs=[studio.run, columns], triggers=[studio.made.change, columns.change])  # type: ignore[untyped-decorator]
        def conditions(name: str | None, wanted: list[str]) -> None:
            table, inputs = studio.modality(name), list[Any]()
            if isinstance(table, Table):
                known = {column.name: column for column in table.learned}
                for asked in (column for column in wanted or [] if column in known):
                    inputs += _inputs(name or "", known[asked])
            answer = told(partial(make, name, wanted or []))
            go.click(answer, [studio.run, many, seed, *inputs], shown, show_progress_on=[said, plots])

    def fitting(name: str | None) -> list[Any]:
        table = studio.modality(name)
        names = [column.name for column in table.learned] if isinstance(table, Table) else []
        hidden = [gr.DownloadButton(visible=False) for _ in FILES]
        return [gr.Dropdown(choices=names, value=[]), "", gr.Dataframe(visible=False), "", *hidden]

    return studio.made.change(told(fitting), studio.run, [columns, *shown], show_progress="hidden")


def _inputs(run: str, column: Any) -> list[Any]:
    """What a column is asked for by: a level, or a range. What was chosen stays where other columns come and go."""
    key = f"{run}/{column.name}"
    if isinstance(column, Category):
        level = gr.Dropdown(
            [ANY, *tables.levels(column)], value=ANY, label=column.name, key=key, elem_id=f"ask-{column.name}",
            interactive=True,
        )  # fmt: skip
        return [level]
    low, high = tables.span(column)
    with gr.Row():
        return [
            gr.Textbox(
                "", label=f"{column.name} from", placeholder=low, key=f"{key}/from", min_width=100,
                elem_id=f"ask-{column.name}-from", interactive=True,
            ),
            gr.Textbox(
                "", label="to", placeholder=high, key=f"{key}/to", min_width=100, elem_id=f"ask-{column.name}-to",
                interactive=True,
            ),
        ]  # fmt: skip


def _by_column(table: Table, wanted: list[str], answers: tuple[Any, ...]) -> dict[str, list[Any]]:
    """The answers of a form by the columns that they are to."""
    known, left, found = {column.name: column for column in table.learned}, list(answers), dict[str, list[Any]]()
    for name in (column for column in wanted or [] if column in known):
        several = 1 if isinstance(known[name], Category) else 2
        found[name], left = [None if v == ANY else v for v in left[:several]], left[several:]
    return found


def _table(modality: Any) -> Table:
    assert isinstance(modality, Table)  # the tab is there for no other
    return modality


def _said(n: int, where: list[str], real: int | None) -> str:
    """What is shown."""
    asked = f" with {' and '.join(f'`{text}`' for text in where)}" if where else ""
    if real is None:
        beside = "each column as the model has it noted down; the data are not where they were"
    else:
        beside = f"{real:,} real rows{' of which the same is true' if where else ''}"
    legend = '<span class="key real">real</span> <span class="key made">sampled</span>'
    return f"{n:,} rows{asked}, beside {beside}. {legend}"

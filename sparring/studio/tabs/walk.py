"""Two samples that the user keeps, and the walk from one to the other."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from sparring.errors import InputError
from sparring.studio import walks
from sparring.studio.handlers import shows_errors, whole_number
from sparring.studio.studio import Studio
from sparring.studio.walks import Drawn, Selected

DEFAULT_STEPS, MIN_STEPS, MAX_STEPS = 16, 4, 64


@dataclass(frozen=True)
class End:
    """Components of one end of a walk.

    Attributes:
        kept: state with the kept sample, a `Selected`.
    """

    button: gr.Button
    image: gr.Image
    kept: gr.State


def section(studio: Studio, drawn: gr.State, index: gr.State) -> None:
    """Lay out the components.

    Args:
        drawn: state with the shown samples, a `Drawn`.
        index: state with the index of the selected one.
    """
    gr.Markdown("### From one sample to another\nSelect a sample above and keep it as A; keep another as B.")
    with gr.Row(equal_height=False):
        ends = [_end("A"), _end("B")]
        with gr.Column(scale=2, min_width=260):
            steps = gr.Slider(
                MIN_STEPS, MAX_STEPS, DEFAULT_STEPS, step=1, label="Steps of the walk", elem_id="walk-steps"
            )
            go = gr.Button("Walk from A to B", elem_id="walk")
            files = gr.File(
                label="Files",
                visible=False,
                file_count="multiple",
                interactive=False,
                elem_id="walk-files",
                elem_classes="downloads",
            )
    with gr.Row(equal_height=False):
        sheet = gr.Image(
            label="Walk", interactive=False, visible=False, format="png", elem_classes="crisp", elem_id="walk-sheet",
            alt_text="Samples on the walk from A to B", buttons=["fullscreen"],
        )  # fmt: skip
        film = gr.Image(
            label="Film", interactive=False, visible=False, type="filepath", elem_id="walk-film", height=280,
            elem_classes="crisp", alt_text="Film of the walk from A to B and back", buttons=["fullscreen"],
        )  # fmt: skip
    for end in ends:
        keep = shows_errors(partial(_keep, studio))
        end.button.click(keep, [drawn, index], [end.kept, end.image], show_progress="hidden")
    go.click(
        shows_errors(partial(_walk, studio)), [*(end.kept for end in ends), steps], [sheet, film, files],
        show_progress_on=sheet,
    )  # fmt: skip


def _end(name: str) -> End:
    with gr.Column(min_width=130):
        button = gr.Button(f"Keep as {name}", size="sm", elem_id=f"keep-{name}")
        image = gr.Image(
            label=name, interactive=False, height=170, format="png", elem_classes="crisp", buttons=[],
            elem_id=f"kept-{name}", alt_text=f"Kept sample {name}",
        )  # fmt: skip
        return End(button, image, gr.State(None))


def _keep(studio: Studio, drawn: Drawn | None, index: int | None) -> list[Any]:
    if drawn is None or index is None:
        raise InputError("no sample is selected; press one in the gallery first")
    if drawn.truncation:
        raise InputError("these samples were truncated and have no walks; sample with truncation 0")
    with studio.models.use(studio.runs.path(drawn.run)) as model:
        kept = walks.selected(model, drawn.run, drawn.request, drawn.seed, index)
    return [kept, gr.Image(value=walks.enlarged(drawn.images[index]), label=kept.description)]


def _walk(studio: Studio, a: Selected | None, b: Selected | None, steps: float) -> list[Any]:
    if a is None or b is None:
        raise InputError("two samples are needed; keep one as A and one as B")
    with studio.models.use(studio.runs.path(a.run)) as model:
        images = walks.walk(model, a, b, whole_number(steps, "Steps", 2, MAX_STEPS))
    sheet, film = studio.new_file("walk.png"), studio.new_file("walk.gif")
    walks.sheet(images).save(sheet)
    walks.write_film(images, film)
    return [
        gr.Image(value=str(sheet), visible=True), gr.Image(value=str(film), visible=True),
        gr.File(value=[str(sheet), str(film)], visible=True),
    ]  # fmt: skip

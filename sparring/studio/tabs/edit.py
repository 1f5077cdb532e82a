"""A sample that changes while the user moves sliders along directions of the latent space."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from html import escape
from typing import Any

import gradio as gr
from gradio.events import Dependency
from PIL import Image

from sparring.errors import InputError
from sparring.model import Model
from sparring.studio import sliders, walks
from sparring.studio.ask_form import choices
from sparring.studio.handlers import shows_errors, whole_number
from sparring.studio.sliders import MAX_SLIDERS, Slider
from sparring.studio.studio import NO_RUN, Stamp, Studio
from sparring.studio.walks import Selected

METHODS = {
    "codes": "codes of the model",
    "sefa": "SeFa: largest effect on the first layer",
    "pca": "PCA: largest variance among samples",
    "labels": "labels of the data, predicted by a classifier",
}

Updates = dict[Any, Any]  # by component


@dataclass(frozen=True)
class Components:
    """Components of the tab.

    Attributes:
        fitted: state with the stamp of the model that the components fit.
        start: state with the sample that is edited, a `Selected`; other tabs may set it.
        found: state with the name of the run and the sliders of the chosen method.
        edits: state with the images that the user kept.
    """

    fitted: gr.State
    start: gr.State
    found: gr.State
    edits: gr.State
    image: gr.Image
    reset: gr.Button
    keep: gr.Button
    kept: gr.Gallery
    run: gr.HTML
    seed: gr.Number
    label: gr.Dropdown
    method: gr.Dropdown
    sliders: list[gr.Slider]


def can_edit(model: Model) -> bool:
    """True if points of a latent space can be moved along directions."""
    space = model.game.space()
    return space is not None and not space.per_step


def tab(studio: Studio) -> tuple[gr.State, Dependency]:
    """Lay out the tab.

    Returns:
        The state with the sample that is edited, which other tabs may set, and the event that fits the tab to another
        run.
    """
    with gr.Row(equal_height=False):
        with gr.Column(scale=2, min_width=280):
            left = _image()
        with gr.Column(scale=3, min_width=280):
            right = _settings()
    parts = Components(gr.State(NO_RUN), gr.State(None), gr.State(("", ())), gr.State(()), *left, *right)
    return parts.start, _connect(studio, parts)


def _image() -> tuple[Any, ...]:
    image = gr.Image(
        label="Edited", interactive=False, format="png", elem_id="edited", elem_classes="crisp", height=380,
        alt_text="The edited sample", buttons=["download", "fullscreen"],
    )  # fmt: skip
    with gr.Row():
        reset = gr.Button("Reset", elem_id="edit-reset", min_width=80)
        keep = gr.Button("Keep", elem_id="edit-keep", min_width=80)
    kept = gr.Gallery(
        label="Kept", columns=6, height="auto", object_fit="contain", format="png", visible=False, buttons=[],
        elem_id="edit-kept", elem_classes="crisp", interactive=False, allow_preview=False,
    )  # fmt: skip
    return image, reset, keep, kept


def _settings() -> tuple[Any, ...]:
    run = gr.HTML("", elem_id="edit-run", apply_default_css=False)
    with gr.Row():
        seed = gr.Number(0, label="Seed of the sample", precision=0, elem_id="edit-seed", min_width=130)
        label = gr.Dropdown(label="Label", choices=choices(()), value="", visible=False, elem_id="edit-label")
        method = gr.Dropdown(label="Directions", choices=[], elem_id="method", min_width=320, scale=2)
    rows = [
        gr.Slider(-3, 3, 0, step=sliders.STEP, label=f"{i + 1}", visible=False, elem_id=f"slider-{i + 1}")
        for i in range(MAX_SLIDERS)
    ]
    return run, seed, label, method, rows


def _connect(studio: Studio, parts: Components) -> Dependency:
    draw: dict[str, Any] = {
        "fn": shows_errors(partial(_draw, studio)),
        "inputs": [studio.run, parts.start, parts.found, *parts.sliders],
        "outputs": parts.image,
        "show_progress": "hidden",
        "trigger_mode": "always_last",
    }
    # `input` is triggered by users only, `change` also by other handlers, which draw themselves when they are done.
    for slider in parts.sliders:
        slider.input(**draw)
    parts.start.change(_reset_for_given, parts.start, parts.sliders, show_progress="hidden").then(**draw)
    for component in (parts.seed, parts.label):
        begin = shows_errors(partial(_begin, studio))
        component.input(begin, [studio.run, parts.seed, parts.label], parts.start, show_progress="hidden")
    parts.method.input(
        shows_errors(partial(_find, studio, parts)), [studio.run, parts.method], [parts.found, *parts.sliders],
        show_progress_on=parts.image,
    ).then(**draw)  # fmt: skip
    parts.reset.click(lambda: [0] * MAX_SLIDERS, None, parts.sliders, show_progress="hidden").then(**draw)
    kept = [parts.edits, parts.kept]
    parts.keep.click(shows_errors(_keep), [parts.image, parts.edits], kept, show_progress="hidden")
    fitted = [
        parts.run, parts.image, parts.label, parts.method, parts.start, parts.found,
        *parts.sliders,
    ]  # fmt: skip
    fitting = studio.on_model(partial(_fit, studio, parts), parts.fitted, [parts.start], fitted)
    fitting.then(**draw)
    return fitting


def _begin(studio: Studio, name: str, seed: float | None, label: str) -> Selected:
    """The sample of a seed."""
    with studio.models.use(studio.runs.path(name)) as model:
        return walks.selected(model, name, model.request(label=label or None), whole_number(seed, "Seed"), 0)


def _find(studio: Studio, parts: Components, name: str, method: str) -> Updates:
    """The sliders of a method, all at rest."""
    found: list[Slider] = []
    if method:
        key = "sliders", method
        found = studio.models.computed(studio.runs.path(name), key, lambda model: sliders.sliders(model, method))
    updates: Updates = {parts.found: (name, tuple(found))}
    for component, slider in zip(parts.sliders, found, strict=False):
        updates[component] = gr.Slider(
            slider.low, slider.high, 0, step=slider.step, label=slider.name, info=slider.info or None, visible=True
        )
    return updates | {component: gr.Slider(visible=False, value=0) for component in parts.sliders[len(found) :]}


def _draw(
    studio: Studio, name: str, start: Selected | None, found: tuple[str, tuple[Slider, ...]],
    *values: float,
) -> Any:  # fmt: skip
    """Draw the edited sample; the label of the image says which one it is."""
    owner, moving = found
    if start is None or not name == start.run == owner:  # events of one run may arrive after another was selected
        return gr.skip()
    with studio.models.use(studio.runs.path(name)) as model:
        point = sliders.moved(start.point, moving, values)
        (image,) = walks.images(model, point[None], start.condition)
    path = studio.new_file("edited.png")
    walks.enlarged(image).save(path)
    changes = sliders.described(moving, values)
    return gr.Image(value=str(path), label=f"{name}, {start.description}{f': {changes}' if changes else ''}")


def _reset_for_given(start: Selected | None) -> list[Any]:
    """A user's own item is first shown as it is."""
    return [0 if start is not None and start.given else gr.skip()] * MAX_SLIDERS


def _keep(shown: Any, before: tuple[Any, ...]) -> list[Any]:
    if shown is None:
        raise InputError("there is nothing to keep; select a run whose samples can be edited")
    now = (*before, Image.fromarray(shown))
    return [now, gr.Gallery(value=list(now), visible=True)]


def _fit(studio: Studio, parts: Components, stamp: Stamp, start: Selected | None) -> Updates:
    """Fit the tab to a run."""
    name = stamp.run
    model = studio.model(name)
    if model is None or not can_edit(model):
        return {parts.run: ""}
    methods = sliders.methods(model)
    labels = choices(model.modality.classes if model.game.classes else ())
    begin = start if start is not None and start.run == name else _begin(studio, name, 0, "")
    try:
        found = _find(studio, parts, name, methods[0])
    except InputError as error:  # other methods may work
        gr.Warning(str(error))
        found = _find(studio, parts, name, "")
    return {
        parts.run: f'<p class="muted" data-run="{escape(name, quote=True)}">Edits of <b>{escape(name)}</b></p>',
        parts.image: gr.Image(value=None, label="Edited"),
        parts.label: gr.Dropdown(choices=labels, value="", visible=len(labels) > 1),
        parts.method: gr.Dropdown(choices=[(METHODS[method], method) for method in methods], value=methods[0]),
        parts.start: begin,
        **found,
    }

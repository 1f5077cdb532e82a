"""Sliders along directions: a picture that changes while they move."""

from __future__ import annotations

from functools import partial
from typing import Any

import gradio as gr
from gradio.events import Dependency
from PIL import Image

from sparring.errors import InputError
from sparring.studio import edits, sampling
from sparring.studio.sampling import YOURS, Kept
from sparring.studio.studio import Studio, told, whole

ANY = "any"
NAMED = {
    "codes": "codes of the model",
    "sefa": "SeFa: what moves the first layer most",
    "pca": "PCA: what varies most among samples",
    "labels": "labels of the data, told by a classifier",
}


def tab(studio: Studio) -> tuple[gr.State, Dependency]:
    """Lay out and wire.

    Returns:
        The state that holds what is edited, a `Kept`, which other tabs may set; and what is done for another run.
    """
    start, turned = gr.State(None), gr.State(("", ()))
    with gr.Row(equal_height=False):
        with gr.Column(scale=2, min_width=280):
            picture = gr.Image(
                label="Edited", interactive=False, format="png", elem_id="edited", elem_classes="crisp", height=380,
                alt_text="The edited picture", buttons=["fullscreen"],
            )  # fmt: skip
            with gr.Row():
                reset = gr.Button("Reset", elem_id="edit-reset", min_width=80)
                keep = gr.Button("Keep", elem_id="edit-keep", min_width=80)
                save = gr.DownloadButton("Download (.png)", elem_id="edit-png", visible=False, min_width=120)
            kept = gr.Gallery(
                label="Kept", columns=6, height="auto", object_fit="contain", format="png", visible=False, buttons=[],
                elem_id="edit-kept", elem_classes="crisp", interactive=False, allow_preview=False,
            )  # fmt: skip
        with gr.Column(scale=3, min_width=280):
            with gr.Row():
                seed = gr.Number(
                    0, label="Begin with the sample of seed", precision=0, elem_id="edit-seed", min_width=130
                )
                label = gr.Dropdown(label="Label", choices=[ANY], value=ANY, visible=False, elem_id="edit-label")
                method = gr.Dropdown(label="Directions", choices=[], elem_id="method", min_width=320, scale=2)
            said = gr.Markdown("", elem_id="edit-start")
            sliders = [
                gr.Slider(-3, 3, 0, step=edits.STEP, label=f"{i + 1}", visible=False, elem_id=f"slider-{i + 1}")
                for i in range(edits.MOST)
            ]
    kept_items = gr.State(())

    asked, values = [studio.run, start, turned, *sliders], [turned, *sliders]
    quick: dict[str, Any] = {"show_progress": "hidden", "trigger_mode": "always_last"}
    drawn, begun = told(partial(_draw, studio)), told(partial(_begun, studio))
    for slider in sliders:
        slider.change(drawn, asked, [picture, save], **quick)
    start.change(drawn, asked, [picture, save], **quick)
    start.change(told(_anew), start, [said, *sliders], show_progress="hidden")
    seed.change(begun, [studio.run, seed, label], [start, said], show_progress="hidden")
    label.change(begun, [studio.run, seed, label], [start, said], show_progress="hidden")
    method.change(told(partial(_turn, studio)), [studio.run, method], values, show_progress_on=said).then(
        drawn, asked, [picture, save], **quick
    )
    reset.click(lambda: [0] * len(sliders), None, sliders, show_progress="hidden")

    keep.click(told(_keeping), [picture, kept_items], [kept_items, kept], show_progress="hidden")

    fitted = studio.made.change(
        told(partial(_fitting, studio)),
        [studio.run, start],
        [label, method, start, said, *values],
        show_progress="hidden",
    )
    fitted.then(drawn, asked, [picture, save], **quick)
    return start, fitted


def _begun(studio: Studio, name: str, of: float, which: str) -> list[Any]:
    with studio.models.of(studio.shelf.path(name)) as model:
        number = whole(of, "Seed")
        samples = model.sample(1, None if which in (None, ANY) else which, number)
        one = sampling.kept(model, name, samples, number, 0)
    return [one, f"Editing {one.said}."]


def _turn(studio: Studio, name: str, how: str) -> list[Any]:
    if not how:
        return [(name, ()), *(gr.Slider(visible=False, value=0) for _ in range(edits.MOST))]
    knobs = studio.models.once(studio.shelf.path(name), ("knobs", how), lambda model: edits.knobs(model, how))
    updates = [
        gr.Slider(knob.low, knob.high, 0, step=knob.step, label=knob.name, info=knob.share or None, visible=True)
        for knob in knobs
    ]
    return [
        (name, tuple(knobs)),
        *updates,
        *(gr.Slider(visible=False, value=0) for _ in range(edits.MOST - len(knobs))),
    ]


def _draw(
    studio: Studio, name: str, one: Kept | None, turned: tuple[str, tuple[edits.Knob, ...]], *values: float
) -> list[Any]:
    of, knobs = turned
    if one is None or not name == one.run == of:  # the sliders of one run may come while another is chosen
        return [gr.skip()] * 2
    with studio.models.of(studio.shelf.path(name)) as model:
        pixels = edits.edited(model, one.point, one.label, knobs, values)
    path = studio.place("edited.png")
    sampling.enlarged(pixels).save(path)
    return [str(path), gr.DownloadButton(value=str(path), visible=True)]


def _anew(one: Kept | None) -> list[Any]:
    """Another tab's picture begins as it is."""
    if one is None or one.said != YOURS:
        return [gr.skip()] * (1 + edits.MOST)
    return [f"Editing {one.said}.", *[0] * edits.MOST]


def _keeping(shown: Any, before: tuple[Any, ...]) -> list[Any]:
    if shown is None:
        raise InputError("there is no picture to keep; choose a run that makes pictures")
    now = (*before, Image.fromarray(shown))
    return [now, gr.Gallery(value=list(now), visible=True)]


def _fitting(studio: Studio, name: str | None, one: Kept | None) -> list[Any]:
    modality = studio.modality(name)
    if modality is None or name is None or modality.kind != "images":
        return [gr.skip()] * (5 + edits.MOST)
    with studio.models.of(studio.shelf.path(name)) as model:
        ways = [(NAMED[way], way) for way in edits.methods(model)]
        labels = [ANY, *modality.classes] if model.game.classes else [ANY]
    begin = [one, gr.skip()] if one is not None and one.run == name else _begun(studio, name, 0, ANY)
    first = ways[0][1]
    return [
        gr.Dropdown(choices=labels, value=ANY, visible=len(labels) > 1), gr.Dropdown(choices=ways, value=first),
        *begin, *_turn(studio, name, first),
    ]  # fmt: skip

"""Samples of a run: a gallery, plots and curves, two that are kept, and the way between them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
from gradio.events import Dependency

from sparring.errors import InputError
from sparring.modalities import Samples
from sparring.studio import sampling
from sparring.studio.studio import Studio, downloads, told, whole

ANY = "any"
MOST = 400  # samples at once
FILES = (".png", ".npz", ".csv")
STEPS = 16  # of a way from one sample to another, at first


def tab(studio: Studio) -> Dependency:
    """Lay out and wire; returned is what is done for another run."""
    drawn, place = gr.State(None), gr.State(None)
    with gr.Row(equal_height=False):
        with gr.Column(scale=1, min_width=260):
            many = gr.Slider(1, MOST, 32, step=1, label="How many", elem_id="many")
            seed = gr.Number(0, label="Seed", info="The same seed makes the same samples", precision=0, elem_id="seed")
            label = gr.Dropdown(label="Label", choices=[ANY], value=ANY, visible=False, elem_id="label")
            truncation = gr.Slider(
                0, 2, 0, step=0.05, label="Truncation", info="More typical, less various; 0 for none",
                elem_id="truncation",
            )  # fmt: skip
            length = gr.Number(None, label="Steps of a series", precision=0, visible=False, elem_id="length")
            with gr.Row():
                go = gr.Button("Sample", variant="primary", elem_id="sample", min_width=100)
                again = gr.Button("Next seed", elem_id="next-seed", min_width=100)
            named = (("Sheet or plot (.png)", "png"), ("Arrays (.npz)", "npz"), ("Table (.csv)", "csv"))
            files = [
                gr.DownloadButton(text, visible=False, size="sm", elem_id=f"samples-{suffix}") for text, suffix in named
            ]
        with gr.Column(scale=3, min_width=280):
            gallery = gr.Gallery(
                label="Samples", show_label=False, columns=8, height="auto", object_fit="contain", format="png",
                elem_id="gallery", elem_classes="crisp", allow_preview=False, interactive=False, visible=False,
                buttons=[],
            )  # fmt: skip
            plot = gr.Image(
                label="Samples", interactive=False, visible=False, format="png", elem_id="sample-plot",
                alt_text="Plot of the samples", buttons=["fullscreen"],
            )  # fmt: skip
            keeping = gr.Column(visible=False)
    with keeping:
        _keeping(studio, drawn, place)

    def make(name: str, n: float, of: float, which: str, typical: float, steps: float | None) -> list[Any]:
        samples = _drawn(studio, name, whole(n, "How many", 1, MOST), of, which, typical, steps)
        made = {
            s: _saved(studio, samples, name, s)
            for s in FILES
            if s in {writer.suffix for writer in samples.modality.writers}
        }
        state = {"run": name, "samples": samples, "seed": whole(of, "Seed"), "truncated": bool(typical)}
        return [*_shown(samples), state, None, *downloads(made, FILES)]

    asked = [studio.run, many, seed, label, truncation, length]
    shown = [gallery, plot, keeping, drawn, place, *files]
    go.click(told(make), asked, shown, show_progress_on=[gallery, plot])
    again.click(lambda n: (n or 0) + 1, seed, seed).then(told(make), asked, shown, show_progress_on=[gallery, plot])
    gallery.select(_place, None, place, show_progress="hidden")

    def fitting(name: str | None) -> list[Any]:
        modality = studio.modality(name)
        labels = [ANY, *(modality.classes if modality else ())]
        series, pictures = (modality is not None and modality.kind == kind for kind in ("series", "images"))
        return [
            gr.Dropdown(choices=labels, value=ANY, visible=len(labels) > 1), gr.Number(value=None, visible=series),
            gr.Gallery(value=None, visible=pictures), gr.Image(value=None, visible=False), gr.Column(visible=False),
            None, None, *(gr.DownloadButton(visible=False) for _ in FILES),
        ]  # fmt: skip

    return studio.made.change(told(fitting), studio.run, [label, length, *shown], show_progress="hidden")


def _place(event: gr.SelectData) -> int:
    """Of the sample that was chosen."""
    return int(event.index)


def _drawn(
    studio: Studio, name: str, n: int, seed: float, label: str, truncation: float, length: float | None
) -> Samples:
    with studio.models.of(studio.shelf.path(name)) as model:
        return model.sample(
            n, None if label == ANY else label, whole(seed, "Seed"), truncation or None,
            length=None if length is None else whole(length, "Steps of a series", 1),
        )  # fmt: skip


def _shown(samples: Samples) -> list[Any]:
    if samples.modality.kind != "images":
        return [gr.Gallery(visible=False), gr.Image(value=samples.preview(), visible=True), gr.Column(visible=False)]
    labels, classes = samples.labels, samples.modality.classes
    pictures = [
        (sampling.enlarged(pixels), classes[labels[i]] if labels is not None else f"no. {i + 1}")
        for i, pixels in enumerate(samples.items)
    ]
    return [gr.Gallery(value=pictures, visible=True), gr.Image(visible=False), gr.Column(visible=True)]


def _saved(studio: Studio, samples: Samples, name: str, suffix: str) -> Path:
    path = studio.place(f"{Path(name).name}-{len(samples)}{suffix}")
    samples.save(path)
    return path


def _keeping(studio: Studio, drawn: gr.State, place: gr.State) -> None:
    """Two samples that are kept, and the way from one to the other."""
    gr.Markdown("### From one sample to another\nChoose a picture above, keep it as A; choose another, keep it as B.")
    ends, pictures, buttons = [], [], []
    with gr.Row(equal_height=False):
        for name in "AB":
            with gr.Column(min_width=130):
                buttons.append(gr.Button(f"Keep as {name}", size="sm", elem_id=f"keep-{name}"))
                picture = gr.Image(
                    label=name, interactive=False, height=170, format="png", elem_classes="crisp", buttons=[],
                    elem_id=f"kept-{name}", alt_text=f"Kept sample {name}",
                )  # fmt: skip
                pictures.append(picture)
                ends.append(gr.State(None))
        with gr.Column(scale=2, min_width=260):
            steps = gr.Slider(4, 64, STEPS, step=1, label="Steps of the way", elem_id="way-steps")
            go = gr.Button("Show the way from A to B", elem_id="way")
            with gr.Row():
                sheet = gr.DownloadButton("Sheet (.png)", visible=False, size="sm", elem_id="way-png")
                film = gr.DownloadButton("Film (.gif)", visible=False, size="sm", elem_id="way-gif")
    with gr.Row(equal_height=False):
        line = gr.Image(
            label="The way", interactive=False, visible=False, format="png", elem_classes="crisp", elem_id="way-sheet",
            alt_text="Pictures on the way from A to B", buttons=["fullscreen"],
        )  # fmt: skip
        moving = gr.Image(
            label="As a film", interactive=False, visible=False, type="filepath", elem_id="way-film", height=280,
            elem_classes="crisp", alt_text="Film of the way from A to B and back", buttons=["fullscreen"],
        )  # fmt: skip

    def keep(state: dict[str, Any] | None, which: int | None) -> list[Any]:
        if state is None or which is None:
            raise InputError("no sample is chosen; press one in the gallery first")
        if state["truncated"]:
            raise InputError("these samples were truncated and have no way between them; sample with truncation 0")
        with studio.models.of(studio.shelf.path(state["run"])) as model:
            one = sampling.kept(model, state["run"], state["samples"], state["seed"], which)
        return [one, gr.Image(value=sampling.enlarged(state["samples"].items[which]), label=one.said)]

    def between(a: sampling.Kept | None, b: sampling.Kept | None, n: float) -> list[Any]:
        if a is None or b is None:
            raise InputError("two samples are needed; keep one as A and one as B")
        with studio.models.of(studio.shelf.path(a.run)) as model:
            found = sampling.way(model, a, b, whole(n, "Steps", 2, 64))
        paths = studio.place("way.png"), studio.place("way.gif")
        sampling.strip(found).save(paths[0])
        sampling.film(list(found), paths[1])
        return [
            gr.Image(value=str(paths[0]), visible=True), gr.Image(value=str(paths[1]), visible=True),
            *downloads(dict(zip((".png", ".gif"), paths, strict=True)), (".png", ".gif")),
        ]  # fmt: skip

    for button, end, picture in zip(buttons, ends, pictures, strict=True):
        button.click(told(keep), [drawn, place], [end, picture], show_progress="hidden")
    go.click(told(between), [*ends, steps], [line, moving, sheet, film], show_progress_on=line)

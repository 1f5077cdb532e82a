"""Samples of a model: a form of what can be asked for, the samples as their kind shows them, and files."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from math import prod
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.events import Dependency
from PIL import Image

from sparring.data.store import Progress
from sparring.errors import InputError
from sparring.files import write_text
from sparring.modalities import Modality, Samples
from sparring.modalities.samples import Comparison
from sparring.model import Model
from sparring.provenance import Mark, sidecars
from sparring.studio import ask_form, charts, parts, walks
from sparring.studio.ask_form import Entry
from sparring.studio.handlers import ONE_RENDER, shows_errors, whole_number
from sparring.studio.parts import Parts
from sparring.studio.studio import NO_RUN, Stamp, Studio
from sparring.studio.tabs import walk
from sparring.studio.walks import Drawn

MAX_SEARCH = 15.0  # seconds for samples that satisfy conditions
MAX_SAMPLES = 100_000  # samples drawn at once
MAX_VALUES = 2**25  # values in all samples that are drawn at once
MAX_GALLERY = 400  # images in the gallery
LEGEND = '<span class="key real">real</span> <span class="key sampled">sampled</span>'

Updates = dict[Any, Any]  # by component


@dataclass(frozen=True)
class Form:
    """Components for input.

    Attributes:
        ready: state with the stamp of the model that the components fit; the form of asks is made when it changes.
        fields: names of the fields that the form of asks shows.
        asks: container of the form of asks.
    """

    ready: gr.State
    fields: gr.Dropdown
    asks: gr.Column
    count: gr.Number
    seed: gr.Number
    truncation: gr.Slider
    go: gr.Button
    again: gr.Button


@dataclass(frozen=True)
class Output:
    """Components that show samples; each kind of data uses some of them.

    Attributes:
        drawn: state with the samples, a `Drawn`.
        index: state with the index of the sample selected in the gallery.
        selection: which sample that is, in words.
        parts: state with what shows the parts of samples of several kinds, a tuple of `Shown`.
        walks: container of the components for walks.
    """

    status: gr.Markdown
    gallery: gr.Gallery
    preview: gr.Image
    audio: gr.Audio
    video: gr.Video
    table: gr.Dataframe
    comparison: gr.HTML
    files: gr.File
    drawn: gr.State
    index: gr.State
    selection: gr.Markdown
    parts: gr.State
    walks: gr.Column

    @property
    def all(self) -> list[Any]:
        return list(vars(self).values())

    def hidden(self) -> Updates:
        """Updates that empty and hide everything."""
        shown = (self.gallery, self.preview, self.audio, self.video, self.table, self.files)
        return {
            **{component: type(component)(value=None, visible=False) for component in shown},
            self.status: "", self.comparison: "", self.selection: "", self.drawn: None, self.index: None,
            self.parts: (), self.walks: gr.Column(visible=False),
        }  # fmt: skip


def can_sample(model: Model) -> bool:
    """True if a model generates samples from noise."""
    return model.modality.source is None


def tab(studio: Studio) -> Dependency:
    """Lay out the tab. Returns the event that fits it to another run."""
    with gr.Row(equal_height=False):
        with gr.Column(scale=1, min_width=270):
            form = _form()
            files = gr.File(
                label="Files",
                visible=False,
                file_count="multiple",
                interactive=False,
                elem_id="sample-files",
                elem_classes="downloads",
            )
        with gr.Column(scale=3, min_width=280):
            output = _output(files)
    with output.walks:
        walk.section(studio, output.drawn, output.index)
    output.gallery.select(
        shows_errors(partial(_select, studio)), output.drawn, [output.index, output.selection, output.parts],
        show_progress="hidden",
    )  # fmt: skip

    with form.asks:

        @gr.render(  # type: ignore[untyped-decorator]
            inputs=[form.ready, form.fields], triggers=[form.ready.change, form.fields.input], **ONE_RENDER
        )
        def asks(stamp: Stamp, chosen: list[str]) -> None:
            _connect(studio, form, output, stamp.run, chosen or [])

    outputs = [form.fields, form.count, form.truncation, *output.all]
    return studio.on_model(partial(_fit, studio, form, output), form.ready, [], outputs)


def _form() -> Form:
    fields = gr.Dropdown(
        label="Ask for", info="Properties that samples are chosen by; none for any samples", multiselect=True,
        choices=[], value=[], visible=False, elem_id="fields", interactive=True,
    )  # fmt: skip
    asks = gr.Column()
    number: dict[str, Any] = {"precision": 0, "min_width": 100, "interactive": True}
    with gr.Row():
        count = gr.Number(32, label="Number", elem_id="count", **number)
        seed = gr.Number(0, label="Seed", elem_id="seed", **number)
    truncation = gr.Slider(
        0, 2, 0, step=0.05, label="Truncation", info="More typical, less diverse samples; 0: none",
        elem_id="truncation", interactive=True,
    )  # fmt: skip
    with gr.Row():
        go = gr.Button("Sample", variant="primary", elem_id="sample", min_width=100)
        again = gr.Button("Next seed", elem_id="next-seed", min_width=100)
    return Form(gr.State(NO_RUN), fields, asks, count, seed, truncation, go, again)


def _output(files: gr.File) -> Output:
    return Output(
        status=gr.Markdown("", elem_id="sample-status"),
        gallery=gr.Gallery(
            label="Samples", show_label=False, columns=8, height="auto", object_fit="contain", format="png",
            elem_id="gallery", elem_classes="crisp", allow_preview=False, interactive=False, visible=False, buttons=[],
        ),
        preview=gr.Image(
            label="Samples", interactive=False, visible=False, format="png", elem_id="preview",
            alt_text="Preview of the samples", buttons=["fullscreen"],
        ),
        audio=gr.Audio(label="Samples", interactive=False, visible=False, type="filepath", elem_id="audio"),
        video=gr.Video(label="Samples", interactive=False, visible=False, elem_id="video"),
        table=gr.Dataframe(label="Samples", interactive=False, visible=False, max_height=340, elem_id="table"),
        comparison=gr.HTML("", elem_id="comparison", apply_default_css=False),
        files=files,
        drawn=gr.State(None),
        index=gr.State(None),
        selection=gr.Markdown("", elem_id="selection"),
        parts=_parts(),
        walks=gr.Column(visible=False),
    )  # fmt: skip


def _parts() -> gr.State:
    state = gr.State(())
    parts.section(state)
    return state


def _select(studio: Studio, drawn: Drawn, event: gr.SelectData) -> list[Any]:
    index = int(event.index)
    return [index, f"Sample {index + 1} is selected.", parts.shown(studio, drawn.parts, index)]


def _connect(studio: Studio, form: Form, output: Output, name: str, chosen: Sequence[str]) -> None:
    """Make the form of asks of a run, and let the buttons draw samples with it."""
    model = studio.model(name)
    if model is None or not can_sample(model):
        return
    run, fields = (escape(text, quote=True) for text in (name, ", ".join(chosen)))
    caption = f'<p class="muted" data-run="{run}" data-fields="{fields}">Samples of <b>{run}</b></p>'
    gr.HTML(caption, elem_id="sample-run", apply_default_css=False)
    entries = ask_form.entries(model.modality, chosen)
    inputs = [component for entry in entries for component in ask_form.components(entry, name)]
    draw = shows_errors(partial(_draw, studio, output, name, entries))
    settings = [studio.run, form.count, form.seed, form.truncation, *inputs]
    shown: dict[str, Any] = {"show_progress_on": [output.status]}
    form.go.click(draw, settings, output.all, key="draw", **shown)
    raised = form.again.click(lambda seed: (seed or 0) + 1, form.seed, form.seed, key="next seed")
    raised.then(draw, settings, output.all, key="draw next", **shown)


def _fit(studio: Studio, form: Form, output: Output, stamp: Stamp) -> Updates:
    """Fit the tab to a run."""
    model = studio.model(stamp.run)
    if model is None or not can_sample(model):
        return {}
    names = ask_form.field_names(model.modality)
    most = max_samples(model.modality)
    return {
        form.fields: gr.Dropdown(choices=names, value=[], multiselect=True, visible=bool(names)),
        form.count: gr.Number(value=min(model.modality.preview_items, most), info=f"1 to {most:,}"),
        form.truncation: gr.Slider(value=0),
        **output.hidden(),
    }


def max_samples(modality: Modality) -> int:
    """Number of samples that may be drawn at once."""
    return max(1, min(MAX_SAMPLES, MAX_VALUES // prod(modality.shape)))


def _patience(n: int) -> Progress:
    """Ends a search for n samples that satisfy conditions after a while: others wait for the model."""
    began = time.monotonic()

    def searched(drawn: int, satisfying: int) -> None:
        if time.monotonic() - began > MAX_SEARCH:
            raise InputError(
                f"only {satisfying:,} of the {n:,} samples were found among {drawn:,} in {MAX_SEARCH:g} seconds; "
                "ask for fewer or for a more common condition"
            )

    return searched


def _draw(
    studio: Studio, output: Output, fitted: str, entries: Sequence[Entry], name: str, count: float | None,
    seed: float | None, truncation: float, *answers: Any,
) -> Updates:  # fmt: skip
    """Draw samples and show them.

    Args:
        fitted: name of the run that the form of asks was made for.
    """
    if fitted != name:
        raise InputError(f"the form is still that of {fitted}; press Sample again")
    path = studio.runs.path(name)
    with studio.models.use(path) as model:
        n = whole_number(count, "Number", 1, max_samples(model.modality))
        asked = ask_form.asked(entries, answers)
        request, number = model.request(**asked), whole_number(seed, "Seed")
        samples = model.sample_request(n, request, number, truncation or None, searched=_patience(n))
        comparison = model.modality.compare(
            samples, request, lambda: studio.models.computed(path, "training items", studio.training_items)
        )
        mark = studio.mark(model)
        shown = samples if mark is None else mark.samples(samples)
        each = Parts(model.modality.parts_of(samples), mark)
        images = model.modality.draw_items(shown)
    texts = ask_form.described(entries, answers)
    gallery = tuple(images or ())[:MAX_GALLERY]
    can_walk = bool(gallery) and model.game.space() is not None
    return {
        **output.hidden(),
        output.status: "\n\n".join([_status(model, n, number, texts, comparison), *map(escape, request.notes)]),
        output.drawn: Drawn(name, request, number, truncation, gallery, each),
        output.parts: parts.shown(studio, each),
        output.walks: gr.Column(visible=can_walk),
        **_shown(output, shown, gallery, comparison),
        **_files(studio, output, samples, name, mark),
    }


def _status(model: Model, n: int, seed: int, texts: Sequence[str], comparison: Comparison | None) -> str:
    words = model.modality.words
    conditions = f" with {' and '.join(f'`{text}`' for text in texts)}" if texts else ""
    status = f"{words.count(n)} of seed {seed}{conditions}"
    return status if comparison is None else f"{status}, compared with {comparison.reference}. {LEGEND}"


def _shown(output: Output, samples: Samples, gallery: Sequence[Image.Image], comparison: Comparison | None) -> Updates:
    """The components that show samples of this kind."""
    updates: Updates = {}
    frame = samples.modality.as_frame(samples)
    if frame is not None:
        updates[output.table] = gr.Dataframe(value=parts.rows_of(frame), visible=True)
    if comparison is not None:
        updates[output.comparison] = charts.distribution_charts(comparison.distributions)
    elif gallery:
        captions = _captions(samples)
        images = [(walks.enlarged(image), caption) for image, caption in zip(gallery, captions, strict=False)]
        updates[output.gallery] = gr.Gallery(value=images, visible=True)
    else:
        updates[output.preview] = gr.Image(value=samples.preview(), visible=True)
    return updates


def _captions(samples: Samples) -> list[str]:
    if samples.labels is None:
        return [f"no. {i + 1}" for i in range(len(samples))]
    return [samples.modality.classes[label] for label in samples.labels]


def _files(studio: Studio, output: Output, samples: Samples, name: str, mark: Mark | None) -> Updates:
    """The samples in every format of their kind, and a player for the first one that a browser plays."""
    modality, paths = samples.modality, []
    updates: Updates = {}
    players: dict[str, tuple[Any, Callable[..., Any]]] = {
        "audio": (output.audio, gr.Audio), "video": (output.video, gr.Video),
    }  # fmt: skip
    for writer in modality.writers:
        path = studio.new_file(f"{Path(name).name}-{len(samples)}{writer.suffix}")
        text = samples.write(writer, path, mark)
        if text is not None:
            beside = sidecars.beside(path)
            write_text(beside, text)
            paths.append(str(beside))
        if path.is_dir():
            path = Path(shutil.make_archive(str(path), "zip", path))
        paths.append(str(path))
        player = players.get(writer.media.partition("/")[0])
        if player is not None and player[0] not in updates:
            updates[player[0]] = player[1](value=str(path), visible=True)
    return {**updates, output.files: gr.File(value=paths, visible=True)}

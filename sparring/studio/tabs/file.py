"""A user's own file: inverted to the latent space of a model, or transformed by a model of given items."""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
import torch
from gradio.events import Dependency
from PIL import Image

from sparring.errors import InputError
from sparring.explore import invert
from sparring.modalities import Samples
from sparring.modalities.find import every_apply_ask
from sparring.model import Model
from sparring.studio import ask_form, mask_editor, walks
from sparring.studio.ask_form import Entry, choices
from sparring.studio.handlers import shows_errors, whole_number
from sparring.studio.studio import NO_RUN, Stamp, Studio
from sparring.studio.walks import Selected
from sparring.use.apply import apply

FIND_LABEL = "find it"  # the choice that leaves the class to the search
DEFAULT_STEPS, MIN_STEPS, MAX_STEPS = 200, 20, 1000  # of an inversion
ENLARGED_SIDE = 256  # pixels that compared images are enlarged to, at most, by a whole factor

Updates = dict[Any, Any]  # by component


@dataclass(frozen=True)
class Components:
    """Components of the tab.

    Attributes:
        fitted: state with the stamp of the model that the components fit.
        painted: state with what is painted in the editor: a `data:` URL, or None.
        inverted: state with the inverted item, a `Selected`.
        image, file: for the upload of an image, or of any other file.
        asks: for what some kinds of models can be asked for, by name.
        video, audio: players of results.
    """

    fitted: gr.State
    painted: gr.State
    inverted: gr.State
    run: gr.HTML
    image: gr.Image
    file: gr.File
    editor: gr.HTML
    mask_status: gr.Markdown
    label: gr.Dropdown
    steps: gr.Slider
    reverse: gr.Checkbox
    sharpness: gr.Slider
    asks: Mapping[str, Any]
    go: gr.Button
    comparison: gr.ImageSlider
    video: gr.Video
    audio: gr.Audio
    status: gr.Markdown
    result: gr.File
    edit: gr.Button

    @property
    def all(self) -> list[Any]:
        return [*(part for part in vars(self).values() if part is not self.asks), *self.asks.values()]


def can_use_files(model: Model) -> bool:
    """True if a model transforms given files, or generates images to whose latent space others can be inverted."""
    modality = model.modality
    return bool(modality.applied_media) or (modality.classifier_input is not None and model.game.space() is not None)


def tab(studio: Studio, start: gr.State, tabs: gr.Tabs) -> Dependency:
    """Lay out the tab. Returns the event that fits it to another run.

    Args:
        start: state with the sample that the edit tab shows.
        tabs: of the page.
    """
    with gr.Row(equal_height=False):
        with gr.Column(min_width=280):
            left = _input()
        with gr.Column(min_width=280):
            right = _output()
    parts = Components(gr.State(NO_RUN), gr.State(None), gr.State(None), *left, *right)
    parts.image.change(
        shows_errors(partial(_open_editor, studio, parts)), [studio.run, parts.image],
        [parts.editor, parts.painted, parts.mask_status], show_progress="hidden",
    )  # fmt: skip
    parts.editor.select(
        shows_errors(partial(_painted, studio)), [studio.run, parts.image], [parts.painted, parts.mask_status],
        show_progress="hidden",
    )  # fmt: skip
    inputs = [
        studio.run, parts.image, parts.file, parts.painted, parts.label, parts.steps, parts.reverse, parts.sharpness,
        *parts.asks.values(),
    ]  # fmt: skip
    outputs = [parts.comparison, parts.video, parts.audio, parts.status, parts.result, parts.inverted, parts.edit]
    parts.go.click(shows_errors(partial(_run, studio, parts)), inputs, outputs, show_progress_on=parts.status)
    parts.edit.click(shows_errors(_to_edit), parts.inverted, start).success(
        lambda: gr.Tabs(selected="edit"), None, tabs
    )
    fitted, *others = parts.all
    return studio.on_model(partial(_fit, studio, parts), fitted, [], others)


def _input() -> tuple[Any, ...]:
    run = gr.HTML("", elem_id="file-run", apply_default_css=False)
    image = gr.Image(
        label="Your image", type="filepath", sources=["upload", "clipboard"], image_mode=None, format="png",
        elem_id="upload", height=320, elem_classes="crisp",
    )  # fmt: skip
    file = gr.File(label="Your file", type="filepath", visible=False, elem_id="upload-file")
    editor = gr.HTML("", js_on_load=mask_editor.SCRIPT, visible=False, elem_id="mask-editor", apply_default_css=False)
    mask_status = gr.Markdown("", elem_id="mask-status")
    label = gr.Dropdown(label="Label", choices=choices((), FIND_LABEL), value="", visible=False, elem_id="file-label")
    steps = gr.Slider(
        MIN_STEPS, MAX_STEPS, DEFAULT_STEPS, step=20, label="Steps of the search", visible=False, elem_id="invert-steps"
    )
    reverse = gr.Checkbox(label="Opposite direction", visible=False, elem_id="reverse")
    sharpness = gr.Slider(
        0, 1, 1, step=0.05, label="Sharpness", info="0: smaller error, but blurrier", visible=False,
        elem_id="sharpness",
    )  # fmt: skip
    asks = {
        ask.name: ask_form.ask_component(ask, f"file/{ask.name}", f"file-{ask.name}", visible=False)
        for ask in every_apply_ask()
    }
    go = gr.Button("Go", variant="primary", elem_id="file-go")
    return run, image, file, editor, mask_status, label, steps, reverse, sharpness, asks, go


def _output() -> tuple[Any, ...]:
    comparison = gr.ImageSlider(
        label="Before and after", interactive=False, type="pil", format="png", elem_id="before-after",
        elem_classes="crisp", max_height=560,
    )  # fmt: skip
    video = gr.Video(label="Result", interactive=False, visible=False, elem_id="file-video", loop=True)
    audio = gr.Audio(label="Result", interactive=False, visible=False, type="filepath", elem_id="file-audio")
    status = gr.Markdown("", elem_id="file-status")
    result = gr.File(
        label="Result", visible=False, file_count="multiple", interactive=False, elem_id="file-result",
        elem_classes="downloads",
    )  # fmt: skip
    edit = gr.Button("Edit it", visible=False, elem_id="file-edit")
    return comparison, video, audio, status, result, edit


def _open_editor(studio: Studio, parts: Components, name: str | None, path: str | None) -> Updates:
    """Show an uploaded image in the editor, if the model fills holes."""
    model = studio.model(name)
    source = None if model is None else model.modality.source
    html = ""
    if path and model is not None and source is not None and source.masked:
        image = model.modality.draw_given(Path(path))
        html = "" if image is None else mask_editor.editor(image)
    return {parts.editor: html, parts.painted: None, parts.mask_status: ""}


def _painted(studio: Studio, name: str | None, path: str | None, event: gr.EventData) -> list[Any]:
    """What is painted now, and how much of the image that is."""
    mask, painted = _mask(studio, name, path, str(event.mask))
    return [painted, f"{int(mask.sum()):,} pixels will be filled."]


def _mask(studio: Studio, name: str | None, path: str | None, painted: str | None) -> tuple[Any, str | None]:
    """The painted pixels of an uploaded image, bool (h, w), and what they were read from.

    Raises:
        InputError: if nothing is painted.
    """
    model = studio.model(name)
    image = None if model is None else model.modality.draw_given(_given(path))
    if image is None:
        raise InputError("this model fills no holes; select another run")
    return mask_editor.mask(image.size, painted), painted


def _given(path: str | None) -> Path:
    if not path:
        raise InputError("no file is given; upload one, or paste an image")
    return Path(path)


def _run(
    studio: Studio, parts: Components, name: str, image: str | None, file: str | None, painted: str | None, label: str,
    steps: float, reverse: bool, sharpness: float, *asked: Any, progress: gr.Progress = gr.Progress(),
) -> Updates:  # fmt: skip
    """Invert or transform the uploaded file."""
    with studio.models.use(studio.runs.path(name)) as model:
        as_image = model.modality.classifier_input is not None and not file
        if image and file:
            raise InputError("an image and a film are given; remove one of them")
        path = _given(image or file)
        if model.modality.source is None:
            count = whole_number(steps, "Steps", MIN_STEPS, MAX_STEPS)
            return _inverted(studio, parts, model, name, path, label, count, progress)
        mask, details = None, " in the opposite direction" if reverse else ""
        if model.modality.source.masked:
            holes, _ = _mask(studio, name, image, painted)
            details = f", of which {int(holes.sum()):,} were filled"
            mask = studio.new_file("mask.png")
            Image.fromarray(holes).save(mask)
        suffix = ".png" if as_image else model.modality.applied_suffix(path)
        out = studio.new_file(f"{path.stem}-{model.recipe.name}{suffix}")
        form = [Entry(ask) for ask in every_apply_ask()]
        done = apply(model, path, out, mask, reverse, sharpness, **ask_form.asked(form, asked))
        shown = _players(parts, out)
        if _played(out):
            shown[parts.status] = f"{done.count:,} {done.words} in {out.name}{details}."
        else:
            before, after = (model.modality.draw_given(given) for given in (path, out))
            shown |= _compared(parts, before, after, details)
    return {parts.result: gr.File(value=[str(out)], visible=True), **shown}


def _played(out: Path) -> str:
    """The player that a file needs: "video", "audio", or "" for none."""
    kind = (mimetypes.guess_type(out)[0] or "").partition("/")[0]
    return kind if kind in ("video", "audio") else ""


def _players(parts: Components, out: Path | None) -> Updates:
    """Show a result in its player, if it needs one, and hide the others and the comparison of images."""
    kind = _played(out) if out is not None else ""
    return {
        parts.video: gr.Video(value=str(out) if kind == "video" else None, visible=kind == "video"),
        parts.audio: gr.Audio(value=str(out) if kind == "audio" else None, visible=kind == "audio"),
        parts.comparison: gr.ImageSlider(value=None, visible=False),
    }


def _compared(parts: Components, before: Image.Image | None, after: Image.Image | None, details: str) -> Updates:
    """A file before and after it was transformed, if both can be shown.

    Args:
        details: the end of the sentence that describes it.
    """
    if before is None or after is None:
        return {parts.status: f"The file was transformed{details}."}
    sizes = " became ".join(f"{image.width} x {image.height}" for image in (before, after))
    return {
        parts.status: f"{sizes} pixels{details}.",
        parts.comparison: gr.ImageSlider(value=same_size(before, after), visible=True),
    }


def _inverted(
    studio: Studio, parts: Components, model: Model, name: str, path: Path, label: str, steps: int,
    progress: gr.Progress,
) -> Updates:  # fmt: skip
    """The sample of the model that is closest to a given item."""
    modality = model.modality
    given = modality.read_given(path)[:1]
    chosen = torch.tensor([modality.class_index(label)]) if label else None
    result = invert(model, given, chosen, steps, 0, lambda done, of: progress((done, of), desc="Searching"))
    condition = None if result.labels is None else result.labels[0].cpu()
    class_name = "" if condition is None or not modality.classes else f", class {modality.classes[int(condition)]}"
    status = f"Found with a mean squared error of {float(result.errors[0]):.4f} (black 0, white 1){class_name}."
    images = [modality.draw_items(Samples(items, None, modality)) for items in (given, result.pictures)]
    before, after = (walks.enlarged(drawn[0]).convert("RGB") for drawn in images if drawn)
    out = studio.new_file(f"{Path(name).name}-inverted.png")
    after.save(out)
    start = Selected(name, result.points[0].cpu(), condition, "your image", given=True)
    return {
        parts.comparison: gr.ImageSlider(value=(before, after), visible=True),
        parts.status: status,
        parts.inverted: start,
        parts.result: gr.File(value=[str(out)], visible=True),
        parts.edit: gr.Button(visible=True),
    }


def same_size(before: Image.Image, after: Image.Image) -> tuple[Image.Image, Image.Image]:
    """Two images at the size of the second one, which is enlarged if it is small."""
    times = max(1, ENLARGED_SIDE // max(after.size))
    size = after.width * times, after.height * times
    both = [image.convert("RGB").resize(size, Image.Resampling.NEAREST) for image in (before, after)]
    return both[0], both[1]


def _to_edit(inverted: Selected | None) -> Selected:
    if inverted is None:
        raise InputError("there is nothing to edit yet; invert your image first")
    return inverted


def _fit(studio: Studio, parts: Components, stamp: Stamp) -> Updates:
    """Fit the tab to a run."""
    name = stamp.run
    model = studio.model(name)
    if model is None or not can_use_files(model):
        return {parts.run: ""}
    source, as_image = model.modality.source, model.modality.classifier_input is not None
    masked = source is not None and source.masked
    films = source is not None and not masked and model.modality.applied_to_films
    asks = {ask.name for ask in model.modality.apply_asks}
    labels = choices(model.modality.classes if model.game.classes and source is None else (), FIND_LABEL)
    # An image that was uploaded for another run is kept where it is visible, and nowhere else.
    removed: dict[str, Any] = {} if as_image else {"value": None}
    return {
        parts.run: f'<p class="muted" data-run="{escape(name, quote=True)}">Files for <b>{escape(name)}</b></p>',
        parts.image: gr.Image(height=150 if masked else 320, visible=as_image, **removed),
        parts.file: gr.File(value=None, visible=not as_image or films,
                            label="Or a film" if as_image else "Your file"),
        parts.editor: gr.HTML(visible=masked),
        parts.mask_status: "",
        parts.label: gr.Dropdown(choices=labels, value="", visible=len(labels) > 1),
        parts.steps: gr.Slider(visible=source is None),
        parts.reverse: gr.Checkbox(value=False, visible=_supports(model, reverse=True)),
        parts.sharpness: gr.Slider(value=1, visible=_supports(model, sharpness=0.0)),
        **{part: type(part)(value=None, visible=name in asks) for name, part in parts.asks.items()},
        parts.go: gr.Button(value="Find it among the model's samples" if source is None else "Fill holes" if masked
                            else "Transform it"),
        **_players(parts, None),
        parts.comparison: gr.ImageSlider(value=None, visible=as_image),
        parts.status: "",
        parts.inverted: None,
        parts.result: gr.File(value=None, visible=False),
        parts.edit: gr.Button(visible=False),
    }  # fmt: skip


def _supports(model: Model, **settings: Any) -> bool:
    """True if a model transforms items with these settings."""
    try:
        model.mapper(**settings)
    except InputError:
        return False
    return True

"""What a model makes of a user's picture: found among its own, translated, restored or filled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
import torch
from gradio.events import Dependency
from PIL import Image

from sparring.data.sources import Unreadable
from sparring.errors import InputError
from sparring.explore.invert import invert
from sparring.modalities import Modality
from sparring.modalities.images.decoding import loaded, squared
from sparring.model import Model
from sparring.studio import paint, sampling
from sparring.studio.sampling import YOURS, Kept
from sparring.studio.studio import Studio, downloads, told, whole
from sparring.use.apply import apply

ANY = "find it"
STEPS = 200  # of an inversion, at first
BESIDE = 256  # pixels of a side that small pictures are enlarged towards beside one another


def tab(studio: Studio, start: gr.State, tabs: gr.Tabs) -> Dependency:
    """Lay out and wire; returned is what is done for another run.

    Args:
        start: what is edited in the other tab.
        tabs: of the page.
    """
    found, drawn = gr.State(None), gr.State(None)
    with gr.Row(equal_height=False):
        with gr.Column(min_width=280):
            upload = gr.Image(
                label="Your picture", type="filepath", sources=["upload", "clipboard"], image_mode=None, format="png",
                elem_id="upload", height=320, elem_classes="crisp",
            )  # fmt: skip
            painting = gr.HTML("", js_on_load=paint.DRAW, visible=False, elem_id="paint", apply_default_css=False)
            label = gr.Dropdown(label="Label", choices=[ANY], value=ANY, visible=False, elem_id="picture-label")
            steps = gr.Slider(
                20, 1000, STEPS, step=20, label="Steps of the search", visible=False, elem_id="invert-steps"
            )
            reverse = gr.Checkbox(label="The other way", visible=False, elem_id="reverse")
            sharpness = gr.Slider(
                0, 1, 1, step=0.05, label="Sharpness", info="0 errs less and blurs more", visible=False,
                elem_id="sharpness",
            )  # fmt: skip
            go = gr.Button("Go", variant="primary", elem_id="picture-go")
        with gr.Column(min_width=280):
            result = gr.ImageSlider(
                label="Before and after", interactive=False, type="pil", format="png", elem_id="before-after",
                elem_classes="crisp", max_height=560,
            )  # fmt: skip
            said = gr.Markdown("", elem_id="picture-said")
            with gr.Row():
                save = gr.DownloadButton("Download (.png)", visible=False, elem_id="picture-png")
                edit = gr.Button("Edit it", visible=False, elem_id="picture-edit")

    def make(
        name: str, path: str | None, over: str | None, which: str, n: float, other: bool, sharp: float,
        progress: gr.Progress = gr.Progress(),
    ) -> list[Any]:  # fmt: skip
        with studio.models.of(studio.shelf.path(name)) as model:
            if model.modality.source is None:
                return _inverted(studio, model, name, path, which, whole(n, "Steps", 20, 1000), progress)
            given = _given(path)
            mask = _holes(studio, given, over) if model.modality.source.masked else None
            out = studio.place(f"{given.stem}-{model.recipe.name}.png")
            apply(model, given, out, mask, other, sharp)
        before = paint.upright(given)
        with Image.open(out) as after:
            text = f"{before.width} x {before.height} pixels became {after.width} x {after.height}."
            pair = beside(before, after)
        return [pair, text, None, *downloads({".png": out}, (".png",)), gr.Button(visible=False)]

    upload.change(told(_given_over), upload, [painting, drawn], show_progress="hidden")
    painting.select(_drawn, None, drawn, show_progress="hidden")
    go.click(
        told(make), [studio.run, upload, drawn, label, steps, reverse, sharpness], [result, said, found, save, edit],
        show_progress_on=result,
    )  # fmt: skip
    edit.click(told(_same), found, start).then(lambda: gr.Tabs(selected="edit"), None, tabs)

    def fitting(name: str | None) -> list[Any]:
        modality = studio.modality(name)
        if modality is None or name is None or modality.kind in ("rows", "series", "points"):
            return [gr.skip()] * 12
        with studio.models.of(studio.shelf.path(name)) as model:
            return _fitting(model, modality)

    shown = [upload, painting, label, steps, reverse, sharpness, go, result, said, found, save, edit]
    return studio.made.change(told(fitting), studio.run, shown, show_progress="hidden")


def _fitting(model: Model, modality: Modality) -> list[Any]:
    """What a model can do."""
    masked = modality.source is not None and modality.source.masked
    labels = [ANY, *modality.classes] if model.game.classes and modality.source is None else [ANY]
    return [
        gr.Image(height=150 if masked else 320), gr.HTML(visible=masked),
        gr.Dropdown(choices=labels, value=ANY, visible=len(labels) > 1), gr.Slider(visible=modality.source is None),
        gr.Checkbox(value=False, visible=_can(model, reverse=True)),
        gr.Slider(value=1, visible=_can(model, sharpness=0.0)),
        gr.Button(value=_verb(modality)), gr.ImageSlider(value=None), "", None, gr.DownloadButton(visible=False),
        gr.Button(visible=False),
    ]  # fmt: skip


def _verb(modality: Modality) -> str:
    if modality.source is None:
        return "Find it among the model's pictures"
    return "Fill it" if modality.source.masked else "Restore it" if modality.kind == "degraded" else "Translate it"


def _can(model: Model, **asked: Any) -> bool:
    """Whether a model makes pictures of pictures so."""
    try:
        model.mapper(**asked)
    except InputError:
        return False
    return True


def _given(path: str | None) -> Path:
    if not path:
        raise InputError("no picture is given; upload one, or paste it")
    return Path(path)


def _inverted(
    studio: Studio, model: Model, name: str, path: str | None, label: str, steps: int, progress: gr.Progress
) -> list[Any]:
    """The picture of the model's that is nearest to a given one."""
    picture = loaded(_given(path).read_bytes())
    if isinstance(picture, Unreadable):
        raise InputError(f"the picture cannot be used: {picture.why}")
    channels, size, _ = model.modality.shape
    pixels = squared(picture, size, channels).transpose(1, 2, 0)[None].copy()
    asked = None if label == ANY else torch.tensor([model.modality.class_index(label)])
    inversion = invert(model, pixels, asked, steps, 0, lambda done, of: progress((done, of), desc="Searching"))
    chosen = None if inversion.labels is None else int(inversion.labels[0])
    out = studio.place(f"{Path(name).name}-inverted.png")
    sampling.enlarged(inversion.pictures[0]).save(out)
    named = "" if chosen is None else f", as {model.modality.classes[chosen]}"
    text = f"Found with a mean squared error of {float(inversion.errors[0]):.4f} (black 0, white 1){named}."
    kept = Kept(name, inversion.points[0].cpu(), chosen, YOURS)
    pair = sampling.enlarged(pixels[0]).convert("RGB"), sampling.enlarged(inversion.pictures[0]).convert("RGB")
    return [pair, text, kept, *downloads({".png": out}, (".png",)), gr.Button(visible=True)]


def _given_over(path: str | None) -> list[Any]:
    """A picture to draw over, of which nothing is drawn over yet."""
    return [paint.shown(Path(path)) if path else "", None]


def _drawn(event: gr.EventData) -> str:
    return str(event.mask)


def _holes(studio: Studio, given: Path, drawn: str | None) -> Path:
    """A file of what was drawn over a picture."""
    mask = studio.place("mask.png")
    Image.fromarray(paint.mask(given, drawn)).save(mask)
    return mask


def beside(before: Image.Image, after: Image.Image) -> tuple[Image.Image, Image.Image]:
    """Two pictures at the second one's size, enlarged where that is small."""
    times = max(1, BESIDE // max(after.size))
    size = after.width * times, after.height * times
    both = [picture.convert("RGB").resize(size, Image.Resampling.NEAREST) for picture in (before, after)]
    return both[0], both[1]


def _same(one: Kept | None) -> Kept:
    if one is None:
        raise InputError("there is nothing to edit yet; let the model find your picture first")
    return one

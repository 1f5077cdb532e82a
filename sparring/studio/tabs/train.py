"""Start, watch, stop and resume a training."""

from __future__ import annotations

import shutil
import tempfile
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
import torch

from sparring import recipes
from sparring.data import Items
from sparring.devices import resolve
from sparring.errors import InputError
from sparring.files import cached, component
from sparring.modalities import find
from sparring.modalities.find import set_names
from sparring.recipes.base import Recipe
from sparring.studio import charts, forms
from sparring.studio.jobs import Order
from sparring.studio.run_index import unused
from sparring.studio.studio import Studio, told
from sparring.studio.tabs.runs import picture
from sparring.training.bounds import seconds

CHOOSE = "choose for me"
EVERY = 1.0  # seconds between looks at what trains
UPLOADED = (".zip", ".tar", ".gz", ".npz", ".csv", ".tsv", ".parquet")


def tab(studio: Studio) -> None:
    """Lay out and wire."""
    watched, seen = gr.State(""), gr.State("")
    with gr.Row(equal_height=False):
        with gr.Column(min_width=280):
            data, looked, recipe, about = _data()
            time, steps, seed, device, name = _bounds()
            table = gr.Accordion("The recipe's table", open=False, elem_id="table-of-recipe")
            with gr.Row():
                start = gr.Button("Start", variant="primary", elem_id="start", min_width=90)
                stop = gr.Button("Stop", variant="stop", elem_id="stop", interactive=False, min_width=90)
                resume = gr.Button("Resume", elem_id="resume", interactive=False, min_width=90)
        with gr.Column(min_width=280):
            state = gr.HTML(
                '<p class="quiet">What trains is shown here.</p>', elem_id="train-state", apply_default_css=False
            )
            sheet = gr.Image(
                label="Samples", interactive=False, visible=False, format="png", elem_id="train-sheet",
                elem_classes="crisp", buttons=["fullscreen"], alt_text="Samples of the training",
            )  # fmt: skip
            curves = gr.HTML("", elem_id="train-curves", apply_default_css=False)
            output = gr.Textbox(
                label="What the command says", lines=6, max_lines=14, interactive=False, visible=False, autoscroll=True,
                elem_id="train-output", elem_classes="said",
            )  # fmt: skip
    typed: list[Any] = [data, recipe, time, steps, seed, device, name]

    def begin(*values: Any) -> list[Any]:
        source, which, *bounds, called = (str(value or "").strip() for value in values[: len(typed)])
        known = [] if which == CHOOSE else forms.entries(recipes.find(which))
        with studio.ordering:
            order = ordered(studio, source, which, bounds, called, forms.changed(known, values[len(typed) :]))
            studio.jobs.start(order.out, order.words())
        studio.shelf.add(order.out)
        return [str(order.out.resolve()), ""]

    with table:

        @gr.render(inputs=recipe)  # type: ignore[untyped-decorator]
        def form(which: str) -> None:
            inputs: list[Any] = []
            if which == CHOOSE:
                gr.Markdown("Choose a recipe to see its table; what is changed here is passed to the training.")
            else:
                inputs = _form(recipes.find(which))
            start.click(told(begin), [*typed, *inputs], [watched, seen], show_progress="hidden")

    def watch(path: str, before: str, chosen: str | None) -> list[Any]:
        return _watched(studio, path, before, chosen)

    shown = [state, sheet, curves, output, stop, resume, seen, studio.run]
    gr.Timer(EVERY).tick(told(watch), [watched, seen, studio.run], shown, show_progress="hidden")
    studio.run.change(told(lambda name: _path(studio, name)), studio.run, watched, show_progress="hidden")
    stop.click(told(lambda path: _stop(studio, path)), watched, None, show_progress="hidden")
    resume.click(
        told(lambda path, *bounds: _resume(studio, path, bounds)), [watched, time, steps], seen, show_progress="hidden"
    )
    looked.click(told(_look), [data, time, device], [about, recipe], show_progress_on=about)


def _data() -> tuple[gr.Dropdown, gr.Button, gr.Dropdown, gr.Markdown]:
    """What is trained on, and how."""
    data = gr.Dropdown(
        label="Data", info="A set's name, or the path of a folder or a file on this machine", choices=_sets(),
        value="digits", allow_custom_value=True, elem_id="data",
    )  # fmt: skip
    with gr.Row():
        looked = gr.Button("Look at it", elem_id="look", min_width=120)
        upload = gr.UploadButton("Upload a file", file_types=list(UPLOADED), elem_id="upload-data", min_width=120)
    about = gr.Markdown("", elem_id="about-data")
    recipe = gr.Dropdown(
        label="Recipe", choices=[CHOOSE, *recipes.names()], value=CHOOSE, elem_id="recipe",
        info="A published system; without a choice, the data decide",
    )  # fmt: skip
    upload.upload(told(_kept), upload, data)
    return data, looked, recipe, about


def _bounds() -> tuple[Any, ...]:
    """How long, from what seed, where, and under what name."""
    with gr.Row():
        time = gr.Textbox(label="Time", info="such as 90s, 10m, 1h30m", value="2m", elem_id="time", min_width=110)
        steps = gr.Textbox(label="Steps", info="or so many steps", value="", elem_id="steps", min_width=110)
    with gr.Row():
        seed = gr.Textbox(label="Seed", value="0", elem_id="train-seed", min_width=110, interactive=True)
        device = gr.Dropdown(label="Device", choices=_devices(), value="auto", elem_id="device", min_width=110)
    name = gr.Textbox(
        label="Name of the run", placeholder="by its recipe and data", value="", elem_id="name", interactive=True
    )
    return time, steps, seed, device, name


def _form(recipe: Recipe[Any]) -> list[Any]:
    """An input for each field, in the order of the table."""
    doc = (type(recipe).__doc__ or "").strip().splitlines()
    gr.Markdown(doc[0] if doc else "")
    inputs: list[Any] = []
    table = forms.entries(recipe)
    for group in dict.fromkeys(entry.group for entry in table):
        gr.Markdown(f"**{group}**")
        with gr.Row():
            for entry in (e for e in table if e.group == group):
                given: dict[str, Any] = {
                    "label": entry.name, "info": entry.what, "value": entry.value, "min_width": 200,
                    "elem_id": f"field-{entry.name}", "interactive": True,
                }  # fmt: skip
                inputs.append(gr.Dropdown(list(entry.choices), **given) if entry.choices else gr.Textbox(**given))
    return inputs


def ordered(studio: Studio, data: str, recipe: str, bounds: list[str], name: str, fields: dict[str, str]) -> Order:
    """What to train, from what was typed; the run's folder is always a new one where runs are kept.

    Raises:
        InputError: where no data are given, or there is no such recipe.
    """
    if not data:
        raise InputError("no data are given; type a set's name, or the path of a folder or a file")
    time, steps, seed, device = bounds
    if recipe == CHOOSE:
        chosen, _ = _proposed(find(data), time, device)
        called = chosen.name
    elif recipe in recipes.names():
        called = recipe
    else:
        raise InputError(f"there is no recipe {recipe!r}; choose one from the list")
    short = Path(data).name.split(".")[0] or "data"
    out = unused(studio.shelf.home, name or f"{called}-{short}", studio.jobs.busy)
    return Order(data, out, "" if recipe == CHOOSE else recipe, steps, time, seed, device, fields)


def _proposed(items: Items, time: str, device: str) -> tuple[Recipe[Any], str]:
    return recipes.choose(items, resolve(device or "auto").type, seconds(time) if time else None)


def _look(data: str, time: str, device: str) -> list[Any]:
    """What data are, said aloud, and the recipes that can learn them."""
    items = find((data or "").strip())
    recipe, why = _proposed(items, (time or "").strip(), device)
    kinds = {"images": "pictures", "rows": "rows of a table", "series": "steps of a series"}
    lines = [f"**{items.name}**: {len(items):,} {kinds.get(items.kind, items.kind)}"]
    if items.classes:
        named = ", ".join(items.classes[:12]) + (", ..." if len(items.classes) > 12 else "")
        lines[0] += f" in {len(items.classes)} classes ({named})"
    lines += list(items.notes)
    lines.append(f"proposed: **{recipe.name}** ({why})")
    fits = [name for name in recipes.names() if any(items.kind in (m.kind, *m.reads) for m in recipes.find(name).takes)]
    text = "\n".join(f"- {line}" for line in lines)
    return [text, gr.Dropdown(choices=[CHOOSE, *fits], value=CHOOSE)]


def _sets() -> list[str]:
    """The sets that are known by a name."""
    return list(set_names())


def _devices() -> list[str]:
    found = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    return ["auto", "cpu", *([found.type] if found is not None else [])]


def _kept(path: str) -> gr.Dropdown:
    """An uploaded file where a training will find it again when it is resumed: in the user's cache."""
    uploads = cached("uploads")
    uploads.mkdir(parents=True, exist_ok=True)
    kept = Path(tempfile.mkdtemp(dir=uploads)) / component(Path(path).name)
    shutil.copyfile(path, kept)
    return gr.Dropdown(value=str(kept))


def _path(studio: Studio, name: str | None) -> str:
    return str(studio.shelf.path(name).resolve()) if name in studio.shelf.paths() else ""


def _stop(studio: Studio, path: str) -> None:
    job = studio.jobs.of(Path(path)) if path else None
    if job is None or not job.running:
        raise InputError("nothing of this run trains that was started here; stop other commands where they run")
    job.stop()


def _resume(studio: Studio, path: str, bounds: tuple[str, ...]) -> str:
    names = {str(known.resolve()): name for name, known in studio.shelf.paths().items()}
    if path not in names:
        raise InputError("there is no run to resume; choose one under Runs")
    card = studio.shelf.card(names[path], Path(path))
    if card.trains():
        raise InputError(f"{card.name} is being trained by another command; wait for it, or stop it where it runs")
    time, steps = (bound.strip() for bound in bounds)
    if (time and card.seconds >= seconds(time)) or (steps.isdecimal() and card.step >= int(steps)):
        raise InputError(f"{card.name} is at {card.bound}, which is beyond what is typed; give more time or steps")
    order = Order(card.data, card.path, steps=steps, time=time, resume=True)
    studio.jobs.start(card.path, order.words())
    return ""


def _watched(studio: Studio, path: str, before: str, chosen: str | None) -> list[Any]:
    """What there is to see of a run, where that has changed."""
    names = {str(known.resolve()): name for name, known in studio.shelf.paths().items()}
    name = names.get(str(Path(path).resolve())) if path else None
    job = studio.jobs.of(Path(path)) if path else None
    card = studio.shelf.card(name, Path(path)) if name else None
    said, state = (job.said(), job.state) if job else ("", "trained" if card and card.ready else "unfinished")
    now = f"{card} {state} {said}"
    if not path or now == before:
        return [gr.skip()] * 8
    log = studio.shelf.log(Path(path)) if card and not card.why else []
    running = job is not None and job.running
    share = card.share if card and state in ("training", "stopping") else None
    bar = "" if share is None else f'<div class="bar"><i style="width:{100 * share:.1f}%"></i></div>'
    far = f"{card.bound}{bar}" if card else "reading the data" if running else "it has not written anything"
    return [
        f'<p><b>{escape(Path(path).name)}</b> <span class="state {state}">{state}</span></p><p>{far}</p>',
        gr.Image(value=picture(card), visible=True) if card and card.sheet else gr.Image(visible=False),
        charts.panels(log) if log else "",
        gr.Textbox(value=said, visible=bool(said)),
        gr.Button(interactive=running and state != "stopping"),
        gr.Button(interactive=card is not None and not card.why and not running and not card.trains()),
        now,
        gr.Dropdown(choices=list(names.values()), value=name) if name and name != chosen and running else gr.skip(),
    ]

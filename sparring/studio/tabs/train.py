"""Start, watch, stop and resume a training."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
import torch

from sparring import recipes
from sparring.data import Items
from sparring.devices import resolve
from sparring.errors import InputError
from sparring.files import cached, component, resolved
from sparring.modalities import find, kind_of
from sparring.modalities.find import set_names
from sparring.recipes.base import Recipe
from sparring.studio import charts, recipe_form
from sparring.studio.cards import progress_bar
from sparring.studio.handlers import ONE_RENDER, shows_errors
from sparring.studio.jobs import Job, TrainCommand
from sparring.studio.run_index import Card, unused
from sparring.studio.studio import Studio
from sparring.studio.tabs.runs import last_sheet
from sparring.training.bounds import seconds

AUTOMATIC = "choose for me"
REFRESH_INTERVAL = 1.0  # seconds
MAX_CLASSES_LISTED = 12

Updates = dict[Any, Any]  # by component


@dataclass(frozen=True)
class Settings:
    """Components that say what is trained."""

    data: gr.Dropdown
    recipe: gr.Dropdown
    time: gr.Textbox
    steps: gr.Textbox
    seed: gr.Textbox
    device: gr.Dropdown
    name: gr.Textbox

    @property
    def all(self) -> list[Any]:
        return list(vars(self).values())


@dataclass(frozen=True)
class Monitor:
    """Components that show a training.

    Attributes:
        path: state with the run's folder as text; "" for none.
        shown: state that identifies what is shown, so that nothing is sent again.
    """

    path: gr.State
    shown: gr.State
    start: gr.Button
    stop: gr.Button
    resume: gr.Button
    status: gr.HTML
    sheet: gr.Image
    curves: gr.HTML
    output: gr.Textbox


def tab(studio: Studio) -> None:
    """Lay out the tab."""
    with gr.Row(equal_height=False):
        with gr.Column(min_width=280):
            settings, inspect, about = _settings()
            table = gr.Accordion("The recipe's table", open=False, elem_id="recipe-table")
            buttons = _buttons()
        with gr.Column(min_width=280):
            monitor = _monitor(*buttons)

    with table:

        @gr.render(inputs=settings.recipe, **ONE_RENDER)  # type: ignore[untyped-decorator]
        def recipe_table(name: str) -> None:
            table: list[recipe_form.Entry] = []
            if name == AUTOMATIC:
                gr.Markdown("Choose a recipe to see its table. Fields that you change are passed to the training.")
            else:
                recipe = recipes.find(name)
                gr.Markdown((type(recipe).__doc__ or "").strip().partition("\n")[0])
                table = recipe_form.entries(recipe)
            inputs = [*settings.all, *_table_inputs(table)]
            start = shows_errors(partial(_start, studio, table))
            monitor.start.click(start, inputs, [monitor.path, monitor.shown], key="start", show_progress="hidden")

    _connect(studio, settings, monitor)
    inspect.click(
        shows_errors(_inspect), [settings.data, settings.time, settings.device], [about, settings.recipe],
        show_progress_on=about,
    )  # fmt: skip


def _settings() -> tuple[Settings, gr.Button, gr.Markdown]:
    data = gr.Dropdown(
        label="Data", info="The name of a data set, or the path of a folder or a file on this machine",
        choices=list(set_names()), value="digits", allow_custom_value=True, elem_id="data",
    )  # fmt: skip
    with gr.Row():
        inspect = gr.Button("Inspect", elem_id="inspect", min_width=120)
        upload = gr.UploadButton("Upload a file", elem_id="upload-data", min_width=120)
    about = gr.Markdown("", elem_id="about-data")
    recipe = gr.Dropdown(
        label="Recipe", choices=[AUTOMATIC, *recipes.names()], value=AUTOMATIC, elem_id="recipe",
        info="A published GAN; unless you choose one, it is chosen by the data",
    )  # fmt: skip
    upload.upload(shows_errors(_store_upload), upload, data)
    with gr.Row():
        time = gr.Textbox(label="Time", info="such as 90s, 10m, 1h30m", value="2m", elem_id="time", min_width=110)
        steps = gr.Textbox(label="Steps", info="another limit", value="", elem_id="steps", min_width=110)
    with gr.Row():
        seed = gr.Textbox(label="Seed", value="0", elem_id="train-seed", min_width=110, interactive=True)
        device = gr.Dropdown(label="Device", choices=_devices(), value="auto", elem_id="device", min_width=110)
    name = gr.Textbox(
        label="Name of the run", placeholder="by its recipe and data", value="", elem_id="name", interactive=True
    )
    return Settings(data, recipe, time, steps, seed, device, name), inspect, about


def _buttons() -> tuple[gr.Button, gr.Button, gr.Button]:
    with gr.Row():
        return (
            gr.Button("Start", variant="primary", elem_id="start", min_width=90),
            gr.Button("Stop", variant="stop", elem_id="stop", interactive=False, min_width=90),
            gr.Button("Resume", elem_id="resume", interactive=False, min_width=90),
        )


def _monitor(start: gr.Button, stop: gr.Button, resume: gr.Button) -> Monitor:
    status = gr.HTML(
        '<p class="muted">The training is shown here.</p>', elem_id="train-status", apply_default_css=False
    )
    sheet = gr.Image(
        label="Samples", interactive=False, visible=False, format="png", elem_id="train-sheet", elem_classes="crisp",
        buttons=["fullscreen"], alt_text="Samples of the training",
    )  # fmt: skip
    curves = gr.HTML("", elem_id="train-curves", apply_default_css=False)
    output = gr.Textbox(
        label="Output of the command", lines=6, max_lines=14, interactive=False, visible=False, autoscroll=True,
        elem_id="train-output", elem_classes="console-output",
    )  # fmt: skip
    return Monitor(gr.State(""), gr.State(""), start, stop, resume, status, sheet, curves, output)


def _table_inputs(table: Sequence[recipe_form.Entry]) -> list[Any]:
    """An input for each field of a recipe, in the order of its table."""
    inputs: list[Any] = []
    for group in dict.fromkeys(entry.group for entry in table):
        gr.Markdown(f"**{group}**")
        with gr.Row():
            for entry in (e for e in table if e.group == group):
                given: dict[str, Any] = {
                    "label": entry.name, "info": entry.description, "value": entry.value, "min_width": 200,
                    "elem_id": f"field-{entry.name}", "interactive": True,
                }  # fmt: skip
                inputs.append(gr.Dropdown(list(entry.choices), **given) if entry.choices else gr.Textbox(**given))
    return inputs


def _connect(studio: Studio, settings: Settings, monitor: Monitor) -> None:
    shown = [
        monitor.status, monitor.sheet, monitor.curves, monitor.output, monitor.stop, monitor.resume, monitor.shown,
        studio.run,
    ]  # fmt: skip
    gr.Timer(REFRESH_INTERVAL).tick(
        shows_errors(partial(_watch, studio, monitor)), [monitor.path, monitor.shown, studio.run], shown,
        show_progress="hidden",
    )  # fmt: skip
    studio.run.change(shows_errors(partial(_path, studio)), studio.run, monitor.path, show_progress="hidden")
    monitor.stop.click(shows_errors(partial(_stop, studio)), monitor.path, None, show_progress="hidden")
    monitor.resume.click(
        shows_errors(partial(resume, studio)), [monitor.path, settings.time, settings.steps], monitor.shown,
        show_progress="hidden",
    )  # fmt: skip


def _start(studio: Studio, table: Sequence[recipe_form.Entry], *values: Any) -> list[Any]:
    """Start a training of a new run.

    Args:
        table: fields of the recipe in the form.
        values: of `Settings`, then of the fields.
    """
    count = len(values) - len(table)
    data, recipe, *limits, name = (str(value or "").strip() for value in values[:count])
    changed = recipe_form.changed(table, values[count:])
    with studio.new_run_lock:
        command = train_command(studio, data, recipe, limits, name, changed)
        studio.jobs.start(command.out, command.words())
    studio.runs.add(command.out)
    return [str(resolved(command.out)), ""]


def train_command(
    studio: Studio, data: str, recipe: str, limits: list[str], name: str, fields: dict[str, str]
) -> TrainCommand:
    """The training that was entered. Its folder is always a new one in the folder of runs.

    Args:
        limits: time, steps, seed and device.

    Raises:
        InputError: if no data are given, or there is no such recipe.
    """
    if not data:
        raise InputError("no data are given; enter the name of a data set, or the path of a folder or a file")
    time, steps, seed, device = limits
    if recipe == AUTOMATIC:
        stem = _recommended(find(data), time, device)[0].name
    elif recipe in recipes.names():
        stem = recipe
    else:
        raise InputError(f"there is no recipe {recipe!r}; choose one from the list")
    short = Path(data).name.split(".")[0] or "data"
    out = unused(studio.runs.home, name or f"{stem}-{short}", studio.jobs.busy)
    return TrainCommand(data, out, "" if recipe == AUTOMATIC else recipe, steps, time, seed, device, fields)


def _recommended(items: Items, time: str, device: str) -> tuple[Recipe[Any], str]:
    return recipes.choose(items, resolve(device or "auto").type, seconds(time) if time else None)


def _inspect(data: str, time: str, device: str) -> list[Any]:
    """A description of the data, and the recipes that can be trained on them."""
    items = find((data or "").strip())
    recipe, reason = _recommended(items, (time or "").strip(), device)
    lines = [f"**{items.name}**: {items.total:,} {kind_of(items).words.items}"]
    if items.classes:
        listed = ", ".join(items.classes[:MAX_CLASSES_LISTED])
        listed += ", ..." if len(items.classes) > MAX_CLASSES_LISTED else ""
        lines[0] += f" in {len(items.classes)} classes ({listed})"
    lines += [*items.notes, f"recommended: **{recipe.name}** ({reason})"]
    suitable = [name for name in recipes.names() if any(kind.accepts(items) for kind in recipes.find(name).takes)]
    text = "\n".join(f"- {line}" for line in lines)
    return [text, gr.Dropdown(choices=[AUTOMATIC, *suitable], value=AUTOMATIC)]


def _devices() -> list[str]:
    accelerator = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    return ["auto", "cpu", *([accelerator.type] if accelerator is not None else [])]


def _store_upload(path: str) -> gr.Dropdown:
    """Keep an uploaded file in the user's cache, where a resumed training finds it again."""
    uploads = cached("uploads")
    uploads.mkdir(parents=True, exist_ok=True)
    stored = Path(tempfile.mkdtemp(dir=uploads)) / component(Path(path).name)
    shutil.copyfile(path, stored)
    return gr.Dropdown(value=str(stored))


def _path(studio: Studio, name: str | None) -> str:
    return str(resolved(studio.runs.path(name))) if name in studio.runs.paths() else ""


def _stop(studio: Studio, path: str) -> None:
    job = studio.jobs.last(Path(path)) if path else None
    if job is None or not job.running:
        raise InputError("this run is not trained by the studio; stop other commands where they run")
    job.stop()


def resume(studio: Studio, path: str, time: str, steps: str) -> str:
    """Continue a run up to these limits.

    Raises:
        InputError: if there is no such run, it is being trained, or it has reached the limits.
    """
    name = _names(studio).get(path)
    if name is None:
        raise InputError("there is no run to resume; select one under Runs")
    card = studio.runs.card(name, Path(path))
    if card.is_training():
        raise InputError(f"{card.name} is being trained by another command; wait for it, or stop it where it runs")
    time, steps = time.strip(), steps.strip()
    if (time and card.seconds >= seconds(time)) or (steps.isdecimal() and card.step >= int(steps)):
        raise InputError(f"{card.name} is at {card.progress}, which is beyond these limits; give more time or steps")
    file = card.file if studio.trust else ""
    studio.jobs.start(card.path, TrainCommand(card.data, card.path, file, steps, time, resume=True).words())
    return ""


def _names(studio: Studio) -> dict[str, str]:
    """Names of the runs by their folders."""
    return {str(resolved(path)): name for name, path in studio.runs.paths().items()}


def _watch(studio: Studio, monitor: Monitor, path: str, shown: str, selected: str | None) -> Updates:
    """The state of a training, if it has changed."""
    if not path:
        return {monitor.shown: gr.skip()}
    names = _names(studio)
    name, job = names.get(str(resolved(Path(path)))), studio.jobs.last(Path(path))
    card = studio.runs.card(name, Path(path)) if name else None
    output = job.output() if job else ""
    state = job.state if job else "trained" if card and card.ready else "unfinished"
    now = f"{card} {state} {output}"
    if now == shown:
        return {monitor.shown: gr.skip()}
    running = job is not None and job.running
    log = studio.runs.log(Path(path)) if card and not card.error else []
    can_resume = card is not None and not card.error and not running and not card.is_training()
    updates: Updates = {
        monitor.status: _status(path, state, card, job),
        monitor.sheet: gr.Image(value=last_sheet(card), visible=True)
        if card and card.sheet
        else gr.Image(visible=False),
        monitor.curves: charts.log_charts(log) if log else "",
        monitor.output: gr.Textbox(value=output, visible=bool(output)),
        monitor.stop: gr.Button(interactive=running and state != "stopping"),
        monitor.resume: gr.Button(interactive=can_resume),
        monitor.shown: now,
    }
    if name and name != selected and running:
        updates[studio.run] = gr.Dropdown(choices=list(names.values()), value=name)
    return updates


def _status(path: str, state: str, card: Card | None, job: Job | None) -> str:
    """Name, state and progress of a training."""
    if card is not None:
        progress = card.progress + progress_bar(card.share if state in ("training", "stopping") else None)
    else:
        progress = "reading the data" if job is not None and job.running else "it has not written anything"
    return f'<p><b>{escape(Path(path).name)}</b> <span class="state {state}">{state}</span></p><p>{progress}</p>'

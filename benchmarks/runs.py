"""Benchmarks of several tasks. The runs of each task are trained once; its results are a section of a page."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import sparring
from clock import count_cpu_time
from pages import put, table
from sparring import Model
from sparring.metrics.results import Evaluation

MAX_HEIGHT = 662  # pixels of an image on a page
Task = Callable[[argparse.Namespace], list[str]]


def run_tasks(script: str, description: str, tasks: Mapping[str, Task]) -> None:
    """Run the requested tasks, and write their results to a page."""
    name = Path(script).stem
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("tasks", nargs="*", default=list(tasks))
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--runs", type=Path, default=Path(f"runs/bench-{name}"))
    parser.add_argument("--time", type=float, default=1.0, help="factor of the training times")
    parser.add_argument("--page", type=Path, help="write the tables to this Markdown file, between its two marks")
    options = parser.parse_args()
    lines: list[str] = []
    counted = count_cpu_time()
    for task in options.tasks:
        part = [f"**{task}**", "", *tasks[task](options), ""]
        print("\n".join(part), flush=True)
        lines += part
    chosen = [] if options.tasks == list(tasks) else options.tasks
    shorter = [] if options.time == 1.0 else [f"--time {options.time:g}"]
    command = " ".join([f"python benchmarks/{name}.py", *chosen, *shorter])
    lines += [f"`{command}`, {counted}."]
    if options.page:
        put(options.page, script, lines)


def trained(
    options: argparse.Namespace, name: str, recipe: str, data: Path | str, minutes: float, **fields: Any
) -> Model:
    """The model of a run, trained for some minutes if it does not exist."""
    out = options.runs / name
    if (out / "model").is_dir():
        return sparring.load(out)
    print(f"training {name}", flush=True)
    time = f"{minutes * options.time:g}m"
    return sparring.train(recipe, data, out=out, time=time, quiet=True, resume=out.is_dir(), **fields)


def cost(model: Model) -> str:
    """Training time and number of weights."""
    parameters = model.about["parameters"]
    weights = parameters["G"] if "G" in parameters else parameters["AB"]
    return f"{model.about['seconds'] / 60:.0f} min, {weights / 1e6:.2f} M weights"


def save_picture(options: argparse.Namespace, name: str, evaluation: Evaluation) -> None:
    """Save the picture of an evaluation next to the page."""
    if options.page and evaluation.picture is not None:
        width, height = evaluation.picture.size
        top = evaluation.picture.crop((0, 0, width, min(height, MAX_HEIGHT)))
        top.quantize(256).save(options.page.parent / f"{name}.png", optimize=True)


def compared(evaluation: Evaluation, metrics: Sequence[str], model: Model) -> list[str]:
    """A table of the metrics of a model, of its first phase and of the baselines."""
    body = []
    for baseline in evaluation.baselines:
        body.append([baseline, *(f"{evaluation.of_baseline(baseline, name):.3g}" for name in metrics), ""])
    body.append([f"**{model.recipe.name}**", *(f"{evaluation[name]:.3g}" for name in metrics), cost(model)])
    return table(["", *metrics, "training"], body)

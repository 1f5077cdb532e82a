"""Benchmarks of several tasks, each with runs that are trained once, and with a part of a page."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

import sparring
from pages import put, table
from sparring import Model
from sparring.metrics.results import Evaluation

LONG = 662  # pixels of a page's picture, at most
Task = Callable[[argparse.Namespace], list[str]]


def play(script: str, said: str, tasks: Mapping[str, Task]) -> None:
    """Play the tasks that are asked for, and write what they found into a page."""
    name = Path(script).stem
    parser = argparse.ArgumentParser(description=said)
    parser.add_argument("tasks", nargs="*", default=list(tasks))
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--runs", type=Path, default=Path(f"runs/bench-{name}"))
    parser.add_argument("--time", type=float, default=1.0, help="times the usual time of trainings")
    parser.add_argument("--page", type=Path, help="write the tables into this Markdown file, between its two marks")
    asked = parser.parse_args()
    lines: list[str] = []
    for task in asked.tasks:
        part = [f"**{task}**", "", *tasks[task](asked), ""]
        print("\n".join(part), flush=True)
        lines += part
    lines += [f"`python benchmarks/{name}.py`, {torch.get_num_threads()} CPU thread(s)."]
    if asked.page:
        put(asked.page, script, lines)


def trained(
    asked: argparse.Namespace, name: str, recipe: str, data: Path | str, minutes: float, **fields: Any
) -> Model:
    """The model of a task's run, trained for so long where there is none yet."""
    out = asked.runs / name
    if (out / "model").is_dir():
        return sparring.load(out)
    print(f"training {name}", flush=True)
    time = f"{minutes * asked.time:g}m"
    return sparring.train(recipe, data, out=out, time=time, quiet=True, resume=out.is_dir(), **fields)


def cost(model: Model) -> str:
    """Of a training."""
    parameters = model.about["parameters"]
    weights = parameters["G"] if "G" in parameters else parameters["AB"]
    return f"{model.about['seconds'] / 60:.0f} min, {weights / 1e6:.2f} M weights"


def picture(asked: argparse.Namespace, name: str, found: Evaluation) -> None:
    """What an evaluation shows, beside the page."""
    if asked.page and found.picture is not None:
        width, height = found.picture.size
        some = found.picture.crop((0, 0, width, min(height, LONG)))
        some.quantize(256).save(asked.page.parent / f"{name}.png", optimize=True)


def compared(found: Evaluation, numbers: Sequence[str], model: Model) -> list[str]:
    """A table of a model's numbers, below those of its first phase and of what needs no training."""
    body = []
    for way in (*found.baselines, "samples"):
        values = [found[n] if way == "samples" else found.of_baseline(way, n) for n in numbers]
        name = f"**{model.recipe.name}**" if way == "samples" else way
        body.append([name, *(f"{value:.3g}" for value in values), cost(model) if way == "samples" else ""])
    return table(["", *numbers, "training"], body)

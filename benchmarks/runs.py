"""Benchmarks of several tasks. The runs of each task are trained once, and what is computed of a run is kept in its
folder, so that an interrupted benchmark continues; the results of a task are a section of a page.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypedDict

from PIL import Image

import sparring
from clock import count_cpu_time
from pages import put, table
from sparring import Model, recipes
from sparring.devices import resolve
from sparring.evaluation import evaluate
from sparring.files import as_plain, atomic_path, write_json
from sparring.json_files import build, read_json
from sparring.metrics.results import Evaluation, Finding, Number
from sparring.modalities import find
from sparring.modalities.find import lasting_source
from sparring.recipes.base import Recipe
from sparring.runs.folder import RunFolder
from sparring.training.bounds import seconds

MAX_HEIGHT = 662  # pixels of an image on a page
RESULTS = "results"  # folder in that of a run: what was computed of it
JUDGING = ("metrics", "evaluation", "modalities")  # folders of Sparring whose code decides what a result is
Task = Callable[[argparse.Namespace], list[str]]


def digest_of(*parts: Any) -> str:
    """A digest of what JSON can hold, and of the content of files, which are given as paths: for results that depend on
    data or code that is in no model.
    """
    digest = blake2b(digest_size=12)
    for part in parts:
        content = part.read_bytes() if isinstance(part, Path) else json.dumps(part, sort_keys=True).encode()
        digest.update(len(content).to_bytes(8, "big") + content)
    return digest.hexdigest()


def sources() -> list[Path]:
    """The files whose code decides what a result is: those that judge, and the benchmark that runs."""
    house, script = Path(sparring.__file__).parent, Path(getattr(sys.modules["__main__"], "__file__", ""))
    judging = sorted(path for folder in JUDGING for path in (house / folder).rglob("*.py"))
    return judging + ([script] if script.is_file() else [])  # there is none in an interactive session


CODE = digest_of(*sources())  # as it was loaded, and not as it may be edited while models train


class Kept(TypedDict):
    """A file of results."""

    asked: dict[str, Any]
    result: Any


def run_tasks(script: str, description: str, tasks: Mapping[str, Task], device: str = "auto") -> None:
    """Run the requested tasks, and write their results to a page.

    Args:
        device: of their trainings.
    """
    name = Path(script).stem
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("tasks", nargs="*", default=list(tasks))
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--runs", type=Path, default=Path(f"runs/bench-{name}"))
    parser.add_argument("--time", type=float, default=1.0, help="factor of the training times")
    parser.add_argument("--page", type=Path, help="write the tables to this Markdown file, between its two marks")
    options = parser.parse_args()
    lines: list[str] = []
    counted = count_cpu_time(device)
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
    """The model of a run of a task, trained for some minutes if it does not exist."""
    return trained_once(recipe, data, options.runs / name, f"{minutes * options.time:g}m", **fields)


def trained_once(
    recipe: str | None, data: Path | str, out: Path, time: str, *, seed: int = 0, device: str = "auto",
    quiet: bool = True, **fields: Any,
) -> Model:  # fmt: skip
    """The model of a run: a complete one is loaded, and one that was interrupted is continued.

    Args:
        recipe, data, time, seed, device, quiet, fields: as for `sparring.train`.
        out: the folder of the run.

    Raises:
        SystemExit: as `finished` does.
    """
    model = finished(recipe, data, out, time=time, seed=seed, device=device, **fields)
    if model is not None:
        return model
    print(f"training {out.name}", flush=True)
    return sparring.train(
        recipe, data, out=out, time=time, seed=seed, device=device, quiet=quiet, resume=True, **fields
    )


def finished(
    recipe: str | None, data: Path | str, out: Path, *, time: str | None = None, steps: int | None = None,
    seed: int = 0, device: str = "auto", **fields: Any,
) -> Model | None:  # fmt: skip
    """The model of a run that is complete; None if there is none, or it was interrupted.

    Args:
        recipe, data, seed, device, fields: as for `sparring.train`.
        out: the folder of the run.
        time, steps: its bound; one that is None is not compared.

    Raises:
        SystemExit: with a line, if what is there was trained in another way: a page would say that these settings had
            led to it.
    """
    folder, place = RunFolder(out), resolve(device)
    if not folder.exists:
        return None
    stored, _, run = folder.reopen()
    if recipe is None:
        chosen, _ = recipes.choose(find(data), place.type, None if time is None else seconds(time))
    else:
        chosen = recipes.find(recipe)
    asked = _described(chosen.set(fields).settled()[0]) | {
        "data": lasting_source(data), "seed": seed, "device": place.type,
        "time": run["time"] if time is None else seconds(time), "steps": run["steps"] if steps is None else steps,
    }  # fmt: skip
    settings = run["settings"]
    was = _described(stored) | {
        "data": settings["data"], "seed": settings["seed"], "device": settings["device"].partition(":")[0],
        "time": run["time"], "steps": run["steps"],
    }  # fmt: skip
    differing = [name for name in {**was, **asked} if was.get(name) != asked.get(name)]
    if "recipe" in differing:  # another one has other fields
        differing = ["recipe"]
    if differing:
        before, now = (", ".join(f"{name}={each.get(name)}" for name in differing) for each in (was, asked))
        raise SystemExit(
            f"{out} was trained with {before}, not {now}; give the same, or another folder of runs, or remove this one"
        )
    if not folder.model.is_dir():
        return None
    model = sparring.load(out, str(place))
    return None if model.about.get("stopped") else model


def computed_once(run: Path, compute: Callable[[], Any], **asked: Any) -> Any:
    """What is computed of a run, from its folder if it has been computed before by the same code; see `sources`.

    Args:
        run: its folder, or another one for results that are of no model. Another model in it is computed anew.
        compute: returns what JSON can hold.
        asked: what the result depends on beside the model and the code, such as the number of samples, the seed, and
            for results that are of no model the data; see `digest_of`.
    """
    return _kept(run, lambda: (compute(), None), asked)[0]


def numbers_once(run: Path, compute: Callable[[], Sequence[Number]], **asked: Any) -> list[Number]:
    """Metrics of a run; see `computed_once`."""
    found, path = _kept(run, lambda: ([asdict(number) for number in compute()], None), asked)
    return [build(Number, number, str(path)) for number in found]


def rows_once(
    run: Path, compute: Callable[[], Mapping[str, Sequence[Number]]], **asked: Any
) -> dict[str, list[Number]]:
    """Metrics of several rows, such as those of baselines; see `computed_once`."""

    def content() -> tuple[dict[str, Any], None]:
        return {name: [asdict(n) for n in row] for name, row in compute().items()}, None

    found, path = _kept(run, content, asked)
    return {name: [build(Number, number, str(path)) for number in row] for name, row in found.items()}


def evaluated_once(
    run: Path, model: Model, against: Path | None = None, *, compute: Callable[[], Evaluation] | None = None,
    **asked: Any,
) -> Evaluation:  # fmt: skip
    """The evaluation of a run, without what `sparring audit` found out about it; see `computed_once`.

    Args:
        compute: the evaluation; that of `sparring.evaluation.evaluate` unless given.
        asked: further arguments of `evaluate`, or whatever the evaluation depends on.
    """

    def content() -> tuple[dict[str, Any], Image.Image | None]:
        found = evaluate(model, against, **asked) if compute is None else compute()
        return asdict(replace(found, picture=None)), found.picture

    found, path = _kept(run, content, {"against": None if against is None else str(against), **asked})
    lists = {part: tuple(build(Number, n, str(path)) for n in found[part]) for part in ("numbers", "floor")}
    baselines = {name: [build(Number, n, str(path)) for n in numbers] for name, numbers in found["baselines"].items()}
    findings = tuple(build(Finding, finding, str(path)) for finding in found["findings"])
    picture = path.with_suffix(".png")
    shown = Image.open(picture) if picture.is_file() else None
    return Evaluation(**{**found, **lists, "baselines": baselines, "findings": findings, "picture": shown})


def _kept(
    run: Path, compute: Callable[[], tuple[Any, Image.Image | None]], asked: Mapping[str, Any]
) -> tuple[Any, Path]:
    """A result and its file. A picture is written first, so that no file of a result lacks its own.

    Args:
        compute: returns what JSON can hold, and a picture if there is one.
    """
    asked = {**asked, "sparring": sparring.__version__, "code": CODE, "weights": _weights(run)}
    path = run / RESULTS / f"{digest_of(asked)}.json"
    if path.is_file():
        return read_json(path, Kept)["result"], path
    result, picture = compute()
    if picture is not None:
        with atomic_path(path.with_suffix(".png")) as part:
            picture.save(part, "PNG")
    result = as_plain(result)
    write_json(path, {"asked": asked, "result": result})
    return result, path


def _weights(run: Path) -> str:
    """A digest of the weights of a run's model; "" if there is none."""
    path = RunFolder(run).model / "weights.safetensors"
    return digest_of(path) if path.is_file() else ""


def _described(recipe: Recipe[Any]) -> dict[str, Any]:
    """A recipe and its fields."""
    return {"recipe": recipe.name, **vars(recipe)}


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

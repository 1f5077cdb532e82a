"""`compare(runs)` evaluates models on the same data and writes a page with the results next to each other."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image

from sparring.console import Screen, clock
from sparring.data.addresses import shown
from sparring.devices import resolve
from sparring.errors import InputError
from sparring.evaluation.evaluate import judge_of
from sparring.files import resolved, write_json, write_text
from sparring.folders import check_folder, output_folder
from sparring.metrics.results import Evaluation, Number
from sparring.modalities.judge import Judge
from sparring.model import Model, load
from sparring.runs.curves import COLORS
from sparring.runs.logbook import read_log

SHEET_SAMPLES = 64
PAGE = "comparison"  # in the marker of a page's folder


@dataclass(frozen=True)
class Compared:
    """One of the compared runs.

    Attributes:
        name: of its folder, unique among the compared runs.
        run: its folder.
        model: the trained model.
        evaluation: of the model's samples.
        axes: names of the metrics that show diversity and fidelity.
    """

    name: str
    run: Path
    model: Model
    evaluation: Evaluation
    axes: tuple[str, str]

    @property
    def parameters(self) -> int:
        return sum(self.model.about["parameters"].values())


def compare(
    runs: Sequence[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    data: str | None = None,
    samples: int | None = None,
    features: Sequence[str] = (),
    device: str = "auto",
    force: bool = False,
    quiet: bool = True,
    trust: bool = False,
) -> list[Compared]:
    """Evaluate runs on the same data, and write a page with a table, a plot and their samples.

    Args:
        runs: folders of runs, two or more.
        out: folder of the page.
        data: what samples are compared with; by default the data that the models were trained on.
        samples, features, device: as for `evaluate`.
        force: overwrite an older page in `out`.
        trust: as for `sparring.load`.

    Raises:
        InputError: if runs cannot be compared, or something else is in `out`.
    """
    if len(runs) < 2:
        raise InputError(f"{len(runs)} run was given; comparing needs two or more")
    folder, place, screen = Path(out), resolve(device), Screen(quiet)
    paths = [Path(run) for run in runs]
    _check_folder(folder, paths, force)
    with torch.random.fork_rng():
        models = [load(path, str(place), trust) for path in paths]
        judge = _judge(models, data, features, place, screen)
        compared = []
        for name, path, model in zip(names(paths), paths, models, strict=True):
            screen.say(f"{name}: evaluating")
            evaluation = judge.evaluate(model, samples, 0, screen)
            compared.append(Compared(name, path, model, evaluation, judge.axes))
    _write(compared, folder, data or models[0].about["name"])
    return compared


def _judge(
    models: Sequence[Model], data: str | None, features: Sequence[str], device: torch.device, screen: Screen
) -> Judge:
    """The judge of all models.

    Raises:
        InputError: if they were trained on different data and `data` is not given, or generate different things.
    """
    sets = {model.about["data"] for model in models}
    if data is None and len(sets) > 1:
        raise InputError(f"these runs were trained on {', '.join(sorted(map(shown, sets)))}; choose one with --against")
    kinds = {type(model.modality): model.modality.words.items for model in models}
    if len(kinds) > 1:
        raise InputError(f"these runs generate {' and '.join(sorted(kinds.values()))}; compare runs of one kind")
    # A model with classes has them used in the evaluation of all.
    chosen = next((model for model in models if model.modality.classes), models[0])
    judge = judge_of(chosen, data, features, device, screen)
    for model in models:
        judge.check(model.modality)
    return judge


def _sheet(c: Compared) -> Image.Image:
    """Samples of a model, or its results for given items."""
    if c.model.modality.source is not None and c.evaluation.picture is not None:
        return c.evaluation.picture
    return c.model.sample(SHEET_SAMPLES, seed=0).preview()


def _check_folder(folder: Path, runs: Sequence[Path], force: bool) -> None:
    """Check that a page may be written to a folder, and that only an older page is overwritten.

    Raises:
        InputError: if not.
    """
    check_folder(folder, PAGE, force)
    if any(resolved(run).is_relative_to(resolved(folder)) for run in runs):
        raise InputError(f"{folder} does not hold a page of sparring compare; choose another --out")


def names(paths: Sequence[Path]) -> list[str]:
    """Short names of folders; whole paths where these would be equal."""
    short = [resolved(path).name for path in paths]
    return [str(path) if short.count(name) > 1 else name for name, path in zip(short, paths, strict=True)]


def rows(compared: Sequence[Compared]) -> list[list[str]]:
    """A table with one row for each metric that all runs have; columns are the runs, the floor and the baselines."""
    first = compared[0].evaluation
    columns = [{n.name: n for n in c.evaluation.numbers} for c in compared]
    others = [{n.name: n for n in numbers} for numbers in (first.floor, *first.baselines.values())]
    table = [["", *(c.name for c in compared), "real", *first.baselines]]
    for name in (n.name for n in first.numbers if all(n.name in column for column in columns)):
        table.append([name, *(_cell(column.get(name)) for column in (*columns, *others))])
    empty = [""] * len(others)
    table.append(["training samples/s", *(f"{c.model.speed:,.0f}" for c in compared), *empty])
    table.append(["training time", *(clock(c.model.about["seconds"]) for c in compared), *empty])
    table.append(["parameters", *(f"{c.parameters:,}" for c in compared), *empty])
    return table


def _cell(number: Number | None) -> str:
    return "-" if number is None else str(number)


def _write(compared: Sequence[Compared], folder: Path, data: str) -> None:
    with output_folder(folder, PAGE) as part:
        part.mkdir(parents=True)
        for i, c in enumerate(compared):
            _sheet(c).save(part / f"samples-{i + 1}.png")
        (part / "compare.png").write_bytes(plot(compared))
        write_json(part / "compare.json", {str(c.run): c.evaluation.content() for c in compared})
        write_text(part / "README.md", _page(compared, data))


def _page(compared: Sequence[Compared], data: str) -> str:
    """The page in Markdown."""
    table = rows(compared)
    head, *body = ["| " + " | ".join(row) + " |" for row in table]
    lines = [f"# {data}: {', '.join(c.name for c in compared)}", ""]
    lines += [head, "|---|" + "---:|" * (len(table[0]) - 1), *body, ""]
    lines += [f"{compared[0].evaluation.protocol}.", "", "![scores](compare.png)", ""]
    for i, c in enumerate(compared):
        lines += [f"## {c.name}", "", f"![{c.name}](samples-{i + 1}.png)", ""]
        lines += [f"- {finding}" for finding in c.evaluation.findings] + [""]
    return "\n".join(lines)


def plot(compared: Sequence[Compared]) -> bytes:
    """A PNG: the runs' scores during training, and fidelity against diversity of their samples."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), dpi=100, layout="constrained")
    left, right = figure.subplots(1, 2)
    first, (x_name, y_name) = compared[0].evaluation, compared[0].axes
    for c, color in zip(compared, COLORS * len(compared), strict=False):
        points = _scores(c.run / "log.jsonl")
        if points:
            left.plot(*zip(*points, strict=True), color=color, marker="o", markersize=2.5, linewidth=1.2, label=c.name)
        values = {n.name: n.value for n in c.evaluation.numbers}
        right.scatter(values[x_name], values[y_name], color=color, label=c.name)
    real = {n.name: n.value for n in first.floor}
    if x_name in real and y_name in real:
        right.scatter(real[x_name], real[y_name], color="#6b7280", marker="*", label="real")
    left.set(xlabel="seconds of training", ylabel="fid during training", yscale="log")
    right.set(xlabel=x_name, ylabel=y_name)
    if all(number.best == "high" for number in first.numbers if number.name in (x_name, y_name)):
        right.set(xlim=(0, 1.03), ylim=(0, 1.03))
    for axis in (left, right):
        axis.grid(alpha=0.25)
        axis.tick_params(labelsize=8)
        if axis.get_legend_handles_labels()[0]:
            axis.legend(fontsize=7, frameon=False)
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()


def _scores(log: Path) -> list[tuple[float, float]]:
    """(seconds, score) of each line of a log that has a score."""
    return [
        (line["seconds"], value) for line in read_log(log) for name, value in line.items() if name.startswith("fid[")
    ]

"""`compare(runs)` sets models side by side that were trained on the same data."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from PIL import Image

from sparring.console import Screen, clock
from sparring.devices import resolve
from sparring.errors import InputError
from sparring.evaluation.evaluate import AS_THEY_ARE, against_of, judged, many
from sparring.evaluation.real import read
from sparring.files import beside, vacant, write_bytes, write_json
from sparring.metrics.results import Evaluation, Number
from sparring.modalities import Series, find
from sparring.model import Model, load
from sparring.runs.curves import COLORS

SHOWN = 64  # samples on a sheet


@dataclass(frozen=True)
class Compared:
    """A run beside others.

    Attributes:
        name: of its folder, unlike the others'.
        run: its folder.
        model: that it made.
        evaluation: of the model's samples.
    """

    name: str
    run: Path
    model: Model
    evaluation: Evaluation

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
) -> list[Compared]:
    """Evaluate runs on the same data, and write a page with a table, a plot and their sheets.

    Args:
        runs: folders of runs, two or more.
        out: the page's folder.
        data: what to hold them against; what they were trained on unless given.
        samples, features, device: as `evaluate` takes them.
        force: overwrite what is in `out`.

    Raises:
        InputError: where runs cannot be compared, or something is in `out`.
    """
    if len(runs) < 2:
        raise InputError(f"{len(runs)} run was given; comparing needs two or more")
    folder, place, screen = Path(out), resolve(device), Screen(quiet)
    paths = [Path(run) for run in runs]
    _free(folder, paths, force)
    with torch.random.fork_rng():
        models = [load(path, str(place)) for path in paths]
        sets = {model.about["data"] for model in models}
        if data is None and len(sets) > 1:
            raise InputError(f"these runs were trained on {', '.join(sorted(sets))}; choose one with --against")
        kinds = {model.modality.kind for model in models}
        if len(kinds) > 1:
            raise InputError(f"these runs make {' and '.join(sorted(kinds))}; compare those of one kind")
        kind = next(iter(kinds))
        if kind == "series" and len(made := {tuple(_channels(model)) for model in models}) > 1:
            told = " and ".join(", ".join(names[:3]) for names in sorted(made))
            raise InputError(f"these runs make different channels ({told}); compare those of the same")
        if kind in AS_THEY_ARE:
            held_against, judged_by = AS_THEY_ARE[kind]
            judge: Callable[[Model], Evaluation] = partial(
                judged_by, against=held_against(models[0], data, screen), samples=samples, seed=0, screen=screen
            )
        else:
            judge = _judge(models, data or next(iter(sets)), samples, features, place, screen)
        found = []
        for name, path, model in zip(names(paths), paths, models, strict=True):
            screen.say(f"{name}: judging")
            found.append(Compared(name, path, model, judge(model)))
    _write(found, folder, data or sets.pop())
    return found


def _shown(c: Compared) -> Image.Image:
    """A sheet of samples, or what a model makes of given pictures."""
    if c.model.modality.source is not None:
        assert c.evaluation.picture is not None
        return c.evaluation.picture
    return c.model.sample(SHOWN, seed=0).preview()


def _channels(model: Model) -> list[str]:
    """Of a series."""
    assert isinstance(model.modality, Series)
    return model.modality.names


def _judge(
    models: Sequence[Model],
    data: str,
    samples: int | None,
    features: Sequence[str],
    place: torch.device,
    screen: Screen,
) -> Callable[[Model], Evaluation]:
    """What evaluates models of one shape."""
    shapes = {model.modality.shape for model in models}
    if len(shapes) > 1:
        raise InputError(f"these runs make samples of different shapes ({', '.join(map(str, sorted(shapes)))})")
    labelled = next((model for model in models if model.modality.classes), models[0])
    real, notes = read(labelled.modality, find(data))
    for note in notes:
        screen.say(note)
    n = many(real, samples)
    against = against_of(real, n, features, place, screen)
    return lambda model: judged(model, against, n, 0, screen)


def _free(folder: Path, runs: Sequence[Path], force: bool) -> None:
    """See that a page may be written to a folder, and that none is overwritten but an older page.

    Raises:
        InputError: where it may not.
    """
    vacant(folder, force)
    within = any(run.resolve().is_relative_to(folder.resolve()) for run in runs)
    if within or (folder.exists() and not (folder / "compare.json").is_file()):
        raise InputError(f"{folder} holds something else than a page of sparring compare; choose another --out")


def names(paths: Sequence[Path]) -> list[str]:
    """Short names of folders, longer where they would be the same."""
    short = [path.resolve().name for path in paths]
    return [str(path) if short.count(name) > 1 else name for name, path in zip(short, paths, strict=True)]


def rows(found: Sequence[Compared]) -> list[list[str]]:
    """A table: a row for each number, a column for each run, then the floor's and the baseline's."""
    first = found[0].evaluation
    shared = [n.name for n in first.numbers if all(n.name in {m.name for m in c.evaluation.numbers} for c in found)]
    table = [["", *(c.name for c in found), "real", *first.baselines]]
    for name in shared:
        columns = [{n.name: n for n in c.evaluation.numbers} for c in found]
        columns += [{n.name: n for n in numbers} for numbers in (first.floor, *first.baselines.values())]
        table.append([name, *(_cell(column.get(name)) for column in columns)])
    others = [""] * (1 + len(first.baselines))
    table.append(["samples/s in training", *(f"{c.model.speed:,.0f}" for c in found), *others])
    table.append(["training time", *(clock(c.model.about["seconds"]) for c in found), *others])
    table.append(["parameters", *(f"{c.parameters:,}" for c in found), *others])
    return table


def _cell(number: Number | None) -> str:
    return "-" if number is None else str(number)


def _write(found: Sequence[Compared], folder: Path, data: str) -> None:
    table = rows(found)
    with beside(folder) as part:
        part.mkdir(parents=True)
        sheets = []
        for i, c in enumerate(found):
            _shown(c).save(part / f"samples-{i + 1}.png")
            sheets += [f"## {c.name}", "", f"![{c.name}](samples-{i + 1}.png)", ""]
            sheets += [f"- {finding}" for finding in c.evaluation.findings] + [""]
        (part / "compare.png").write_bytes(plot(found))
        write_json(part / "compare.json", {str(c.run): c.evaluation.content() for c in found})
        head, *body = ["| " + " | ".join(row) + " |" for row in table]
        lines = [head, "|---|" + "---:|" * (len(table[0]) - 1), *body]
        said = f"{found[0].evaluation.protocol}."
        text = "\n".join([f"# {data}: {', '.join(c.name for c in found)}", "", *lines, "", said, "",
                          "![scores](compare.png)", "", *sheets])  # fmt: skip
        write_bytes(part / "README.md", text.encode())


def plot(found: Sequence[Compared]) -> bytes:
    """A PNG: the runs' scores over time, and how faithful their samples are against how various."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), dpi=100, layout="constrained")
    left, right = figure.subplots(1, 2)
    first = found[0].evaluation
    across, up = _axes(first)
    for c, colour in zip(found, COLORS * len(found), strict=False):
        points = _scores(c.run / "log.jsonl")
        if points:
            left.plot(*zip(*points, strict=True), color=colour, marker="o", markersize=2.5, linewidth=1.2, label=c.name)
        known = {n.name: n.value for n in c.evaluation.numbers}
        right.scatter(known[across], known[up], color=colour, label=c.name)
    real = {n.name: n.value for n in first.floor}
    if across in real:
        right.scatter(real[across], real[up], color="#6b7280", marker="*", label="real")
    left.set(xlabel="seconds of training", ylabel="fid while training", yscale="log")
    right.set(xlabel=across, ylabel=up)
    if all(number.best == "high" for number in first.numbers if number.name in (across, up)):
        right.set(xlim=(0, 1.03), ylim=(0, 1.03))
    for axis in (left, right):
        axis.grid(alpha=0.25)
        axis.tick_params(labelsize=8)
        if axis.get_legend_handles_labels()[0]:
            axis.legend(fontsize=7, frameon=False)
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()


def _axes(evaluation: Evaluation) -> tuple[str, str]:
    """How various and how faithful samples are, by name."""
    known = {"column shapes": "pair trends", "earth mover[1]": "told apart"}
    first = evaluation.numbers[0].name
    if first in known:
        return first, known[first]
    if not any(number.name.startswith("coverage") for number in evaluation.numbers):
        return first, evaluation.numbers[-1].name
    feature = first.partition("[")[2]
    return f"coverage[{feature}", f"precision[{feature}"


def _scores(log: Path) -> list[tuple[float, float]]:
    """(seconds, score) of each line of a log that has a score."""
    lines = [json.loads(line) for line in log.read_text().splitlines()] if log.is_file() else []
    return [(line["seconds"], value) for line in lines for name, value in line.items() if name.startswith("fid[")]

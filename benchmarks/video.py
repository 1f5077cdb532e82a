"""Trains recipes for video for equal time, and writes tables, films and contact sheets.

    python benchmarks/video.py --data walks weizmann --time 30m --seeds 2 --page docs/video.md
    python benchmarks/video.py --data weizmann --recipes predict between --time 30m --page docs/predicting.md

Writes to one folder: `README.md` (for each data set tables of the recipes beside held-out clips and cheats or
baselines), `results.json`, and pictures of the first seed: for recipes that generate from noise a film (`.webp`), a
contact sheet (`.png`) and a matrix of contents and motions; for those that complete clips the picture of their
evaluation. With --page, the tables are also written between the two marks of a page, and the pictures beside it. Of
Weizmann's films, those of the last person are held out. A run that was interrupted continues, and one that is complete
is not trained again; one that was trained with other settings is refused.
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import sparring
from clock import count_cpu_time
from pages import put, table
from runs import cost, evaluated_once, trained_once
from sparring.metrics.results import Evaluation
from sparring.modalities import Video
from sparring.modalities.video import drawing, writers
from sparring.recipes.base import parse

RECIPES = ("video", "mocogan")
SHOWN = 9  # clips of a film
ON_SHEET = 6  # of a contact sheet
CONTENTS = 6  # rows and columns of the matrix
MAX_BYTES = 300_000  # of a picture or a film
PLACES = {"--page", "--out", "--device"}  # options that do not change what is measured


@dataclass(frozen=True)
class Measured:
    """A run: what was found, and the time and the weights that it took."""

    evaluation: Evaluation
    cost: str


Results = dict[str, dict[str, list[Measured]]]  # by data set and recipe, one for each seed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", default=["walks", "weizmann"], help="names or paths of films")
    parser.add_argument("--time", default="30m", help="of each training")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--recipes", nargs="+", default=list(RECIPES))
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", default="runs/video-page")
    parser.add_argument("--set", nargs="*", default=[], help="FIELD=VALUE of all recipes")
    parser.add_argument("--page", type=Path, help="also write to this Markdown file, between its two marks")
    given = parser.parse_args()
    out = Path(given.out)
    out.mkdir(parents=True, exist_ok=True)
    counted = count_cpu_time(given.device)
    results: Results = {}
    pictures: dict[str, list[str]] = {}
    for data in given.data:
        name = Path(data).stem
        for recipe in given.recipes:
            for seed in range(given.seeds):
                run = out / "runs" / f"{recipe}-{name}-{seed}"
                model = trained_once(
                    recipe, data, run, given.time, seed=seed, device=given.device, quiet=False, **parse(given.set)
                )
                evaluation = evaluated_once(run, model, device=given.device)
                results.setdefault(name, {}).setdefault(recipe, []).append(Measured(evaluation, cost(model)))
                if not seed:
                    pictures.setdefault(name, []).extend(show(model, evaluation, out, f"{name}-{recipe}"))
    lines = page(results, pictures, f"`{command(sys.argv[1:])}`, {counted}.")
    (out / "README.md").write_text("\n".join(["# Video", "", *lines, ""]))
    (out / "results.json").write_text(json.dumps(as_json(results), indent=1))
    if given.page:
        put(given.page, __file__, lines)
        for picture in (name for names in pictures.values() for name in names):
            shutil.copy(out / picture, given.page.parent)


def show(model: sparring.Model, evaluation: Evaluation, out: Path, name: str) -> list[str]:
    """Write the pictures of a model. Returns the names of their files."""
    if model.modality.source is None:
        film(model, out / f"{name}.webp")
        clips = examples(model, model.modality.frames)[:ON_SHEET]
        save(drawing.contact_sheet(clips), out / f"{name}.png")
        save(matrix(model), out / f"{name}-matrix.png")
        return [f"{name}.webp", f"{name}.png", f"{name}-matrix.png"]
    if evaluation.picture is None:
        return []
    save(evaluation.picture, out / f"{name}.png")
    return [f"{name}.png"]


def examples(model: sparring.Model, length: int) -> NDArray[np.uint8]:
    """Clips (n, t, h, w, c), one class after the other."""
    classes = model.modality.classes or (None,)
    each = -(-SHOWN // len(classes))
    by_class = [model.sample(each, label=label, seed=1, length=length).items for label in classes]
    clips: NDArray[np.uint8] = np.stack(by_class, 1).reshape(-1, *by_class[0].shape[1:])[:SHOWN]
    return clips


def film(model: sparring.Model, path: Path) -> None:
    """Clips side by side, as many as the size of a file allows. Those of a loop are shown once: they repeat."""
    modality = model.modality
    assert isinstance(modality, Video)
    clips = examples(model, modality.frames * (1 if modality.loop else 2))
    for count in range(len(clips), 0, -1):
        writers.write_webp(clips[:count], modality.rate, path)
        if path.stat().st_size <= MAX_BYTES:
            return


def matrix(model: sparring.Model) -> Image.Image:
    """The middle frames of each content with each motion."""
    classes = model.modality.classes or (None,)
    grid = [
        model.sample(1, seed=1, content=content, motion=motion, label=classes[motion % len(classes)]).items
        for content in range(CONTENTS)
        for motion in range(CONTENTS)
    ]
    return drawing.matrix(np.concatenate(grid), CONTENTS)


def save(picture: Image.Image, path: Path) -> None:
    """Write a picture, with fewer colors and then smaller if it is too large."""
    picture = picture.convert("RGB")
    colors: Image.Image = picture
    while True:
        colors.save(path, optimize=True)
        if path.stat().st_size <= MAX_BYTES:
            return
        picture = picture if colors is picture else picture.resize((picture.width // 2, picture.height // 2))
        colors = picture.quantize(256)


def page(results: Results, pictures: Mapping[str, Sequence[str]], made: str) -> list[str]:
    """Tables of all data sets, one for the recipes that have the same baselines, and how they were made."""
    lines: list[str] = []
    for data, by_recipe in results.items():
        lines += [f"**{data}**", ""]
        for name in pictures[data]:
            lines += [f"![{Path(name).stem.replace('-', ' ')}]({name})", ""]
        groups: dict[tuple[str, ...], list[str]] = {}
        for recipe, runs in by_recipe.items():
            groups.setdefault(tuple(runs[0].evaluation.baselines), []).append(recipe)
        for recipes in groups.values():
            lines += compared({recipe: by_recipe[recipe] for recipe in recipes})
    return [*lines, made]


def compared(by_recipe: Mapping[str, Sequence[Measured]]) -> list[str]:
    """Metrics of some recipes, a value for each seed, and how they were measured."""
    runs = next(iter(by_recipe.values()))
    first, seeds = runs[0].evaluation, len(runs)
    rows = []
    for number, others in first.rows():
        cells = []
        for measured in by_recipe.values():
            values = [str(n) for m in measured for n in m.evaluation.numbers if n.name == number.name]
            cells.append(", ".join(map(alone, values)))
        beside = ["-" if other is None else alone(str(other)) for other in others]
        rows.append([f"`{number.name}`", *cells, *beside])
    costs = ["; ".join(dict.fromkeys(run.cost for run in runs)) for runs in by_recipe.values()]
    rows.append(["training", *costs, *[""] * (len(first.baselines) + 1)])
    protocol = f"{first.protocol}; {seeds} seed{'' if seeds == 1 else 's'}."
    return [*table(["metric", *by_recipe, "real", *first.baselines], rows), "", protocol, ""]


def alone(value: str) -> str:
    """A value without its error."""
    return value.split(" ± ")[0]


def command(typed: Sequence[str]) -> str:
    """What was typed, without the places of files."""
    kept = [word for i, word in enumerate(typed) if word not in PLACES and (not i or typed[i - 1] not in PLACES)]
    return shlex.join(["python", "benchmarks/video.py", *kept])


def as_json(results: Results) -> dict[str, Any]:
    return {
        data: {
            recipe: [{**run.evaluation.content(), "training": run.cost} for run in runs] for recipe, runs in by.items()
        }
        for data, by in results.items()
    }


if __name__ == "__main__":
    main()

"""Trains recipes for video for equal time, and writes tables, films and contact sheets.

    python benchmarks/video.py --data walks weizmann --time 30m --seeds 2 --out video-page
    python benchmarks/video.py --data weizmann --recipes predict between --time 30m --page docs/predicting.md

Writes to one folder: `README.md` (for each data set tables of the recipes beside held-out clips and cheats or
baselines), `results.json`, and pictures of the first seed: for recipes that generate from noise a film (`.webp`), a
contact sheet (`.png`) and a matrix of contents and motions; for those that complete clips the picture of their
evaluation. Of Weizmann's films, those of the last person are held out. A run that was interrupted continues, and one
that is complete is not trained again.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import sparring
from sparring.evaluation import evaluate
from sparring.metrics.results import Evaluation
from sparring.modalities import Video
from sparring.modalities.video import drawing, writers
from sparring.recipes.base import parse
from sparring.training.bounds import seconds

RECIPES = ("video", "mocogan")
SHOWN = 9  # clips of a film
ON_SHEET = 6  # of a contact sheet
CONTENTS = 6  # rows and columns of the matrix
MAX_BYTES = 300_000  # of a picture or a film


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", default=["walks", "weizmann"], help="names or paths of films")
    parser.add_argument("--time", default="30m", help="of each training")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--recipes", nargs="+", default=list(RECIPES))
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", default="runs/video-page")
    parser.add_argument("--set", nargs="*", default=[], help="FIELD=VALUE of all recipes")
    parser.add_argument("--page", help="also write the page here, with its pictures beside it")
    given = parser.parse_args()
    out = Path(given.out)
    out.mkdir(parents=True, exist_ok=True)
    results: dict[str, dict[str, list[Evaluation]]] = {}
    for data in given.data:
        name = Path(data).stem
        for recipe in given.recipes:
            for seed in range(given.seeds):
                run = out / "runs" / f"{recipe}-{name}-{seed}"
                model = train(recipe, data, run, seed, given)
                evaluation = evaluate(model, device=given.device)
                results.setdefault(name, {}).setdefault(recipe, []).append(evaluation)
                if seed:
                    continue
                if model.modality.source is None:
                    show(model, out, f"{name}-{recipe}")
                elif evaluation.picture is not None:
                    save(evaluation.picture, out / f"{name}-{recipe}.png")
    (out / "README.md").write_text(page(results, given))
    (out / "results.json").write_text(json.dumps(as_json(results), indent=1))
    if given.page:
        place = Path(given.page)
        place.write_text((out / "README.md").read_text())
        for picture in (*out.glob("*.png"), *out.glob("*.webp")):
            shutil.copy(picture, place.parent)


def train(recipe: str, data: str, run: Path, seed: int, given: argparse.Namespace) -> sparring.Model:
    """A run of a recipe; one that is complete is loaded."""
    if (run / "model").exists():
        return sparring.load(run)
    fields = parse(given.set)
    return sparring.train(
        recipe, data, out=run, time=seconds(given.time), seed=seed, resume=True, device=given.device, **fields
    )


def show(model: sparring.Model, out: Path, name: str) -> None:
    """A film, a contact sheet, and the middle frames of each content with each motion."""
    modality = model.modality
    assert isinstance(modality, Video)
    classes = modality.classes or (None,)
    # Those of a loop need no second turn, which would look the same.
    length = modality.frames * (1 if modality.loop else 2)
    each = -(-SHOWN // len(classes))
    by_class = [model.sample(each, label=label, seed=1, length=length).items for label in classes]
    clips = np.stack(by_class, 1).reshape(-1, *by_class[0].shape[1:])[:SHOWN]  # one class after the other
    for count in range(len(clips), 0, -1):
        writers.write_webp(clips[:count], modality.rate, out / f"{name}.webp")
        if (out / f"{name}.webp").stat().st_size <= MAX_BYTES:
            break
    save(drawing.contact_sheet(clips[:ON_SHEET, : modality.frames]), out / f"{name}.png")
    grid = [
        model.sample(1, seed=1, content=content, motion=motion, label=classes[motion % len(classes)]).items
        for content in range(CONTENTS)
        for motion in range(CONTENTS)
    ]
    save(drawing.matrix(np.concatenate(grid), CONTENTS), out / f"{name}-matrix.png")


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


def page(results: Mapping[str, Mapping[str, Sequence[Evaluation]]], given: argparse.Namespace) -> str:
    """Tables of all data sets, one for the recipes that have the same baselines."""
    settings = f" with {' '.join(given.set)}" if given.set else ""
    parts = ["# Video", f"{given.time} of training for each run{settings}. Written by `python benchmarks/video.py`."]
    for data, by_recipe in results.items():
        parts.append(f"## {data}")
        groups: dict[tuple[str, ...], list[str]] = {}
        for recipe, evaluations in by_recipe.items():
            groups.setdefault(tuple(evaluations[0].baselines), []).append(recipe)
        for recipes in groups.values():
            parts += table(data, {recipe: by_recipe[recipe] for recipe in recipes})
    return "\n\n".join(parts) + "\n"


def table(data: str, by_recipe: Mapping[str, Sequence[Evaluation]]) -> list[str]:
    """Pictures and metrics of some recipes, and how they were measured."""
    first = next(iter(by_recipe.values()))[0]
    seeds = len(next(iter(by_recipe.values())))
    head = ["metric", *by_recipe, "real", *first.baselines]
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    for number, others in first.rows():
        cells = []
        for evaluations in by_recipe.values():
            values = [str(n) for e in evaluations for n in e.numbers if n.name == number.name]
            cells.append(", ".join(value.split(" ± ")[0] for value in values))
        beside = ["-" if other is None else str(other).split(" ± ")[0] for other in others]
        lines.append("| " + " | ".join([f"`{number.name}`", *cells, *beside]) + " |")
    suffix = "webp" if "still" in first.baselines else "png"
    pictures = " ".join(f"![{data} by {recipe}]({data}-{recipe}.{suffix})" for recipe in by_recipe)
    return [pictures, "\n".join(lines), f"{first.protocol}; {seeds} seed{'' if seeds == 1 else 's'}."]


def as_json(results: Mapping[str, Mapping[str, Sequence[Evaluation]]]) -> dict[str, Any]:
    return {data: {r: [e.content() for e in es] for r, es in by.items()} for data, by in results.items()}


if __name__ == "__main__":
    main()

"""Sounds: our recipe compared with WaveGAN and SpecGAN in equal time, with held-out sounds and trivial generators.

    python benchmarks/audio.py [SET ...] [--time 20m] [--seeds 1] [--runs FOLDER] [--page docs/audio.md]

SET is `drums` (786 one-shots) or `fsdd` (3,000 spoken digits), which are found as in `sparring train`. All metrics are
those of `sparring evaluate`. With --page, the tables are written into the page, and next to it a sheet of samples of
our recipe (audio-SET.png) and, for each recipe, samples of every class one after the other (audio-SET-RECIPE.ogg).
"""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import mean, stdev

import torch

from clock import count_cpu_time
from pages import put, table
from runs import evaluated_once, trained_once
from sparring.metrics.results import Evaluation, Number
from sparring.model import Model

SETS = ("drums", "fsdd")
RECIPES = ("audio", "specgan", "wavegan")
NAMES = (
    "fid[classifier]", "conditional_accuracy[classifier]", "precision[classifier]", "recall[classifier]",
    "spectral_distance", "nearest_correlation", "near_copy_share", "artifacts[lines]", "artifacts[mirrors]",
    "artifacts[clicks]", "dnsmos",
)  # fmt: skip
SPEECH = ("fsdd",)  # sets of which DNSMOS says something
SECONDS = 18.0  # of the sound that is written for each recipe, at most


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="*", default=list(SETS))
    parser.add_argument("--time", default="20m", help="time of each training")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--runs", type=Path, default=Path("runs/bench-audio"))
    parser.add_argument("--page", type=Path, help="Markdown file for the tables, between its two marks")
    args = parser.parse_args()
    lines, counted = [], count_cpu_time()
    for name in args.sets:
        lines += [f"**{name}**", "", *_measured(name, args), ""]
        print("\n".join(lines), flush=True)
    seeds = f"{args.seeds} seed{'s' if args.seeds > 1 else ''}"
    command = f"python benchmarks/audio.py {' '.join(args.sets)} --time {args.time} --seeds {args.seeds}"
    lines += [f"`{command}`: at most {args.time} each, {seeds}, {counted}."]
    if args.page:
        put(args.page, __file__, lines)


def _measured(name: str, args: argparse.Namespace) -> list[str]:
    found: dict[str, list[Evaluation]] = {}
    costs: dict[str, str] = {}
    lines = []
    for recipe in RECIPES:
        found[recipe] = []
        for seed in range(args.seeds):
            out = args.runs / f"{recipe}-{name}-{args.time}-{seed}"
            model = trained_once(recipe, name, out, args.time, seed=seed)
            found[recipe].append(evaluated_once(out, model))
            costs[recipe] = f"{model.about['step']:,}"
            if args.page and not seed:
                lines += _shown(model, args.page.parent, name, recipe)
    first = found[RECIPES[0]][0]
    names = [n for n in NAMES if n in {number.name for number in first.numbers} and (n != "dnsmos" or name in SPEECH)]
    rows = [["held-out sounds", *_cells([first.floor], names), ""]]
    rows += [
        [f"**{recipe}**", *_cells([run.numbers for run in runs], names), costs[recipe]]
        for recipe, runs in found.items()
    ]
    rows += [[kind, *_cells([numbers], names), ""] for kind, numbers in first.baselines.items()]
    return [*table(["", *names, "steps"], rows), "", first.protocol, "", *lines]


def _cells(runs: list, names: list[str]) -> list[str]:
    return [_cell([next((n for n in numbers if n.name == name), None) for numbers in runs]) for name in names]


def _cell(numbers: list[Number | None]) -> str:
    known = [number for number in numbers if number is not None]
    if not known:
        return ""
    shown = "{:.1%}" if known[0].share else "{:.3g}"
    values = [number.value for number in known]
    spread = f" ± {shown.format(stdev(values))}" if len(values) > 1 else ""
    return shown.format(mean(values)) + spread


def _shown(model: Model, folder: Path, name: str, recipe: str) -> list[str]:
    """Write a sheet and a sound of a model's samples; returns the lines that show them."""
    classes = model.modality.classes
    each = max(1, int(SECONDS / (model.modality.length / model.modality.rate + 0.25) / len(classes)))
    labels = torch.arange(len(classes)).repeat_interleave(each)
    batches = [model.sample(each, seed=i, label=classes[i]) for i in range(len(classes))]
    joined = type(batches[0])(model.modality.concatenate([b.items for b in batches]), labels.numpy(), model.modality)
    sound, sheet = folder / f"audio-{name}-{recipe}.ogg", folder / f"audio-{name}.png"
    joined.save(sound, force=True)
    lines = [f"[Samples of {recipe}, {each} of each class]({sound.name})", ""]
    if recipe == RECIPES[0]:
        joined.save(sheet, force=True)
        lines = [f"![samples of {recipe} on {name}]({sheet.name})", "", *lines]
    return lines


if __name__ == "__main__":
    main()

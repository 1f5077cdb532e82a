"""Trains on images with a table beside them, and shows how well samples are what was asked for.

    python benchmarks/characters.py --data characters --time 8m --device cuda --out characters-page
    python benchmarks/characters.py --time 2h --pairs 15m --page docs/pictures-with-a-table.md

Writes to one folder: `sheet.png` (samples asked for by attributes, at twice their size), `walk.webp` (walks from row to
row of the table), `README.md` and `results.json` (attribute accuracies, diversity, copies, distances; and what is
understood of pairs of attributes that were left out of training). A model of all images is trained for --time. With
--pairs, two models are trained for that time: one of all images, and one of the images without these pairs; if both
times are equal, the first model is one of the two. A run that was interrupted continues. With `--model RUN`, nothing is
trained.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

import sparring
from clock import count_cpu_time
from pages import put
from runs import trained_once
from sparring.console import Screen
from sparring.data.sources import FileSource, Unreadable
from sparring.data.tensors import VALUES
from sparring.devices import resolve
from sparring.evaluation import evaluate
from sparring.evaluation.condition_check import ConditionCheck
from sparring.evaluation.real import read
from sparring.evaluation.report import markdown
from sparring.layers.condition import Columns
from sparring.metrics.results import Evaluation
from sparring.modalities import find
from sparring.modalities.images import beside
from sparring.recipes.base import parse
from sparring.training.bounds import seconds

ROWS, COLUMNS, TIMES = 12, 6, 2  # of the sheet, and its magnification
TILE, LIGHT, DARK = 8, 255, 232  # of the checkerboard
CAPTION = 190  # pixels of a caption's width
WALKS, STOPS, RATE = (1, 5), 2, 4  # rows and columns of the film; stops, frames per second
HELD_PAIRS = 8  # pairs of attributes that are left out of training
MIN_PAIR, MAX_PAIR = 20, 0.02  # images that have a pair: at least, and at most as a share of all
ASKED = 100  # samples of each pair
NOT_SHOWN = ("density", "is[", "classes_covered", "class_imbalance", "diversity", "memorization[")  # metrics
Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Pair:
    """Two values of two columns."""

    one: tuple[str, str]
    other: tuple[str, str]

    @property
    def where(self) -> list[str]:
        return [f"{name}={value}" for name, value in (self.one, self.other)]

    def holds(self, frame: Any) -> NDArray[np.bool_]:
        masks = [(frame[name].astype(str) == value).to_numpy(bool) for name, value in (self.one, self.other)]
        return masks[0] & masks[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="characters", help="name or path of images with a table beside them")
    parser.add_argument("--table", default="", help="the table, if it does not lie beside them")
    parser.add_argument("--time", default="8m", help="of the training")
    parser.add_argument("--pairs", default="", help="time of each of the two trainings for pairs")
    parser.add_argument("--model", default="", help="a run or a model that is shown instead; nothing is trained")
    parser.add_argument("--recipe", default="", help="chosen by the data unless given")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--samples", type=int, default=2000, help="that are evaluated")
    parser.add_argument("--out", default="runs/characters-page")
    parser.add_argument("--page", type=Path, help="also write to this Markdown file, between its two marks")
    parser.add_argument("fields", nargs="*", help="FIELD=VALUE of the recipe")
    args = parser.parse_args()
    counted = count_cpu_time(args.device)
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    device = str(resolve(args.device))
    if args.model:
        whole = sparring.load(args.model, device)
    else:
        whole = _trained(args, args.data, args.table, out / "run", args.time)
    _sheet(whole).quantize(256, dither=Image.Dither.NONE).save(out / "sheet.png", optimize=True)
    _film(whole, out / "walk.webp")
    evaluation = evaluate(whole, args.data, samples=args.samples, device=args.device, quiet=False)
    pairs = _left_out(args, out) if args.pairs and not args.model else None
    how = f"on {whole.about['device']}" if args.model else counted  # this program did not train that one
    lines = [_about(whole, how), "", *_shown_metrics(evaluation), "", f"{evaluation.protocol}.", ""]
    lines += [] if pairs is None else _pair_table(pairs, args.pairs, counted)
    page = ["# Characters asked for by attributes", "", "![samples](sheet.png)", "", "![a walk](walk.webp)", "", *lines]
    (out / "README.md").write_text("\n".join(page) + "\n")
    (out / "results.json").write_text(json.dumps({"evaluation": evaluation.content(), "pairs": pairs}, indent=2))
    if args.page:
        times = f"--time {args.time}" + (f" --pairs {args.pairs}" if args.pairs else "")
        put(args.page, __file__, [*lines, f"`python benchmarks/characters.py {times} --samples {args.samples}`"])
        shutil.copy(out / "sheet.png", args.page.parent / "characters.png")
        shutil.copy(out / "walk.webp", args.page.parent / "characters.webp")
    print(f"written to {out}")


def _trained(args: argparse.Namespace, data: str, table: str, run: Path, time: str) -> sparring.Model:
    fields = parse(args.fields) | ({"table": table} if table else {})
    return trained_once(args.recipe or None, data, run, time, device=args.device, quiet=False, **fields)


def _about(model: sparring.Model, how: str) -> str:
    """How a model was trained.

    Args:
        how: its time was counted, or where it was trained.
    """
    minutes, weights = model.about["seconds"] / 60, model.about["parameters"]["G"]
    return f"`{model.recipe.name}`, {minutes:.0f} minutes ({how}), {weights:,} weights in G."


def _shown_metrics(evaluation: Evaluation) -> list[str]:
    """The rows of an evaluation's table that say most of such images."""
    return [line for line in markdown(evaluation) if not line.startswith(tuple(f"| {name}" for name in NOT_SHOWN))]


# The sheet and the film.


def _sheet(model: sparring.Model) -> Image.Image:
    """Samples of twelve requests: the most frequent level of the first column, and of others that few images have."""
    frame = model.modality.attributes.frame  # type: ignore[attr-defined]
    width = model.modality.shape[-1] * TIMES
    sheet = Image.new("RGB", (CAPTION + COLUMNS * width, ROWS * width), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(12)
    for row, where in enumerate(_requests(frame)):
        samples = model.sample(COLUMNS, where=where, seed=row, **_palette(model)).items
        pen.multiline_text((6, row * width + width // 3), "\n".join(where), "black", font)
        for column, pixels in enumerate(samples):
            sheet.paste(_shown(pixels), (CAPTION + column * width, row * width))
    return sheet


def _requests(frame: Any) -> list[list[str]]:
    """Pairs of a level of the first column and a level of another one that shows something, each column in turn."""
    first, *others = map(str, frame)
    levels = frame[first].astype(str).value_counts().index.tolist()
    requests: list[list[str]] = []
    for i in range(ROWS):
        level, rank = levels[i % len(levels)], i // len(levels)
        request = [f"{first}={level}"]
        for other in (others[(-1 - i - skipped) % len(others)] for skipped in range(len(others))):
            counts = frame[other][frame[first].astype(str) == level].astype(str).value_counts()
            values = [value for value in counts.index if value != "none"]
            if len(values) > 1:
                request.append(f"{other}={values[min(rank, len(values) - 1)]}")
                break
        requests.append(request)
    return requests


def _shown(pixels: Pixels) -> Image.Image:
    """An image at twice its size, with crisp alpha on a checkerboard."""
    large = pixels.repeat(TIMES, 0).repeat(TIMES, 1)
    if large.shape[-1] < 4:
        return Image.fromarray(large.squeeze()).convert("RGB")
    places = np.add.outer(np.arange(large.shape[0]) // TILE, np.arange(large.shape[1]) // TILE)
    board = np.where(places % 2, DARK, LIGHT).astype(np.uint8)[..., None].repeat(3, -1)
    return Image.fromarray(np.where(large[..., 3:] >= 128, large[..., :3], board))


def _palette(model: sparring.Model) -> dict[str, str]:
    """Asks for the colors of the training images, if they are few."""
    return {"palette": "real"} if any(ask.name == "palette" for ask in model.modality.asks) else {}


@torch.no_grad()
def _film(model: sparring.Model, path: Path) -> None:
    """Each image of a frame is on a walk of its own from row to row of the table, one column after the other.

    The columns decide most of such an image, so that a walk through latents alone would show little.
    """
    (rows, columns), width = WALKS, model.modality.shape[-1] * TIMES
    n, finish = rows * columns, model.request(**_palette(model)).finished
    z, condition = model.latents(STOPS * n, model.request(), 0)
    assert condition is not None
    frames = []
    for row in _walk(model, condition.view(STOPS, n, -1)):
        frame = Image.new("RGB", (columns * width, rows * width))
        for i, pixels in enumerate(finish(model.modality.decode(model.generate(z[:n], row)))):
            frame.paste(_shown(pixels), (i % columns * width, i // columns * width))
        frames.append(frame)
    settings: dict[str, Any] = {"lossless": True, "minimize_size": True, "method": 6, "quality": 100, "loop": 0}
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=1000 // RATE, **settings)


def _walk(model: sparring.Model, stops: Tensor) -> Iterator[Tensor]:
    """Conditions (n, width) on the way from stop to stop (stops, n, width) and back to the first."""
    columns = model.modality.condition
    assert isinstance(columns, Columns)
    n, many = stops.shape[1], len(columns.widths)
    of = torch.tensor([*range(many), *columns.scalars], device=stops.device)  # the column of each part of a condition
    for stop, here in enumerate(stops):
        there = stops[(stop + 1) % len(stops)]
        turn = torch.rand(n, many, generator=torch.Generator().manual_seed(stop)).argsort(1).to(stops.device)
        for i in range(many):
            yield torch.where(turn[:, of] < i, there, here)


# Pairs of attributes that were left out of training.


def _left_out(args: argparse.Namespace, out: Path) -> list[dict[str, Any]]:
    """What is understood of pairs that a second model has not been trained on."""
    items = find(args.data)
    found = beside.find(items, args.table)
    if found is None:
        raise sparring.InputError(f"{args.data} has no table; give one with --table")
    pairs = _pairs(found.frame)
    if not pairs:
        return []
    held = np.logical_or.reduce([pair.holds(found.frame) for pair in pairs])
    _write_set(items.items, found, ~held, out / "without-pairs")
    model = _trained(args, str(out / "without-pairs"), "", out / "run-without-pairs", args.pairs)
    same = seconds(args.pairs) == seconds(args.time)
    trained = _trained(args, args.data, args.table, out / ("run" if same else "run-of-all"), args.pairs)
    device, screen = resolve(args.device), Screen()
    real, _ = read(trained.modality, items)
    columns = real.modality.condition
    assert isinstance(columns, Columns)
    with screen.progress("training a classifier of the attributes") as progress:
        check = ConditionCheck(real, columns, real.data.train, real.data.held, device, progress)
    return [_understood(check, pair, {"left out": model, "trained on": trained}, found.frame) for pair in pairs]


def _pairs(frame: Any) -> list[Pair]:
    """Pairs of a level of the first column with one of another: the most frequent of those that few images have."""
    first, *others = [name for name in map(str, frame) if frame[name].nunique() <= 40]
    counts: dict[Pair, int] = {}
    for other in others:
        together = frame.groupby([frame[first].astype(str), frame[other].astype(str)]).size()
        counts |= {Pair((first, a), (other, b)): int(n) for (a, b), n in together.items() if b != "none"}
    rare = {pair: n for pair, n in counts.items() if MIN_PAIR <= n <= MAX_PAIR * len(frame)}
    chosen: dict[str, Pair] = {}  # one of each other column, while there are enough
    for pair in sorted(rare, key=lambda pair: -rare[pair]):
        chosen.setdefault(pair.other[0], pair)
    return list(islice(dict.fromkeys([*chosen.values(), *rare]), HELD_PAIRS))


def _write_set(files: FileSource, found: beside.Beside, kept: NDArray[np.bool_], folder: Path) -> None:
    """The images of some rows, with their table."""
    if (folder / "table.csv").is_file():
        return
    shutil.rmtree(folder, ignore_errors=True)
    chosen = {int(i) for i in found.items[kept]}
    for i, content in files.contents(chosen):
        if not isinstance(content, Unreadable):
            path = folder / files.names[i]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    frame = found.frame[kept].copy()
    frame.insert(0, "file", [files.names[i] for i in found.items[kept]])
    frame.to_csv(folder / "table.csv", index=False)


def _understood(check: ConditionCheck, pair: Pair, models: Mapping[str, sparring.Model], frame: Any) -> dict[str, Any]:
    """Share of the samples of a pair in which both of its values are seen, for each model; and of real images."""
    result: dict[str, Any] = {"pair": " and ".join(pair.where), "images": int(pair.holds(frame).sum())}
    places = [check.names.index(name) for name, _ in (pair.one, pair.other)]
    for name, model in models.items():
        check.seen.clear()
        request = model.request(where=pair.where)
        z, condition = model.latents(ASKED, request, 0)
        assert condition is not None
        # The check has the codes of the model of all images; levels are the same, their order may differ.
        rows = model.modality.rows_of(condition)
        asked = check.real.modality.attributes.encode(rows)  # type: ignore[attr-defined]
        check.add(model.generate(z, condition)[VALUES], asked.to(model.device))
        seen = torch.cat(check.seen)[:, places]
        result[name] = {"both": float(seen.all(1).float().mean()), "each": seen.float().mean(0).tolist()}
    return result


def _pair_table(pairs: Sequence[Mapping[str, Any]], time: str, counted: str) -> list[str]:
    if not pairs:
        return ["No pair of attributes is rare enough to be left out of training."]
    lines = [
        "| pair left out of training | images with it | both seen | both seen, trained on it |",
        "|---|---:|---:|---:|",
    ]
    for p in pairs:
        both = [f"{p[name]['both']:.0%}" for name in ("left out", "trained on")]
        lines.append(f"| {p['pair']} | {p['images']} | {both[0]} | {both[1]} |")
    about = f"{ASKED} samples of each pair, as seen by a classifier of real images; trainings of {time} ({counted})."
    return [*lines, "", about]


if __name__ == "__main__":
    main()

"""Translation: images of one domain generated from those of another, compared with the true ones where they exist.

    python benchmarks/translate.py [TASK ...] [--data ../shared/data] [--runs FOLDER] [--time FACTOR]
                                   [--page docs/translating.md]

TASK is membranes (cells under the electron microscope, 24 pairs for training and 6 for testing), edges (digits from
their outlines), twins and reversed (digits and their colored twins, trained without pairs, with the true results for
testing; the ink is brighter than the paper as in the given image, or darker) or citrus (apples and oranges, without
true results). Images are written next to the page.
"""

from __future__ import annotations

import argparse
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from pages import table
from runs import compared, cost, evaluated_once, run_tasks, save_picture, trained
from sparring.layers.degrade import parse
from sparring.modalities import find
from sparring.nets.tiles import as_bytes, as_input
from sparring.sheets import sheet

TRAIN_DIGITS, TEST_DIGITS = 2500, 500  # of each domain
SHEET_COLUMNS = 12
BRIGHT = np.array([250, 210, 60.0]), np.array([40, 30, 90.0])  # ink and paper
DARK = np.array([200, 30, 40.0]), np.array([250, 230, 160.0])
Pixels = NDArray[np.uint8]


def membranes(options: argparse.Namespace) -> list[str]:
    folder = options.runs / "data" / "membranes"
    with zipfile.ZipFile(options.data / "em-membrane/isbi2012_train.zip") as archive:
        for name in (n for n in archive.namelist() if n.endswith(".png")):
            path = Path(name)
            place = folder / ("test" if int(path.stem) >= 24 else "train") / path.parent.name / path.name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(archive.read(name))
    model = trained(options, "membranes", "pix2pix", folder, 12, turn=True, size=128)
    evaluation = evaluated_once(options.runs / "membranes", model, folder)  # its test part
    save_picture(options, "translated-membranes", evaluation)
    return compared(evaluation, ("iou", "mae", "spectral_distance", "kid[patches]"), model)


def edges(options: argparse.Namespace) -> list[str]:
    folder, outlined = options.runs / "data" / "edges", parse(("edges",))
    train, test = _digits()
    for part, digits in (("train", train[: 2 * TRAIN_DIGITS]), ("test", test)):
        outlines = [as_bytes(outlined(as_input(digit[..., None]))[0])[..., 0] for digit in digits]
        _save(folder / part / "input", outlines)
        _save(folder / part / "target", digits)
    model = trained(options, "edges", "pix2pix", folder, 5, flip=False)
    evaluation = evaluated_once(options.runs / "edges", model)
    save_picture(options, "translated-edges", evaluation)
    return compared(evaluation, ("mae", "psnr", "spectral_distance", "kid[patches]"), model)


def twins(options: argparse.Namespace) -> list[str]:
    return _colored_twins(options, "coloured", partial(_colored, *BRIGHT))


def reversed_twins(options: argparse.Namespace) -> list[str]:
    return _colored_twins(options, "reversed", partial(_colored, *DARK))


def _colored_twins(options: argparse.Namespace, name: str, color: Callable[[Pixels], Pixels]) -> list[str]:
    """Errors of generated twins of digits, which were not paired in the training, and how often the true twin is the
    nearest of all.
    """
    folder = options.runs / "data" / name
    train, test = _digits()
    given, true = (np.stack([kind(digit) for digit in test]) for kind in (_in_gray, color))
    _save(folder / "trainA", [_in_gray(digit) for digit in train[:TRAIN_DIGITS]])
    _save(folder / "trainB", [color(digit) for digit in train[TRAIN_DIGITS : 2 * TRAIN_DIGITS]])
    _save(folder / "testA", given)
    _save(folder / "testB", true)
    mean = np.stack([color(digit) for digit in train[:TRAIN_DIGITS]]).mean(0)
    body = [
        ["identity", *_errors(given, true), ""],
        ["mean twin", *_errors(np.broadcast_to(mean, true.shape), true), ""],
    ]
    rows = [given[:SHEET_COLUMNS]]
    for recipe, minutes, fields in (("cyclegan", 11, {}), ("cut", 9, {"lr": 5e-4})):
        model = trained(options, f"{name}-{recipe}", recipe, folder, minutes, flip=False, crop=0.0, **fields)
        generated = np.stack([model.apply(x) for x in given])
        body.append([f"**{recipe}**", *_errors(generated, true), cost(model)])
        rows.append(generated[:SHEET_COLUMNS])
        if recipe == "cyclegan":
            back = np.stack([model.apply(x, reverse=True) for x in true])
            body.append(["**cyclegan**, back", *_errors(back, given), ""])
    if options.page:
        sheet(np.concatenate([*rows, true[:SHEET_COLUMNS]]), SHEET_COLUMNS).save(
            options.page.parent / f"translated-{name}.png", optimize=True
        )
    return table(["", "mae", "true twin is nearest", "training"], body)


def citrus(options: argparse.Namespace) -> list[str]:
    lines = []
    for recipe, minutes in (("cyclegan", 8), ("cut", 6)):
        model = trained(
            options, f"citrus-{recipe}", recipe, options.data / "grocery/apple2citrus_128.zip", minutes, size=64
        )
        evaluation = evaluated_once(options.runs / f"citrus-{recipe}", model)
        save_picture(options, f"translated-citrus-{recipe}", evaluation)
        results = compared(evaluation, ("kid[patches]",), model)
        lines += results if not lines else results[-1:]
        real = evaluation.of_real("kid[patches]")
    return [*lines, "", f"Real oranges compared with other real ones: {real:.3g}."]


def _errors(generated: NDArray[np.generic], true: NDArray[np.generic]) -> list[str]:
    """Mean absolute error in gray levels, and how often the true image is the nearest of all."""
    flat, truths = (torch.from_numpy(np.array(x, np.float64)).flatten(1) for x in (generated, true))
    own = torch.cdist(flat, truths).argmin(1) == torch.arange(len(flat))
    return [f"{float((flat - truths).abs().mean()):.1f}", f"{float(own.double().mean()):.1%}"]


def _digits() -> tuple[Pixels, Pixels]:
    items = find("mnist")
    return items.items[~items.held][: 2 * TRAIN_DIGITS], items.items[items.held][:TEST_DIGITS]


def _colored(ink: NDArray[np.float64], paper: NDArray[np.float64], digit: Pixels) -> Pixels:
    share = digit[..., None] / 255
    return np.round(paper * (1 - share) + ink * share).astype(np.uint8)


def _in_gray(digit: Pixels) -> Pixels:
    return np.repeat(digit[..., None], 3, 2)


def _save(folder: Path, images: list[Pixels] | Pixels) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for i, pixels in enumerate(images):
        Image.fromarray(pixels).save(folder / f"{i:04}.png")


TASKS = {"membranes": membranes, "edges": edges, "twins": twins, "reversed": reversed_twins, "citrus": citrus}

if __name__ == "__main__":
    run_tasks(__file__, __doc__.splitlines()[0], TASKS)

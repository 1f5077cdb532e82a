"""Translation: pictures of one kind made of those of another, beside what is known of the truth.

    python benchmarks/translate.py [TASK ...] [--data ../shared/data] [--runs FOLDER] [--time FACTOR]
                                   [--page docs/translating.md]

TASK is membranes (cells under the electron microscope, 24 pairs to learn from and 6 to be asked), edges (digits from
their outlines), twins and reversed (digits and their coloured twins, without pairs, where the truth is known; the ink
is brighter than the paper, as it is given, or darker) or citrus (apples and oranges, where it is not). Pictures go
beside the page.
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
from runs import compared, cost, picture, play, trained
from sparring.evaluation import evaluate
from sparring.layers.degrade import parse
from sparring.modalities import find
from sparring.nets.tiles import as_bytes, as_input
from sparring.sheets import sheet

TRAINED, ASKED = 2500, 500  # digits of each kind
SHOWN = 12  # on a sheet
BRIGHT = np.array([250, 210, 60.0]), np.array([40, 30, 90.0])  # ink and paper
DARK = np.array([200, 30, 40.0]), np.array([250, 230, 160.0])
Pixels = NDArray[np.uint8]


def membranes(asked: argparse.Namespace) -> list[str]:
    folder = asked.runs / "data" / "membranes"
    with zipfile.ZipFile(asked.data / "em-membrane/isbi2012_train.zip") as archive:
        for name in (n for n in archive.namelist() if n.endswith(".png")):
            path = Path(name)
            place = folder / ("test" if int(path.stem) >= 24 else "train") / path.parent.name / path.name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(archive.read(name))
    model = trained(asked, "membranes", "pix2pix", folder, 12, turn=True, size=128)
    found = evaluate(model, folder)  # of which the test part is asked about
    picture(asked, "translated-membranes", found)
    return compared(found, ("iou", "mae", "spectral_distance", "kid[patches]"), model)


def edges(asked: argparse.Namespace) -> list[str]:
    folder, outlined = asked.runs / "data" / "edges", parse(("edges",))
    train, test = _digits()
    for part, digits in (("train", train[: 2 * TRAINED]), ("test", test)):
        outlines = [as_bytes(outlined(as_input(digit[..., None]))[0])[..., 0] for digit in digits]
        _saved(folder / part / "input", outlines)
        _saved(folder / part / "target", digits)
    model = trained(asked, "edges", "pix2pix", folder, 5, flip=False)
    found = evaluate(model)
    picture(asked, "translated-edges", found)
    return compared(found, ("mae", "psnr", "spectral_distance", "kid[patches]"), model)


def twins(asked: argparse.Namespace) -> list[str]:
    return _coloured_twins(asked, "coloured", partial(_coloured, *BRIGHT))


def reversed_twins(asked: argparse.Namespace) -> list[str]:
    return _coloured_twins(asked, "reversed", partial(_coloured, *DARK))


def _coloured_twins(asked: argparse.Namespace, name: str, coloured: Callable[[Pixels], Pixels]) -> list[str]:
    """How near what is made of a digit is to its coloured twin, which no training has seen beside it; and whether that
    is the nearest of all twins.
    """
    folder = asked.runs / "data" / name
    train, test = _digits()
    given, true = (np.stack([kind(digit) for digit in test]) for kind in (_in_grey, coloured))
    _saved(folder / "trainA", [_in_grey(digit) for digit in train[:TRAINED]])
    _saved(folder / "trainB", [coloured(digit) for digit in train[TRAINED : 2 * TRAINED]])
    _saved(folder / "testA", given)
    _saved(folder / "testB", true)
    mean = np.stack([coloured(digit) for digit in train[:TRAINED]]).mean(0)
    body = [
        ["identity", *_near(given, true), ""],
        ["the mean twin", *_near(np.broadcast_to(mean, true.shape), true), ""],
    ]
    shown = [given[:SHOWN]]
    for recipe, minutes, fields in (("cyclegan", 11, {}), ("cut", 9, {"lr": 5e-4})):
        model = trained(asked, f"{name}-{recipe}", recipe, folder, minutes, flip=False, crop=0.0, **fields)
        made = np.stack([model.apply(x) for x in given])
        body.append([f"**{recipe}**", *_near(made, true), cost(model)])
        shown.append(made[:SHOWN])
        if recipe == "cyclegan":
            back = np.stack([model.apply(x, reverse=True) for x in true])
            body.append(["**cyclegan**, back", *_near(back, given), ""])
    if asked.page:
        sheet(np.concatenate([*shown, true[:SHOWN]]), SHOWN).save(
            asked.page.parent / f"translated-{name}.png", optimize=True
        )
    return table(["", "mae", "own twin is nearest", "training"], body)


def citrus(asked: argparse.Namespace) -> list[str]:
    lines = []
    for recipe, minutes in (("cyclegan", 8), ("cut", 6)):
        model = trained(
            asked, f"citrus-{recipe}", recipe, asked.data / "grocery/apple2citrus_128.zip", minutes, size=64
        )
        found = evaluate(model)
        picture(asked, f"translated-citrus-{recipe}", found)
        rows = compared(found, ("kid[patches]",), model)
        lines += rows if not lines else rows[-1:]
        real = found.of_real("kid[patches]")
    return [*lines, "", f"Real oranges against others: {real:.3g}."]


def _near(made: NDArray[np.generic], true: NDArray[np.generic]) -> list[str]:
    """Mean absolute error in grey levels, and how often a picture's own truth is the nearest of all."""
    flat, truths = (torch.from_numpy(np.array(x, np.float64)).flatten(1) for x in (made, true))
    own = torch.cdist(flat, truths).argmin(1) == torch.arange(len(flat))
    return [f"{float((flat - truths).abs().mean()):.1f}", f"{float(own.double().mean()):.1%}"]


def _digits() -> tuple[Pixels, Pixels]:
    items = find("mnist")
    return items.items[~items.held][: 2 * TRAINED], items.items[items.held][:ASKED]


def _coloured(ink: NDArray[np.float64], paper: NDArray[np.float64], digit: Pixels) -> Pixels:
    share = digit[..., None] / 255
    return np.round(paper * (1 - share) + ink * share).astype(np.uint8)


def _in_grey(digit: Pixels) -> Pixels:
    return np.repeat(digit[..., None], 3, 2)


def _saved(folder: Path, pictures: list[Pixels] | Pixels) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for i, pixels in enumerate(pictures):
        Image.fromarray(pixels).save(folder / f"{i:04}.png")


TASKS = {"membranes": membranes, "edges": edges, "twins": twins, "reversed": reversed_twins, "citrus": citrus}

if __name__ == "__main__":
    play(__file__, __doc__.splitlines()[0], TASKS)

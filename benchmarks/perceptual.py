"""The perceptual distance as a loss: trainings with it and without it, for equal times.

    python benchmarks/perceptual.py [TASK ...] [--data ../shared/data] [--runs FOLDER] [--time FACTOR]
                                    [--page docs/perceptual.md]

TASK is cost (milliseconds per image), x4 (enlargement, trained on T91 and tested on Set5) or citrus (apples
and oranges, without pairs). Each training has as many steps as take the same time on one CPU core, so that other work
of the machine does not matter. The metrics are none that a training minimizes. Images are written next to the page.
"""

from __future__ import annotations

import argparse
import io
import time
import zipfile
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

import sparring
from pages import table
from runs import finished, run_tasks
from sparring import Model, recipes
from sparring.console import Screen
from sparring.devices import fabric
from sparring.evaluation import evaluate
from sparring.evaluation.classifier import Classifier, train_classifier
from sparring.loop import play
from sparring.metrics import image_pairs
from sparring.modalities import find
from sparring.modalities.translation.baselines import bicubic
from sparring.modalities.translation.judge import method_of
from sparring.nets import perceptual
from sparring.nets.tiles import as_bytes
from sparring.recipes.base import Recipe
from sparring.seeds import Seeds
from sparring.sheets import sheet
from sparring.training.dealer import dealer
from sparring.training.prepare import prepare

SIDES = (32, 64, 96, 128)  # pixels, of the images whose cost is measured
BATCH, REPEATED = 8, 20  # of these images; repetitions
MEASURED = 16  # steps of each phase, whose time is measured
MEMORY = 2**30  # bytes of encoded images
CPU = torch.device("cpu")
X4_WEIGHTS, X4_MINUTES = (0.0, 0.1, 0.5), 4
X4_FIELDS = {"size": 64, "batch": 8, "width": 24, "depth": 4, "turn": True}
CITRUS_WEIGHTS, CITRUS_MINUTES = {"cyclegan": (0.0, 3.0), "cut": (0.0, 0.5)}, 6
X4_TEST = "superres/Set5.zip"
X4_METRICS = ("psnr[Y]", "ssim[Y]", "spectral_distance", "kid[patches]", "lr_psnr")
SHOWN, SHOWN_SIDE = 5, 112  # images on a sheet of x4, and pixels of a side
COLUMNS = 12  # images on a sheet of citrus
CITRUS, CITRUS_SIZE = "grocery/apple2citrus_128.zip", 64


def cost(options: argparse.Namespace) -> list[str]:  # noqa: ARG001
    """Forward and backward pass of the distance, with the maps of the true image, of whole images and of crops."""
    body = []
    for side in SIDES:
        real = torch.rand(BATCH, 3, side, side) * 2 - 1
        fake = (torch.rand(BATCH, 3, side, side) * 2 - 1).requires_grad_()
        whole = _milliseconds(lambda fake=fake, real=real: perceptual.distance(fake, real))
        crop = _milliseconds(lambda fake=fake, real=real: perceptual.distance(*perceptual.crop(fake, real)))
        body.append([f"{side} pixels", f"{whole:.1f}", f"{crop:.1f}"])
    return table(["ms per image", "whole image", "in a training"], body)


def _milliseconds(loss: Callable[[], Tensor]) -> float:
    """CPU time of a loss and its gradient, per image."""
    loss().sum().backward()
    start = time.process_time()
    for _ in range(REPEATED):
        loss().sum().backward()
    return 1000 * (time.process_time() - start) / REPEATED / BATCH


def _trained(
    options: argparse.Namespace, name: str, recipe: str, data: str, minutes: float, steps: int = 0, **fields: Any
) -> Model:
    """The model of a run of as many steps as take these minutes of CPU time, or of the given number; trained if it does
    not exist.
    """
    minutes *= options.time
    out, path = options.runs / (name if steps else f"{name}-{minutes:g}m"), options.data / data
    model = finished(recipe, path, out, steps=steps or None, device="cpu", **fields)
    if model is not None:
        return model
    chosen = recipes.find(recipe).set(fields)
    if out.is_dir():
        return sparring.train(chosen, path, out=out, resume=True, quiet=True, device="cpu")
    steps = steps or round(60 * minutes / _seconds_per_step(chosen, path))
    print(f"training {name}, {steps} steps", flush=True)
    return sparring.train(chosen, path, out=out, steps=steps, quiet=True, device="cpu")


def _seconds_per_step(recipe: Recipe[Any], path: Path) -> float:
    """CPU time of a step, the mean over the phases of a run."""
    items = find(path, [type(modality) for modality in recipe.takes])
    fitted = recipe.modality(items.kind).fit(items)
    modality, data, _ = prepare(recipe, fitted, items, MEMORY, Screen(quiet=True))
    game = recipe.game(modality)
    deal = dealer(modality, data, recipe.batch, 1, Seeds(), CPU)
    seconds = 0.0
    for phase in recipe.played(game):
        steps = play(game, phase.players, deal, fabric(CPU, "fp32"), MEASURED + 1)
        next(steps)
        start = time.process_time()
        count = sum(1 for _ in steps)
        seconds += phase.share * (time.process_time() - start) / count
    return seconds


def enlarging(options: argparse.Namespace, weight: float, steps: int = 0) -> Model:
    fields = {**X4_FIELDS, "perceptual": weight}
    name = f"x4-{weight:g}{'-same-steps' if steps else ''}"
    return _trained(options, name, "srgan", "superres/T91.zip", X4_MINUTES, steps, **fields)


def x4(options: argparse.Namespace) -> list[str]:
    models = {_named("srgan", weight): enlarging(options, weight) for weight in X4_WEIGHTS}
    same_steps = models[_named("srgan", X4_WEIGHTS[1])].about["step"]
    models[f"{_named('srgan', 0.0)}, as many steps"] = enlarging(options, 0.0, same_steps)
    evaluations = {name: evaluate(model, options.data / X4_TEST) for name, model in models.items()}
    first = next(iter(evaluations.values()))
    rows = {name: [first.of_baseline(name, metric) for metric in X4_METRICS] for name in first.baselines}
    rows |= {name: [each[metric] for metric in X4_METRICS] for name, each in evaluations.items()}
    steps = {name: f"{model.about['step']:,}" for name, model in models.items()}
    body = [[name, *(f"{value:.3g}" for value in values), steps.get(name, "")] for name, values in rows.items()]
    if options.page:
        picture = _enlarged_sheet(options, list(models.values()))
        picture.save(options.page.parent / "perceptual-x4.png", optimize=True)
    protocol = f"{X4_MINUTES * options.time:.2g} minutes of one CPU core each. *psnr* and *ssim* favor blur."
    return [*table(["", *X4_METRICS, "steps"], body), "", protocol]


def _enlarged_sheet(options: argparse.Namespace, models: list[Model]) -> Image.Image:
    """The centers of images of Set5, one in a row: bicubic, each model, original."""
    examples = models[0].modality.examples(find(options.data / X4_TEST), False)
    tiles: list[np.ndarray] = []
    for given, true in islice(examples, SHOWN):
        versions = [bicubic(given, 4), *(method_of(model.mapper())(given) for model in models), true]
        tiles += [as_bytes(_center(x).clamp(-1, 1)[0]) for x in versions]
    return sheet(tiles, len(models) + 2)


def _center(x: Tensor) -> Tensor:
    top, left = ((side - SHOWN_SIDE) // 2 for side in x.shape[-2:])
    return x[..., top : top + SHOWN_SIDE, left : left + SHOWN_SIDE]


def translating(options: argparse.Namespace, recipe: str, weight: float) -> Model:
    fields = {"size": CITRUS_SIZE, "perceptual": weight}
    return _trained(options, f"citrus-{recipe}-{weight:g}", recipe, CITRUS, CITRUS_MINUTES, **fields)


def citrus(options: argparse.Namespace) -> list[str]:
    net = _classifier(options)
    pairs = [(recipe, weight) for recipe, weights in CITRUS_WEIGHTS.items() for weight in weights]
    models = {_named(*pair): translating(options, *pair) for pair in pairs}
    examples = next(iter(models.values())).modality.examples(find(options.data / CITRUS), True)
    given, true = (torch.cat(x) for x in zip(*examples, strict=True))
    body, lines = [["given apples", "", *_fruit(net, given, given), ""]], [given]
    for name, model in models.items():
        lines.append(torch.cat([method_of(model.mapper())(x[None]) for x in given]).clamp(-1, 1))
        kid = f"{evaluate(model)['kid[patches]']:.3g}"
        body.append([name, kid, *_fruit(net, given, lines[-1]), f"{model.about['step']:,}"])
    body.append(["real oranges", "", f"{_share(net, true):.0%}", "", ""])
    if options.page:
        tiles = [as_bytes(x) for part in lines for x in part[:COLUMNS]]
        sheet(tiles, COLUMNS).save(options.page.parent / "perceptual-citrus.png", optimize=True)
    head = ["", "kid[patches]", "classified as citrus", "ssim with the given image", "steps"]
    return [*table(head, body), "", f"{CITRUS_MINUTES * options.time:.2g} minutes of one CPU core each."]


def _fruit(net: Classifier, given: Tensor, generated: Tensor) -> list[str]:
    """The share that counts as citrus, and how much of the structure of the given images is left."""
    gray = [image_pairs.luma((x + 1) * 127.5) for x in (generated, given)]
    kept = np.mean([float(image_pairs.ssim(a[None], b[None])) for a, b in zip(*gray, strict=True)])
    return [f"{_share(net, generated):.0%}", f"{kept:.2f}"]


def _share(net: Classifier, x: Tensor) -> float:
    """Of images, the share that a classifier takes for citrus fruit."""
    return float((net.probabilities(x)[:, 1] > 0.5).float().mean())


def _classifier(options: argparse.Namespace) -> Classifier:
    """Of apples and citrus fruit, trained on the training images of both."""
    x, labels = [], []
    with zipfile.ZipFile(options.data / CITRUS) as archive:
        for name in (n for n in archive.namelist() if n.startswith(("trainA/", "trainB/")) and n.endswith(".jpg")):
            with Image.open(io.BytesIO(archive.read(name))) as image:
                pixels = image.convert("RGB").resize((CITRUS_SIZE, CITRUS_SIZE), Image.Resampling.BICUBIC)
            x.append(torch.from_numpy(np.array(pixels)).permute(2, 0, 1) / 127.5 - 1)
            labels.append(int(name.startswith("trainB/")))
    images, classes = torch.stack(x), torch.tensor(labels)
    return train_classifier((3, CITRUS_SIZE, CITRUS_SIZE), 2, len(x), lambda rows: (images[rows], classes[rows]))


def _named(recipe: str, weight: float) -> str:
    return f"{recipe}, perceptual={weight:g}" if weight else f"{recipe}, without"


if __name__ == "__main__":
    run_tasks(__file__, (__doc__ or "").splitlines()[0], {"cost": cost, "x4": x4, "citrus": citrus}, "cpu")

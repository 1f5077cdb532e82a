"""Exploring: how near inversion comes to pictures that were held out, and what directions change.

    python benchmarks/explore.py [TASK ...] [--data ../shared/data] [--runs FOLDER] [--time FACTOR]
                                 [--page docs/exploring.md]

TASK is inversion or directions, both of the default recipe after ten minutes on MNIST. Pictures go beside the page.
"""

from __future__ import annotations

import argparse
import os
import time

import torch
from torch import Tensor

from pages import table
from runs import cost, play, trained
from sparring import Model
from sparring.evaluation import classifier
from sparring.explore import Direction, Space, directions, invert
from sparring.explore.image_sheets import edited
from sparring.explore.neighbours import neighbours
from sparring.explore.scene import ROWS, Scene

PICTURES = 200  # that are inverted
SHOWN = 12
SAMPLES = 500  # that are moved along each direction
FOUND = 8  # directions by each method
BEST = 2  # that are drawn
MEASURES = ("slant", "width", "height", "stroke")


def _model(asked: argparse.Namespace) -> Model:
    os.environ.setdefault("SPARRING_DATA", str(asked.data.resolve()))
    return trained(asked, "mnist", "r3gan_strided", "mnist", 10)


@torch.no_grad()
def inversion(asked: argparse.Namespace) -> list[str]:
    """Held-out digits, by the latents that were found for them, by the nearest training digit, and by as many principal
    components as there are latents.
    """
    model = _model(asked)
    scene = Scene(model)
    data = scene.real.data
    rows = data.held[torch.randperm(len(data.held), generator=torch.Generator().manual_seed(0))[:PICTURES]]
    x = torch.cat([part["values"] for part in scene.batches(rows)])  # (n, 1, 28, 28)
    given = scene.decoded(x)
    began = time.perf_counter()
    found = invert(model, given)
    seconds = (time.perf_counter() - began) / len(given)
    distances, nearest = neighbours(x, scene.trained(), 1)
    again = _by_components(torch.cat(list(scene.trained())), x, scene.space.width)
    names = {
        f"inversion, {scene.space.width} latents": found.errors,
        f"nearest of {len(data.train):,} training digits": (distances[:, 0] / 2).square(),
        f"{scene.space.width} principal components": ((again - x) / 2).square().mean((1, 2, 3)),
    }
    floor = float((distances / 2).square().mean())
    body = [
        [name, f"{float(e.mean()):.4f}", f"{float(e.median()):.4f}", f"{float(e.mean()) / floor:.2f}"]
        for name, e in names.items()
    ]
    if asked.page:
        made = model.modality.scale(torch.from_numpy(found.pictures).permute(0, 3, 1, 2))
        lines = torch.cat([kind[:SHOWN] for kind in (x, made, nearest[:, 0], again)])
        scene.drawn(lines, SHOWN).save(asked.page.parent / "inverted.png", optimize=True)
    told = (
        f"{PICTURES} digits of MNIST's test set, at {seconds:.2f} s each; errors are mean squares, of black to white."
    )
    return [*table(["", "error", "median", "by the nearest's"], body), "", f"{told} Training: {cost(model)}."]


def _by_components(train: Tensor, x: Tensor, many: int) -> Tensor:
    """Pictures from their first principal components in the training data."""
    flat = train.flatten(1)
    mean = flat.mean(0)
    _, vectors = torch.linalg.eigh(torch.cov(flat.T))
    basis = vectors[:, -many:]
    return (mean + (x.flatten(1) - mean) @ basis @ basis.T).view_as(x).clamp(-1, 1)


@torch.no_grad()
def explored(asked: argparse.Namespace) -> list[str]:
    """What each direction changes, from two deviations on one side to two on the other, in deviations of samples."""
    model = _model(asked)
    scene, space = Scene(model), Space(model)
    net = classifier.classifier_of(scene.real, scene.real.data.train)
    points, labels = space.draw(SAMPLES, 1), space.labels(SAMPLES)
    usual = _measured(space.pictures(points, labels)).std(0)
    body, told = [], []
    for one in (*directions(model, "sefa", FOUND), *directions(model, "pca", FOUND)):
        ends = [space.pictures(points + t * one.vector, labels) for t in (-2.0, 2.0)]
        change = (_measured(ends[1]) - _measured(ends[0])).mean(0) / usual
        same = net.probabilities(ends[0]).argmax(1) == net.probabilities(ends[1]).argmax(1)
        alone = float(change.abs().max() / change.norm())
        told.append((float(change.abs().max()) * alone, one, MEASURES[int(change.abs().argmax())]))
        body.append(
            [one.name, *(f"{c:+.2f}" for c in change.tolist()), f"{alone:.0%}", f"{float(same.float().mean()):.0%}"]
        )
    best = _of_their_own(told)
    shown = []
    for place, (_, one, measure) in enumerate(best, 1):
        shown.append(f"![samples along {one.name}, which changes {measure}](direction-{place}.png)")
        if asked.page:
            made = edited(scene, one)
            scene.drawn(made, len(made) // ROWS).save(asked.page.parent / f"direction-{place}.png", optimize=True)
    drawn = ", ".join(f"{one.name} ({measure})" for _, one, measure in best)
    head = ["", *MEASURES, "the greatest alone", "same digit"]
    return [*table(head, body), "", f"{SAMPLES} samples. Drawn below: {drawn}.", "", *shown]


def _of_their_own(told: list[tuple[float, Direction, str]]) -> list[tuple[float, Direction, str]]:
    """The strongest of those that change one measure most, each another."""
    best: dict[str, tuple[float, Direction, str]] = {}
    for one in sorted(told, key=lambda each: -each[0]):
        best.setdefault(one[2], one)
    return list(best.values())[:BEST]


def _measured(x: Tensor) -> Tensor:
    """Of grey pictures (n, 1, h, w): slant, width and height by second moments of the ink, and how wide strokes are, by
    ink and its edges; (n, 4).
    """
    ink = (x[:, 0] / 2 + 0.5).clamp(0, 1)
    whole = ink.sum((1, 2)).clamp(min=1e-3)
    rows, columns = (torch.arange(n, dtype=torch.float32) for n in ink.shape[1:])
    y = rows[:, None] - ((ink * rows[:, None]).sum((1, 2)) / whole)[:, None, None]
    across = columns[None] - ((ink * columns[None]).sum((1, 2)) / whole)[:, None, None]
    tall, wide, both = ((ink * m).sum((1, 2)) / whole for m in (y.square(), across.square(), y * across))
    edges = ink.diff(dim=1).abs().sum((1, 2)) + ink.diff(dim=2).abs().sum((1, 2))
    return torch.stack([-both / tall.clamp(min=1e-3), wide.sqrt(), tall.sqrt(), whole / edges.clamp(min=1e-3)], 1)


if __name__ == "__main__":
    play(__file__, __doc__ or "", {"inversion": inversion, "directions": explored})

"""Exploring: how closely inversion reproduces held-out images, and what directions change.

    python benchmarks/explore.py [TASK ...] [--data ../shared/data] [--runs FOLDER] [--time FACTOR]
                                 [--page docs/exploring.md]

TASK is inversion or directions, both with the default recipe after ten minutes on MNIST. Images are written next to the
page.
"""

from __future__ import annotations

import argparse
import os
import time

import torch
from torch import Tensor

from pages import table
from runs import cost, run_tasks, trained
from sparring import Model
from sparring.evaluation import classifier
from sparring.explore import Direction, Space, directions, invert
from sparring.explore.scene import Scene
from sparring.explore.sheets import generate_walks, move_along
from sparring.modalities.exploring import nearest

INVERTED = 200  # images
COLUMNS = 12  # images in a line of the drawing
SAMPLES = 500  # moved along each direction
DIRECTIONS = 8  # by each method
DRAWN = 2  # directions
MEASURES = ("slant", "width", "height", "stroke")


@torch.enable_grad()
def _model(asked: argparse.Namespace) -> Model:
    os.environ.setdefault("SPARRING_DATA", str(asked.data.resolve()))
    return trained(asked, "mnist", "r3gan_strided", "mnist", 10)


@torch.no_grad()
def inversion(asked: argparse.Namespace) -> list[str]:
    """Held-out digits, generated from the latents found for them, compared with the nearest training digit and with as
    many principal components as there are latents.
    """
    model = _model(asked)
    scene = Scene(model)
    data = scene.real.data
    rows = data.held[torch.randperm(len(data.held), generator=torch.Generator().manual_seed(0))[:INVERTED]]
    x = torch.cat([part["values"] for part in scene.batches(rows)])  # (n, 1, 28, 28)
    given = scene.pixels(x)
    start = time.perf_counter()
    inverted = invert(model, given)
    seconds = (time.perf_counter() - start) / len(given)
    distances, near = nearest({"values": x}, scene.training(), 1, model.modality.comparable)
    train = torch.cat([batch["values"] for batch in scene.training()])
    projected = _project(train, x, scene.space.width)
    names = {
        f"inversion, {scene.space.width} latents": inverted.errors,
        f"nearest of {len(data.train):,} training digits": (distances[:, 0] / 2).square(),
        f"{scene.space.width} principal components": ((projected - x) / 2).square().mean((1, 2, 3)),
    }
    floor = float((distances / 2).square().mean())
    body = [
        [name, f"{float(e.mean()):.4f}", f"{float(e.median()):.4f}", f"{float(e.mean()) / floor:.2f}"]
        for name, e in names.items()
    ]
    if asked.page:
        generated = model.modality.scale(torch.from_numpy(inverted.pictures).permute(0, 3, 1, 2))
        lines = torch.cat([images[:COLUMNS] for images in (x, generated, near["values"][:, 0], projected)])
        model.modality.draw_grid({"values": lines}, COLUMNS).save(asked.page.parent / "inverted.png", optimize=True)
    protocol = (
        f"{INVERTED} digits of MNIST's test set, at {seconds:.2f} s each; errors are mean squared errors, with black 0 "
        f"and white 1. Training: {cost(model)}."
    )
    return [*table(["", "error", "median", "relative to the nearest"], body), "", protocol]


def _project(train: Tensor, x: Tensor, components: int) -> Tensor:
    """Images projected on the first principal components of the training data."""
    flat = train.flatten(1)
    mean = flat.mean(0)
    _, vectors = torch.linalg.eigh(torch.cov(flat.T))
    basis = vectors[:, -components:]
    return (mean + (x.flatten(1) - mean) @ basis @ basis.T).view_as(x).clamp(-1, 1)


@torch.no_grad()
def explored(asked: argparse.Namespace) -> list[str]:
    """What each direction changes from two standard deviations on one side to two on the other, in standard deviations
    of samples.
    """
    model = _model(asked)
    scene, space = Scene(model), Space(model)
    with torch.enable_grad():
        net = classifier.classifier_of(scene.real, scene.real.data.train)
    points, labels = space.draw(SAMPLES, 1), space.conditions(SAMPLES)
    deviation = _measured(space.values(points, labels)).std(0)
    body, candidates = [], []
    for one in (*directions(model, "sefa", DIRECTIONS), *directions(model, "pca", DIRECTIONS)):
        ends = [space.values(points + t * one.vector, labels) for t in (-2.0, 2.0)]
        change = (_measured(ends[1]) - _measured(ends[0])).mean(0) / deviation
        same = net.probabilities(ends[0]).argmax(1) == net.probabilities(ends[1]).argmax(1)
        share = float(change.abs().max() / change.norm())
        candidates.append((float(change.abs().max()) * share, one, MEASURES[int(change.abs().argmax())]))
        body.append(
            [one.name, *(f"{c:+.2f}" for c in change.tolist()), f"{share:.0%}", f"{float(same.float().mean()):.0%}"]
        )
    best = _one_for_each_measure(candidates)
    links = []
    for place, (_, one, measure) in enumerate(best, 1):
        links.append(f"![samples along {one.name}, which changes {measure}](direction-{place}.png)")
        if asked.page:
            points, steps = move_along(scene, one)
            picture = model.modality.draw_grid(generate_walks(scene, points, steps), steps)
            picture.save(asked.page.parent / f"direction-{place}.png", optimize=True)
    drawn = ", ".join(f"{one.name} ({measure})" for _, one, measure in best)
    head = ["", *MEASURES, "share of the largest", "same digit"]
    return [*table(head, body), "", f"{SAMPLES} samples. Drawn below: {drawn}.", "", *links]


def _one_for_each_measure(candidates: list[tuple[float, Direction, str]]) -> list[tuple[float, Direction, str]]:
    """The strongest direction for each measure that one changes most."""
    best: dict[str, tuple[float, Direction, str]] = {}
    for one in sorted(candidates, key=lambda each: -each[0]):
        best.setdefault(one[2], one)
    return list(best.values())[:DRAWN]


def _measured(x: Tensor) -> Tensor:
    """Slant, width and height of gray images (n, 1, h, w), by second moments of the ink, and the width of strokes, as
    the ratio of ink to its edges: (n, 4).
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
    run_tasks(__file__, __doc__ or "", {"inversion": inversion, "directions": explored})

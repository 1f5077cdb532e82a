"""How the time of a step falls with the number of processes, and what it is spent on.

    python benchmarks/scale.py --page docs/scale.md

Each process computes with one thread. All play the same run of eight shards, so that they train the same weights: a
step of one process is the whole batch. Times are medians over steps, of the slowest process. `wait` is the time until
the slowest process has computed its gradient, `exchange` the sum over processes.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from math import log, log2
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import least_squares

from pages import put, table
from sparring import devices, recipes
from sparring.console import Screen
from sparring.loop import play
from sparring.modalities import find
from sparring.seeds import Seeds
from sparring.shards import Tree
from sparring.training.dealer import dealer
from sparring.training.prepare import prepare

if TYPE_CHECKING:
    from lightning_fabric import Fabric

CPU = torch.device("cpu")
SHARDS = 8
PROCESSES = (1, 2, 4)
PARTS = ("data", "compute", "wait", "exchange")
WARM_UP = 3
# Seconds per 1,000 images of StyleGAN2-ADA on 1, 2, 4 and 8 V100, the middle of the range that is given, by resolution:
# NVlabs/stylegan2-ada-pytorch, README. Its train.py gives each of n GPUs an equal part of
# max(min(n * min(4096 // resolution, 32), 64), n) images.
GPUS = (1, 2, 4, 8)
PUBLISHED = {
    128: (13.25, 6.65, 4.35, 4.4), 256: (22.9, 11.5, 5.75, 4.95), 512: (73.7, 38.85, 18.9, 9.6),
    1024: (157.95, 83.4, 40.45, 20.4),
}  # fmt: skip
WEIGHTS = 4 * 59e6  # bytes of G's and D's gradients at 1024 pixels: Karras et al. 2020, arXiv:1912.04958, and README
BANDWIDTH = 25e9  # bytes/s of a GPU to another machine: a network card of 200 Gbit/s for each
HOP = 20e-6  # seconds of a message
MANY = 1000  # GPUs
BATCH = 256


class Spent:
    """Seconds that parts of a step took."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(PARTS, 0.0)

    def timed(self, part: str, function: Any, *args: Any) -> Any:
        began = time.perf_counter()
        try:
            return function(*args)
        finally:
            self.seconds[part] += time.perf_counter() - began


def measure(name: str, fields: dict[str, Any], data: str, steps: int, fabric: Fabric) -> list[dict[str, float]]:
    """Seconds of each part of each step on this process."""
    recipe = recipes.find(name).set({**fields, "shards": SHARDS})
    items = find(data, [type(modality) for modality in recipe.takes])
    modality, dataset, _ = prepare(recipe, recipe.modality(items.kind).fit(items), items, 2**30, Screen(quiet=True))
    torch.manual_seed(0)
    game = recipe.build(modality, 5)
    deal = dealer(modality, dataset, recipe.batch // SHARDS, SHARDS, Seeds(), CPU)
    spent = Spent()
    total = Tree.total

    def exchanged(tree: Tree, *args: Any) -> Any:
        spent.timed("wait", fabric.barrier)
        return spent.timed("exchange", total, tree, *args)

    Tree.total = exchanged  # type: ignore[method-assign]
    try:
        players = recipe.played(game)[0].players
        found = []
        began = time.perf_counter()
        for _ in play(game, players, partial(spent.timed, "data", deal), fabric, WARM_UP + steps, shards=SHARDS):
            whole, began = time.perf_counter() - began, time.perf_counter()
            spent.seconds["compute"] = whole - sum(spent.seconds.values())
            found.append(spent.seconds)
            spent.seconds = dict.fromkeys(PARTS, 0.0)
    finally:
        Tree.total = total  # type: ignore[method-assign]
    return found[WARM_UP:]


def on_rank(name: str, fields: dict[str, Any], data: str, steps: int, fabric: Fabric) -> list[list[dict[str, float]]]:
    """The measurements of all processes."""
    with devices.threads(1):
        mine = measure(name, fields, data, steps, fabric)
    if fabric.world_size == 1:
        return [mine]
    every: list[list[dict[str, float]]] = [mine] * fabric.world_size
    torch.distributed.all_gather_object(every, mine)
    devices.leave(fabric)
    return every


def medians(every: list[list[dict[str, float]]]) -> dict[str, float]:
    """The median seconds of each part on the process that computes longest."""
    each = [{part: median(step[part] for step in steps) for part in PARTS} for steps in every]
    return max(each, key=lambda parts: parts["compute"])


def measured(given: argparse.Namespace) -> list[str]:
    rows = []
    for name in given.recipes:
        alone = 0.0
        for processes in PROCESSES:
            fabric = devices.fabric(CPU, ranks=processes)
            play_it = partial(on_rank, name, {"batch": given.batch}, given.data, given.steps)
            parts = medians(play_it(fabric) if processes == 1 else fabric.launch(play_it))
            step = sum(parts.values())
            alone = alone or step
            shares = [f"{parts[part] / step:.0%}" for part in PARTS]
            rows.append([name, str(processes), f"{1000 * step:.0f}", f"{alone / step / processes:.0%}", *shares])
    machine = f"{os.cpu_count()} cores, PyTorch {torch.__version__}"
    run = f"{given.data}, batches of {given.batch} in {SHARDS} shards"
    return [f"{machine}; {run}.", "", *table(["recipe", "processes", "ms a step", "efficiency", *PARTS], rows)]


def images_of_each(resolution: int, gpus: int) -> float:
    """Images that each GPU plays in a step of the published trainings."""
    return max(min(gpus * min(4096 // resolution, 32), 64), gpus) / gpus


@dataclass(frozen=True)
class Cost:
    """Seconds of a step: max(launches, images * each) + exchange.

    Attributes:
        launches: seconds in which the CPU launches the kernels of a step. A GPU with less work than that waits.
        exchange: seconds in which gradients are summed, if there are several GPUs.
        each: seconds per image and GPU, by resolution.
    """

    launches: float
    exchange: float
    each: Mapping[int, float]

    def step(self, resolution: int, images: float, exchange: float) -> float:
        return max(self.launches, images * self.each[resolution]) + exchange

    def published(self) -> dict[tuple[int, int], float]:
        """Seconds per 1,000 images for each published row, by resolution and number of GPUs."""
        found = {}
        for resolution in self.each:
            for gpus in GPUS:
                images = images_of_each(resolution, gpus)
                seconds = self.step(resolution, images, self.exchange if gpus > 1 else 0.0)
                found[resolution, gpus] = 1000 * seconds / (images * gpus)
        return found

    def efficiency(self, resolution: int, images: float, gpus: int) -> float:
        """The share of its time that a GPU computes, if each plays `images`."""
        crossing = 2 * WEIGHTS / BANDWIDTH + 2 * HOP * log2(gpus)  # sums in a tree
        return images * self.each[resolution] / self.step(resolution, images, crossing)


def fitted() -> Cost:
    """The cost model with the least relative errors on the published rows."""

    def cost(x: NDArray[np.float64]) -> Cost:
        launches, exchange, *each = np.exp(x).tolist()
        return Cost(launches, exchange, dict(zip(PUBLISHED, each, strict=True)))

    def errors(x: NDArray[np.float64]) -> list[float]:
        given = {(size, n): row for size, rows in PUBLISHED.items() for n, row in zip(GPUS, rows, strict=True)}
        return [log(seconds / given[place]) for place, seconds in cost(x).published().items()]

    first = np.log([0.2, 0.02, *(rows[0] / 1000 for rows in PUBLISHED.values())])
    return cost(least_squares(errors, first).x)


def extrapolated() -> list[str]:
    """The cost model and what it says of many GPUs."""
    cost = fitted()
    found = cost.published()
    worst = max(
        abs(found[size, n] / row - 1) for size, rows in PUBLISHED.items() for n, row in zip(GPUS, rows, strict=True)
    )
    rows = []
    for size, given in PUBLISHED.items():
        images = images_of_each(size, 1)
        few = cost.launches / cost.each[size]
        efficiencies = (
            given[0] / 8 / given[3],
            found[size, 1] / 8 / found[size, 8],
            cost.efficiency(size, images, MANY),
        )
        shares = [f"{share:.0%}" for share in efficiencies]
        each = f"{1000 * cost.each[size]:.0f}"
        rows.append([f"{size}", each, *shares, f"{MANY * images:,.0f}", f"{few:.1f}", f"{BATCH / few:.0f}"])
    head = [
        "pixels", "ms per image", "8 GPUs, published", "8 GPUs, model", f"{MANY:,} GPUs, model", "total batch",
        "images that keep a GPU busy", f"busy GPUs for a batch of {BATCH}",
    ]  # fmt: skip
    return [
        f"A step of StyleGAN2-ADA on V100 GPUs takes max({cost.launches:.2f} s, images per GPU x seconds per image) + "
        f"{1000 * cost.exchange:.0f} ms of exchange, fitted to the {len(found)} published rows, with errors of at most "
        f"{worst:.0%}. The first number stands for the time in which the CPU launches the kernels of a step: a GPU "
        f"with fewer images waits for it. For {MANY:,} GPUs, each has as many images as one GPU alone, and the "
        f"exchange is that of {WEIGHTS / 1e6:.0f} MB over a network of {8 * BANDWIDTH / 1e9:.0f} Gbit/s for each GPU, "
        "of which nothing is hidden behind the computation. Percentages are efficiencies: throughput / (GPUs x "
        "throughput of one).",
        "",
        *table(head, rows),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipes", nargs="+", default=["gan", "r3gan_strided", "dcgan"])
    parser.add_argument("--data", default="digits")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--page", type=Path)
    given = parser.parse_args()
    lines = [*measured(given), "", *extrapolated()]
    print("\n".join(lines))
    if given.page:
        put(given.page, __file__, lines)


if __name__ == "__main__":
    main()

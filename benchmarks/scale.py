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
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import torch

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
# Seconds per 1,000 images on 1 and on 8 GPUs: NVlabs/stylegan2-ada-pytorch and NVlabs/stylegan3, README and
# docs/configs.md.
PUBLISHED = {
    "StyleGAN2-ADA, 1024 px, V100": (158.0, 20.4),
    "StyleGAN2-ADA, 128 px, V100": (13.2, 4.4),
    "StyleGAN3-T, 1024 px, A100": (156.9, 20.0),
    "StyleGAN3-T, 128 px, A100": (27.2, 4.4),
}


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


def published() -> list[str]:
    """Efficiency on 8 GPUs as published, and what the cost model makes of it for fewer images on each GPU.

    A step of n GPUs takes the time that one GPU takes for its share of the batch, and an overhead that does not depend
    on n: in a ring, every GPU sends and receives twice its gradients, whatever the number of GPUs.
    """
    rows = []
    for name, (one, eight) in PUBLISHED.items():
        overhead = 8 * (eight - one / 8)  # seconds per 1,000 images of one GPU
        halved, quartered = (one / (one + times * overhead) for times in (2, 4))
        rows.append([name, f"{one / 8 / eight:.0%}", f"{halved:.0%}", f"{quartered:.0%}"])
    return table(["published", "8 GPUs", "half the images on each", "a quarter"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipes", nargs="+", default=["gan", "r3gan_strided", "dcgan"])
    parser.add_argument("--data", default="digits")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--page", type=Path)
    given = parser.parse_args()
    lines = [*measured(given), "", *published()]
    print("\n".join(lines))
    if given.page:
        put(given.page, __file__, lines)


if __name__ == "__main__":
    main()

"""Where the time of a training step goes, on one CPU core.

    python benchmarks/parts.py [--data characters] [--page docs/parts.md]

Measures steps of `r3gan_strided` with adaptive augmentation, as `sparring train DATA` takes them on a CPU: batches,
moves of all players, the moving average. The time of lazy penalties and of held-out images counts as often as they
occur. Augmentation, each transformation with a probability of a fifth, is the difference to steps without it.
Watching (log, scores, sheets, checkpoints) is the difference between a run and its steps, both without augmentation.
The second table has the same steps in other precisions and memory layouts, and those of changed recipes. Times are
CPU times of one thread. The ways take turns for several rounds, and each number is the median over the rounds.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor

import sparring
from clock import count_cpu_time
from pages import table
from sparring import devices, recipes
from sparring.bench.play import machine
from sparring.console import Screen
from sparring.data.dataset import Dataset
from sparring.files import write_text
from sparring.games.views import Ada
from sparring.layers.layout import channels_last
from sparring.loop import Deal, Losses, Turn, find_gradient, play, update
from sparring.modalities import Modality, find
from sparring.nets import dcgan
from sparring.recipes.base import Recipe
from sparring.seeds import Seeds
from sparring.training.average import Average
from sparring.training.dealer import dealer
from sparring.training.prepare import prepare

RECIPE = "r3gan_strided"
STEPS = 16  # of a round; lazy penalties and held-out images occur every eighth step
WARM_UP = 9
TRIED = {
    "one pass of D for both players": ("benchmarks/tried/one_pass.py", 0),
    "half of the channels in D": ("benchmarks/tried/half_d.py", 0),
    "growing nets, at a quarter of the resolution": ("benchmarks/tried/growing.py", 0),
    "growing nets, at half of the resolution": ("benchmarks/tried/growing.py", 1),
}  # changed recipes, and the phase that is measured
RUN_SECONDS = 120  # of the run whose watching is measured
CPU = torch.device("cpu")
PROBABILITY = 0.2  # of each adaptive augmentation; it costs nothing at 0
Layout = Callable[[Tensor], Tensor]


class Stopwatch:
    """Seconds spent in each part of the steps."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            began = time.process_time()
            result = function(*args, **named)
            self.seconds[name] += time.process_time() - began
            return result

        return call

    def take(self, turns: Iterable[Turn], fabric: Fabric) -> tuple[dict[str, Losses], Losses]:
        """Takes the turns of a step."""
        losses: dict[str, Losses] = {}
        seen: Losses = {}
        for turn in turns:
            losses[turn.player.name], observed = self.timed(turn.player.name, find_gradient)(turn, fabric)
            self.timed("optimizers", update)(turn.player, observed)
            seen.update(observed)
        return losses, seen


@lru_cache
def prepared(data: str, size: int) -> tuple[Modality, Dataset]:
    """Some data as the recipe reads them, at a size; 0 for their own."""
    recipe, items = recipes.find(RECIPE).set({"size": size}), find(data)
    fitted = recipe.modality(items.kind).fit(items)
    return prepare(recipe, fitted, items, 2**33, Screen(quiet=True))[:2]


class Way:
    """Steps of a recipe on some data, in a precision and a memory layout."""

    def __init__(
        self, recipe: Recipe[Any], data: str, precision: str = "fp32", layout: Layout = channels_last, phase: int = 0
    ) -> None:
        self.watch, self.layout = Stopwatch(), layout
        modality, dataset = prepared(data, recipe.size)
        game = recipe.build(modality, 1)
        deal: Deal = dealer(modality, dataset, recipe.batch, 1, Seeds(), CPU)
        self.average = Average(game, recipe.ema_kimg * 1000, recipe.ema_ramp)
        game.values = self.watch.timed("G forward", game.values)
        for view in game.views:
            if isinstance(view, Ada):
                view.p.fill_(PROBABILITY)
        self.batch, players = recipe.batch, recipe.played(game)[phase].players
        self.steps = play(
            game, players, self.watch.timed("batches", deal), devices.fabric(CPU, precision), 10**6,
            progress=lambda _: 0.5, take=self.watch.take,
        )  # fmt: skip
        self.play(WARM_UP)

    def play(self, steps: int) -> float:
        """Seconds per step."""
        dcgan.channels_last = self.layout
        began = time.process_time()
        for _ in range(steps):
            record = next(self.steps)
            self.watch.timed("moving average", self.average.update)(record.number, self.batch)
        return (time.process_time() - began) / steps

    def round(self) -> dict[str, float]:
        """Seconds per step, whole and by part."""
        self.watch.seconds.clear()
        whole = self.play(STEPS)
        return {"step": whole} | {name: spent / STEPS for name, spent in self.watch.seconds.items()}


def measured(ways: dict[str, Way], rounds: int) -> dict[str, dict[str, float]]:
    """Medians over the rounds, by way and part."""
    found = [{name: way.round() for name, way in ways.items()} for _ in range(rounds)]
    return {name: {part: statistics.median(r[name][part] for r in found) for part in found[0][name]} for name in ways}


def run_seconds(recipe: Recipe[Any], data: str, precision: str) -> float:
    """Seconds per step of a run."""
    count_cpu_time("cpu")
    with tempfile.TemporaryDirectory() as folder:
        model = sparring.train(
            recipe, data, out=Path(folder) / "run", time=RUN_SECONDS, quiet=True, device="cpu", precision=precision
        )
        return float(model.about["seconds"] / model.about["step"])


def parts(whole: dict[str, float], bare: dict[str, float]) -> list[list[str]]:
    """The rows of the first table: milliseconds and shares of the parts of a step."""
    seconds = {
        "G's samples, forward": whole["G forward"],
        "D's turn, without G": bare["D"] - bare["G forward"],
        "G's turn: D forward, D and G backward": bare["G"],
        "R1 and R2, every eighth step": bare["D_reg"],
        "augmentation in all turns": whole["step"] - bare["step"],
        "optimizers": whole["optimizers"],
        "moving average": whole["moving average"],
        "batches": whole["batches"],
    }
    seconds["other"] = whole["step"] - sum(seconds.values())
    rows = [[name, f"{1000 * value:.1f}", f"{value / whole['step']:.1%}"] for name, value in seconds.items()]
    return [*rows, ["**step**", f"{1000 * whole['step']:.1f}", "100.0%"]]


def page(given: argparse.Namespace) -> list[str]:
    recipe = recipes.find(RECIPE).set({"augment": "ada"})
    fast = "bf16" if devices.has_bf16(CPU) else "fp32"
    ways = {
        f"{precision}, {name}": Way(recipe, given.data, precision, layout)
        for precision in dict.fromkeys(("fp32", fast))
        for name, layout in {"contiguous": Tensor.contiguous, "channels last": channels_last}.items()
    }
    tried = {
        name: Way(recipes.find(path).set({"augment": "ada"}), given.data, fast, phase=phase)
        for name, (path, phase) in TRIED.items()
    }
    bare = recipe.set({"augment": "none"})
    found = measured({**ways, **tried, "bare": Way(bare, given.data, fast)}, given.rounds)
    usual = f"{fast}, channels last"
    run, step = run_seconds(bare, given.data, fast), found[usual]["step"]
    watching = 1 - found["bare"]["step"] / run
    lines = table([f"part of a step, {usual}", "ms", "share"], parts(found[usual], found["bare"]))
    lines += [
        "",
        f"In a run of {RUN_SECONDS} seconds, {watching:.1%} of the time is watching and slower first steps.",
        "",
    ]
    rows = [[n, f"{1000 * found[n]['step']:.1f}", f"{found[n]['step'] / step:.2f}"] for n in (*ways, *tried)]
    return [*lines, *table(["step", "ms", f"time / time of {usual}"], rows)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="characters")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--page", type=Path, default=Path("docs/parts.md"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    lines = page(given)
    print("\n".join(lines))
    head, protocol = __doc__.splitlines()[0].rstrip("."), "\n\n".join(__doc__.split("\n\n")[2:]).strip()
    made = f"Written by `python benchmarks/parts.py --data {given.data}` on {machine('cpu')}."
    write_text(given.page, "\n\n".join([f"# {head}", made, "\n".join(lines), protocol]) + "\n")


if __name__ == "__main__":
    main()

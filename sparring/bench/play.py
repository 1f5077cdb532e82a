"""Plays a table: trains and measures what is not there yet, and writes what was found."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

import sparring
from sparring.bench.table import Numbers, Plan, Row, Table
from sparring.errors import InputError, nearest
from sparring.training import train
from sparring.training.devices import resolve
from sparring.training.screen import Screen, clock
from sparring.writing import read_json, write_json


@dataclass(frozen=True)
class Played:
    """A table with our rows.

    Attributes:
        table, budget, plan: what was asked for.
        ideal: the numbers of real data.
        rows: ours, each with the numbers of its seeds.
        places: the folder of each row's first run.
        asked: what was asked for beside the table, as it is typed.
        machine: that it was played on.
    """

    table: Table
    budget: str
    plan: Plan
    ideal: Numbers
    rows: tuple[tuple[Row, tuple[Numbers, ...]], ...]
    places: tuple[Path, ...]
    asked: Mapping[str, str]
    machine: str

    def content(self) -> dict[str, Any]:
        """All of it as JSON has it."""
        return {
            "table": self.table.name,
            "budget": self.budget,
            "bound": dict(self.plan.bound),
            "seeds": self.plan.seeds,
            "machine": self.machine,
            "versions": {"sparring": sparring.__version__, "torch": torch.__version__},
            "published": [
                {"name": row.name, "numbers": dict(row.numbers), "source": row.source} for row in self.table.published
            ],
            "real": self.ideal,
            "ours": [{"name": row.name, "numbers": list(numbers)} for row, numbers in self.rows],
        }


def play(
    table: Table,
    budget: str,
    runs: Path,
    screen: Screen,
    names: Sequence[str] = (),
    seeds: int | None = None,
    time: str | None = None,
    steps: int | None = None,
    device: str = "auto",
) -> Played:
    """Train and measure every row of a table, or go on with what is there.

    Args:
        runs: a folder that has a folder for each run, and the numbers of those that have been measured.
        names: of the rows' recipes, all unless given.
        seeds, time, steps: in place of the budget's.

    Raises:
        InputError: for a row that there is not, or a bound that is none.
    """
    if budget not in table.plans:
        raise InputError(f"budget {budget!r} is not known; {nearest(budget, table.plans)}")
    usual = table.plans[budget]
    bound = {key: value for key, value in (("time", time), ("steps", steps)) if value is not None}
    plan = Plan(seeds or usual.seeds, bound or usual.bound)
    known = {row.recipe: row for row in table.rows}
    for name in names:
        if name not in known:
            raise InputError(f"{table.name} has no row {name!r}; {nearest(name, known)}")
    rows = [known[name] for name in names] if names else list(table.rows)
    place = runs / "-".join([table.name, *map(str, plan.bound.values())])
    found = []
    for row in rows:
        folders = [place / f"{row.name.replace(' ', '-')}-{seed}" for seed in range(plan.seeds)]
        numbers = tuple(_run(table, row, i, plan, folder, device, screen) for i, folder in enumerate(folders))
        found.append((row, numbers, folders[0]))
    with torch.random.fork_rng():
        ideal = table.ideal(screen)
    asked = {"budget": budget} | {key: str(value) for key, value in {"seeds": seeds, **bound}.items() if value}
    asked |= {"rows": ",".join(names)} if names else {}
    played = Played(
        table, budget, plan, ideal, tuple((row, numbers) for row, numbers, _ in found),
        tuple(folder for _, _, folder in found), asked, machine(device),
    )  # fmt: skip
    write_json(place / f"{table.name}.json", played.content())
    return played


def _run(table: Table, row: Row, seed: int, plan: Plan, folder: Path, device: str, screen: Screen) -> Numbers:
    """The numbers of one run; trained and measured where that has not been done."""
    measured = folder / "measured.json"
    model = folder / "model" / "model.json"
    if not measured.is_file() or measured.stat().st_mtime < model.stat().st_mtime:
        screen.say(f"{row.name}, seed {seed}")
        trained = train(
            row.recipe, table.data, out=folder, seed=seed, resume=True, device=device, quiet=True,
            **plan.bound, **row.fields,
        )  # fmt: skip
        with torch.random.fork_rng():
            numbers = table.measure(trained, screen)
        about = {"seconds": trained.about["seconds"], "steps": trained.about["step"]}
        write_json(measured, {"numbers": numbers | about})
    numbers = read_json(measured)["numbers"]
    shown = ", ".join(f"{c.name} {format(numbers[c.name], c.format)}" for c in table.columns if c.name in numbers)
    screen.say(f"{row.name}, seed {seed}: {shown}, {numbers['steps']:,} steps in {clock(numbers['seconds'])}")
    return dict(numbers)


def machine(device: str) -> str:
    """What it runs on, in words."""
    place = resolve(device)
    if place.type == "cuda":
        return torch.cuda.get_device_name(place)
    return f"{torch.get_num_threads()} of {os.cpu_count()} CPU cores ({platform.machine()})"

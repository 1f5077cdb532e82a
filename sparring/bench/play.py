"""Plays a table: trains and measures what is not there yet, and writes what was found."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

import sparring
from sparring import recipes
from sparring.bench.table import Numbers, Plan, Row, Table
from sparring.console import Screen, clock
from sparring.devices import resolve
from sparring.errors import InputError, nearest
from sparring.files import as_plain, read_json, write_json
from sparring.training import train


@dataclass(frozen=True)
class Measured:
    """A run's numbers, the machine that it was trained on, and its folder."""

    numbers: Numbers
    machine: str
    folder: Path


@dataclass(frozen=True)
class Played:
    """A table with our rows.

    Attributes:
        table, budget, plan: what was asked for.
        ideal: the numbers of real data.
        rows: ours, each with the runs of its seeds.
        asked: what was asked for beside the table, as it is typed.
    """

    table: Table
    budget: str
    plan: Plan
    ideal: Numbers
    rows: tuple[tuple[Row, tuple[Measured, ...]], ...]
    asked: Mapping[str, str]

    @property
    def machine(self) -> str:
        """What its runs were trained on."""
        return " and ".join(dict.fromkeys(run.machine for _, runs in self.rows for run in runs))

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
            "ours": [{"name": row.name, "numbers": [run.numbers for run in runs]} for row, runs in self.rows],
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
        names: of the rows; those of the budget unless given.
        seeds, time, steps: in place of the budget's.
        device: of training and of judging.

    Raises:
        InputError: for a row that there is not, or a bound that is none.
    """
    if budget not in table.plans:
        raise InputError(f"budget {budget!r} is not known; {nearest(budget, table.plans)}")
    if seeds is not None and seeds < 1:
        raise InputError(f"seeds={seeds} is out of range; it must be at least 1")
    bound = {key: value for key, value in (("time", time), ("steps", steps)) if value is not None}
    usual = table.plans[budget]
    plan = Plan(seeds or usual.seeds, bound or usual.bound, tuple(names) or usual.rows)
    known = {row.name: row for row in table.rows}
    for name in names:
        if name not in known:
            raise InputError(f"{table.name} has no row {name!r}; {nearest(name, known)}")
    rows = [known[name] for name in plan.rows or known]
    place = runs / "-".join([table.name, *map(str, plan.bound.values())])
    found = []
    for row in rows:
        folders = [place / f"{row.name.replace(' ', '-')}-{seed}" for seed in range(plan.seeds)]
        measured = (_run(table, row, i, plan.bound, folder, device, screen) for i, folder in enumerate(folders))
        found.append((row, tuple(measured)))
    with torch.random.fork_rng():
        ideal = table.ideal(device, screen)
    asked = {"budget": budget} | {key: str(value) for key, value in {"seeds": seeds, **bound}.items() if value}
    asked |= {"rows": ",".join(names)} if names else {}
    played = Played(table, budget, plan, ideal, tuple(found), asked)
    write_json(place / f"{table.name}.json", played.content())
    return played


def _run(
    table: Table, row: Row, seed: int, bound: Mapping[str, Any], folder: Path, device: str, screen: Screen
) -> Measured:
    """One run and its numbers; trained and measured where that has not been done.

    Raises:
        InputError: where another version of the recipe is there.
        KeyboardInterrupt: where the user stops it.
    """
    recipe = as_plain(asdict(recipes.find(row.recipe).set(row.fields)))
    by = {"recipe": recipe, "protocol": table.protocol, "bound": as_plain(dict(bound))}
    place, model = folder / "measured.json", folder / "model" / "model.json"
    measured = read_json(place) if place.is_file() and model.is_file() else None
    if measured is None or any(measured.get(name) != value for name, value in by.items()):
        if (folder / "recipe.json").is_file() and read_json(folder / "recipe.json")["fields"] != recipe:
            raise InputError(f"{folder} was trained by other defaults of {row.recipe}; remove it, or give other --runs")
        screen.say(f"{row.name}, seed {seed}")
        data = table.data if table.part is None else table.part(seed, folder.parent)
        trained = train(
            row.recipe, data, out=folder, seed=seed, resume=True, device=device, quiet=True,
            **bound, **row.fields,
        )  # fmt: skip
        if trained.about["stopped"]:  # by the user, who means the whole table
            raise KeyboardInterrupt
        with torch.random.fork_rng():
            numbers = table.measure(trained, device, screen)
        numbers |= {"seconds": trained.about["seconds"], "steps": trained.about["step"]}
        measured = {"numbers": numbers, **by, "machine": machine(device)}
        write_json(place, measured)
    numbers = measured["numbers"]
    shown = ", ".join(f"{c.name} {format(numbers[c.name], c.format)}" for c in table.columns if c.name in numbers)
    screen.say(f"{row.name}, seed {seed}: {shown}, {numbers['steps']:,} steps in {clock(numbers['seconds'])}")
    return Measured(numbers, measured["machine"], folder)


def machine(device: str) -> str:
    """What it runs on, in words."""
    place = resolve(device)
    if place.type == "cuda":
        return torch.cuda.get_device_name(place)
    return f"{torch.get_num_threads()} of {os.cpu_count()} CPU cores ({platform.machine()})"

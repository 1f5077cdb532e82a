"""Runs a table: trains and measures the rows that are missing, and writes the results."""

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
from sparring.files import as_plain, write_json
from sparring.json_files import read_json
from sparring.model.stored import Described
from sparring.training import train


@dataclass(frozen=True)
class Measured:
    """The metrics of a run, the machine that it was trained on, and its folder."""

    numbers: Numbers
    machine: str
    folder: Path


@dataclass(frozen=True)
class Played:
    """A table with the results of our rows.

    Attributes:
        table, budget, plan: the table, the name of the budget and the plan that was followed.
        ideal: metrics of real data.
        rows: our rows, each with the runs of its seeds.
        options: options of the command.
    """

    table: Table
    budget: str
    plan: Plan
    ideal: Numbers
    rows: tuple[tuple[Row, tuple[Measured, ...]], ...]
    options: Mapping[str, str]

    @property
    def machine(self) -> str:
        """The machines that the runs were trained on."""
        return " and ".join(dict.fromkeys(run.machine for _, runs in self.rows for run in runs))

    def content(self) -> dict[str, Any]:
        """The results as JSON."""
        return {
            "table": self.table.name,
            "budget": self.budget,
            "options": dict(self.options),
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
    """Train and measure every row of a table. Runs that exist are continued, and not measured again.

    Args:
        runs: folder with one folder for each run.
        names: of the rows; those of the budget unless given.
        seeds, time, steps: instead of the budget's.
        device: for training and evaluation.

    Raises:
        InputError: if a row does not exist, or a bound is out of range.
    """
    if budget not in table.plans:
        raise InputError(f"there is no budget {budget!r}; {nearest(budget, table.plans)}")
    if seeds is not None and seeds < 1:
        raise InputError(f"seeds={seeds} is out of range; it must be at least 1")
    bound = {key: value for key, value in (("time", time), ("steps", steps)) if value is not None}
    default = table.plans[budget]
    plan = Plan(seeds or default.seeds, bound or default.bound, tuple(names) or default.rows)
    by_name = {row.name: row for row in table.rows}
    for name in names:
        if name not in by_name:
            raise InputError(f"{table.name} has no row {name!r}; {nearest(name, by_name)}")
    rows = [by_name[name] for name in plan.rows or by_name]
    place = runs / "-".join([table.name, *map(str, plan.bound.values())])
    results = []
    for row in rows:
        folders = [place / f"{row.name.replace(' ', '-')}-{seed}" for seed in range(plan.seeds)]
        measured = (run_row(table, row, i, plan.bound, folder, device, screen) for i, folder in enumerate(folders))
        results.append((row, tuple(measured)))
    with torch.random.fork_rng():
        ideal = table.ideal(device, screen)
    options = {"budget": budget} | {key: str(value) for key, value in {"seeds": seeds, **bound}.items() if value}
    options |= {"rows": ",".join(names)} if names else {}
    played = Played(table, budget, plan, ideal, tuple(results), options)
    write_json(place / f"{table.name}.json", played.content())
    return played


def run_row(
    table: Table, row: Row, seed: int, bound: Mapping[str, Any], folder: Path, device: str, screen: Screen
) -> Measured:
    """One run and its metrics; trained and measured if necessary.

    Raises:
        InputError: if the folder holds a run with other settings.
        KeyboardInterrupt: if the user stops it.
    """
    recipe = as_plain(asdict(recipes.find(row.recipe).set(row.fields)))
    conditions = {"recipe": recipe, "protocol": table.protocol, "bound": as_plain(dict(bound))}
    place, model = folder / "measured.json", folder / "model" / "model.json"
    measured = read_json(place, dict[str, Any]) if place.is_file() and model.is_file() else None
    if measured is None or any(measured.get(name) != value for name, value in conditions.items()):
        if (folder / "recipe.json").is_file() and read_json(folder / "recipe.json", Described)["fields"] != recipe:
            raise InputError(
                f"{folder} was trained with other defaults of {row.recipe}; remove it, or choose another --runs"
            )
        screen.say(f"{row.name}, seed {seed}")
        data = table.data if table.part is None else table.part(seed, folder.parent)
        trained = train(
            row.recipe, data, out=folder, seed=seed, resume=True, device=device, quiet=True,
            **bound, **row.fields,
        )  # fmt: skip
        if trained.about["stopped"]:  # the user wants to stop the whole table
            raise KeyboardInterrupt
        with torch.random.fork_rng():
            numbers = table.measure(trained, device, screen)
        numbers |= {"seconds": trained.about["seconds"], "steps": trained.about["step"]}
        measured = {"numbers": numbers, **conditions, "machine": machine(device)}
        write_json(place, measured)
    numbers = measured["numbers"]
    text = ", ".join(f"{c.name} {format(numbers[c.name], c.format)}" for c in table.columns if c.name in numbers)
    screen.say(f"{row.name}, seed {seed}: {text}, {numbers['steps']:,} steps in {clock(numbers['seconds'])}")
    return Measured(numbers, measured["machine"], folder)


def machine(device: str) -> str:
    """Name of the GPU, or number of CPU cores."""
    place = resolve(device)
    if place.type == "cuda":
        return torch.cuda.get_device_name(place)
    return f"{torch.get_num_threads()} of {os.cpu_count()} CPU cores ({platform.machine()})"

"""Tables: how long the default takes, what its rows are worth, and the same of the `ctgan` package beside it.

    python benchmarks/tables.py [SET[=TIME,TIME] ...] [--data FOLDER] [--seeds 1] [--reference PYTHON]
                                [--runs FOLDER] [--page docs/tables.md]

SET is the name of a CSV in FOLDER, with times to train for, 4m unless given. Of each a fifth is kept apart before
anything sees it. Sparring's default is trained on the rest; with --reference, `ctgan` too, at its defaults, by an
interpreter that has it and `sdmetrics` (`python -m venv ref; ref/bin/pip install ctgan sdmetrics`). Each works in a
process of its own, one after the other. Both are judged by `sparring evaluate`'s numbers against the fifth that neither
has seen, beside that fifth itself, columns shuffled within the target's levels, and a copy of the training rows. What
was made stays in --runs, and is not made again.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev

import numpy as np
import pandas as pd
import torch

import sparring
from pages import put, table
from sparring.metrics.results import Number
from sparring.modalities import Table, find
from sparring.modalities.tables.judge import TableJudge

SETS = ("adult", "online_shoppers_intention", "california_housing", "titanic", "german_credit", "insurance")
TARGETS = {"titanic": "Survived", "california_housing": "median_house_value", "insurance": "charges"}
COSTS = {"preparing": "{:.1f} s", "training": "{:.0f} s", "sampling": "{:.1f} s", "GiB": "{:.2f}"}


@dataclass(frozen=True)
class Played:
    """Rows that were made, judged.

    Attributes:
        numbers: of `sparring evaluate`.
        costs: seconds and GiB; none of what is no generator.
        score: of sdmetrics' QualityReport, where that is at hand.
        missing: by how much the share of missing values of a column is off, at most; None of what is no generator.
    """

    numbers: list[Number]
    costs: dict[str, float]
    score: float | None
    missing: float | None = None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="*", default=SETS)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/tabular"))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--reference", default="", help="an interpreter that has ctgan and sdmetrics")
    parser.add_argument("--runs", type=Path, default=Path("runs/bench-tables"))
    parser.add_argument("--page", type=Path, help="write the tables into this Markdown file, between its two marks")
    asked = parser.parse_args()
    lines = []
    for text in asked.sets:
        name, _, times = text.partition("=")
        lines += [f"**{name}**", "", *Bench(name, times.split(",") if times else ["4m"], asked).table(), ""]
        print("\n".join(lines[-10:]), flush=True)
    seeds = f"{asked.seeds} seed{'s' if asked.seeds > 1 else ''}"
    what = f"4m of training at most unless a row says less, {seeds}, {torch.get_num_threads()} CPU threads"
    reference = " --reference ref/bin/python" if asked.reference else ""
    command = f"python benchmarks/tables.py {' '.join(asked.sets)} --seeds {asked.seeds}{reference}"
    lines += [f"`{command}`: {what}."]
    if asked.page:
        put(asked.page, __file__, lines)


class Bench:
    """One set."""

    def __init__(self, name: str, times: Sequence[str], asked: argparse.Namespace) -> None:
        self.times = times
        self.asked, self.folder, self.target = asked, asked.runs / name, TARGETS.get(name, "")
        self.folder.mkdir(parents=True, exist_ok=True)
        self.train, self.held = self.folder / "train.csv", self.folder / "held.csv"
        frame = find(asked.data / f"{name}.csv").items
        order = np.random.default_rng(0).permutation(len(frame))
        for path, rows in zip((self.held, self.train), np.split(order, [len(frame) // 5]), strict=True):
            frame.iloc[rows].to_csv(path, index=False)
        items = find(self.train)
        self.modality = Table(target=self.target).fit(items)
        self.against = TableJudge(self.modality, items.items, find(self.held).items)
        self.kinds = self.folder / "kinds.json"
        learnt = self.modality.learned
        self.kinds.write_text(
            json.dumps({c.name: "categorical" if c.kind == "category" else "numerical" for c in learnt})
        )

    def table(self) -> list[str]:
        """Its lines, in Markdown."""
        rows = {
            "real rows": [Played(self.against.floor, {}, self._score(self.held), self._missing(find(self.held).items))]
        }
        for bound in self.times:
            rows[f"**table**, {bound}"] = [self._ours(bound, seed) for seed in range(self.asked.seeds)]
        if self.asked.reference:
            rows["ctgan package"] = [self._theirs()]
        rows |= {kind: [Played(numbers, {}, None)] for kind, numbers in self.against.baselines.items()}
        names = [number.name for number in self.against.floor]
        head = ["", *names, "missing off", *(["sdmetrics"] if self.asked.reference else []), *COSTS]
        body = []
        for kind, played in rows.items():
            cells = [_cell([next(n for n in p.numbers if n.name == which) for p in played]) for which in names]
            cells.append(f"{mean(p.missing for p in played):.1%}" if played[0].missing is not None else "")
            if self.asked.reference:
                scores = [p.score for p in played if p.score is not None]
                cells.append(f"{mean(scores):.3f}" if scores else "")
            cells += [
                how.format(mean(p.costs[cost] for p in played)) if played[0].costs else ""
                for cost, how in COSTS.items()
            ]
            body.append([kind, *cells])
        return table(head, body)

    def _ours(self, bound: str, seed: int) -> Played:
        work = (str(self.train), self.target, bound, seed)
        return self._judged(f"table-{bound}-{seed}", lambda made: _apart(*work, str(made)))

    def _theirs(self) -> Played:
        return self._judged("ctgan", lambda made: self._called("make", self.train, made))

    def _judged(self, what: str, make: Callable[[Path], dict[str, float]]) -> Played:
        made, known = self.folder / f"{what}.csv", self.folder / f"{what}.json"
        if not known.exists():
            costs = make(made)
            known.write_text(json.dumps(costs))
        costs = json.loads(known.read_text())
        print(what, costs, flush=True)
        frame = find(made).items
        typed = find(self.train).items.dtypes
        for column in self.modality.learned:
            if column.kind == "category":
                frame[column.name] = frame[column.name].astype(typed[column.name])
        numbers = self.against.numbers(self.modality.rows(frame))
        return Played(numbers, costs, self._score(made), self._missing(frame))

    def _missing(self, frame: pd.DataFrame) -> float:
        train = find(self.train).items
        return max(abs(frame[name].isna().mean() - train[name].isna().mean()) for name in frame)

    def _score(self, made: Path) -> float | None:
        return self._called("score", self.train, made)["score"] if self.asked.reference else None

    def _called(self, what: str, real: Path, made: Path) -> dict[str, float]:
        script = Path(__file__).with_name("reference.py")
        command = [self.asked.reference, str(script), what, str(real), str(self.kinds), str(made)]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])


def _cell(numbers: list[Number]) -> str:
    values = [number.value for number in numbers]
    shown = "{:.1%}" if numbers[0].share else "{:.3f}"
    spread = f" ± {shown.format(stdev(values))}" if len(values) > 1 else ""
    return shown.format(mean(values)) + spread


def _apart(*work: str | int) -> dict[str, float]:
    """`_made` in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_made, work)


def _made(train: str, target: str, bound: str, seed: int, made: str) -> dict[str, float]:
    """Train on a file and sample as many rows, with seconds and GiB; reading and fitting columns is preparing."""
    began = time.monotonic()
    items = find(train)
    Table(target=target).fit(items).encode(items)
    preparing = time.monotonic() - began
    run = Path(made).with_suffix("")
    model = sparring.train("table", train, out=run, time=bound, seed=seed, quiet=True, force=True, target=target)
    training = time.monotonic() - began - 2 * preparing  # which training has done again
    began = time.monotonic()
    rows: pd.DataFrame = model.sample(len(items), seed=0).items
    sampling = time.monotonic() - began
    rows.to_csv(made, index=False)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return {"preparing": preparing, "training": training, "sampling": sampling, "GiB": peak}


if __name__ == "__main__":
    main()

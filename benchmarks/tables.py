"""Tables: time and quality of the default, compared with the `ctgan` package.

    python benchmarks/tables.py [SET[=TIME,TIME] ...] [--data FOLDER] [--seeds 1] [--reference PYTHON]
                                [--runs FOLDER] [--page docs/tables.md]

SET is the name of a CSV file in FOLDER, with training times (4m unless given). A fifth of each set is held out before
training. Sparring's default is trained on the rest; with --reference also `ctgan`, with its defaults, by an interpreter
that has it and `sdmetrics` (`python -m venv ref; ref/bin/pip install ctgan sdmetrics`). Each runs in its own process,
one after the other. Both are evaluated by the metrics of `sparring evaluate` on the held-out fifth, next to that fifth
itself and the trivial baselines. Results stay in --runs and are not computed again.
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
class Result:
    """Evaluated rows.

    Attributes:
        numbers: metrics of `sparring evaluate`.
        costs: seconds and GiB; {} for real rows and baselines.
        score: overall score of sdmetrics' QualityReport, if it is installed.
        missing: largest error of a column's share of missing values; None for baselines.
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
    parser.add_argument("--reference", default="", help="interpreter that has ctgan and sdmetrics")
    parser.add_argument("--runs", type=Path, default=Path("runs/bench-tables"))
    parser.add_argument("--page", type=Path, help="Markdown file for the tables, between its two marks")
    args = parser.parse_args()
    lines = []
    for text in args.sets:
        name, _, times = text.partition("=")
        lines += [f"**{name}**", "", *Bench(name, times.split(",") if times else ["4m"], args).table(), ""]
        print("\n".join(lines[-10:]), flush=True)
    seeds = f"{args.seeds} seed{'s' if args.seeds > 1 else ''}"
    what = f"at most 4m of training unless a row gives another time, {seeds}, {torch.get_num_threads()} CPU threads"
    reference = " --reference ref/bin/python" if args.reference else ""
    command = f"python benchmarks/tables.py {' '.join(args.sets)} --seeds {args.seeds}{reference}"
    lines += [f"`{command}`: {what}."]
    if args.page:
        put(args.page, __file__, lines)


class Bench:
    """One data set."""

    def __init__(self, name: str, times: Sequence[str], args: argparse.Namespace) -> None:
        self.times = times
        self.args, self.folder, self.target = args, args.runs / name, TARGETS.get(name, "")
        self.folder.mkdir(parents=True, exist_ok=True)
        self.train, self.held = self.folder / "train.csv", self.folder / "held.csv"
        frame = find(args.data / f"{name}.csv").items
        order = np.random.default_rng(0).permutation(len(frame))
        for path, rows in zip((self.held, self.train), np.split(order, [len(frame) // 5]), strict=True):
            frame.iloc[rows].to_csv(path, index=False)
        items = find(self.train)
        self.modality = Table(target=self.target).fit(items)
        self.judge = TableJudge(self.modality, items.items, find(self.held).items)
        self.kinds = self.folder / "kinds.json"
        columns = self.modality.learned
        self.kinds.write_text(
            json.dumps({c.name: "categorical" if c.kind == "category" else "numerical" for c in columns})
        )

    def table(self) -> list[str]:
        """The lines of the table, in Markdown."""
        rows = {
            "real rows": [Result(self.judge.floor, {}, self._score(self.held), self._missing(find(self.held).items))]
        }
        for bound in self.times:
            rows[f"**table**, {bound}"] = [self._sparring(bound, seed) for seed in range(self.args.seeds)]
        if self.args.reference:
            rows["ctgan package"] = [self._ctgan()]
        rows |= {kind: [Result(numbers, {}, None)] for kind, numbers in self.judge.baselines.items()}
        names = [number.name for number in self.judge.floor]
        head = ["", *names, "missing error", *(["sdmetrics"] if self.args.reference else []), *COSTS]
        body = []
        for kind, results in rows.items():
            cells = [_cell([next(n for n in r.numbers if n.name == which) for r in results]) for which in names]
            cells.append(f"{mean(r.missing for r in results):.1%}" if results[0].missing is not None else "")
            if self.args.reference:
                scores = [r.score for r in results if r.score is not None]
                cells.append(f"{mean(scores):.3f}" if scores else "")
            cells += [
                how.format(mean(r.costs[cost] for r in results)) if results[0].costs else ""
                for cost, how in COSTS.items()
            ]
            body.append([kind, *cells])
        return table(head, body)

    def _sparring(self, bound: str, seed: int) -> Result:
        work = (str(self.train), self.target, bound, seed)
        return self._evaluated(f"table-{bound}-{seed}", lambda out: _in_process(*work, str(out)))

    def _ctgan(self) -> Result:
        return self._evaluated("ctgan", lambda out: self._reference("make", self.train, out))

    def _evaluated(self, name: str, generate: Callable[[Path], dict[str, float]]) -> Result:
        out, stored = self.folder / f"{name}.csv", self.folder / f"{name}.json"
        if not stored.exists():
            stored.write_text(json.dumps(generate(out)))
        costs = json.loads(stored.read_text())
        print(name, costs, flush=True)
        frame = find(out).items
        typed = find(self.train).items.dtypes
        for column in self.modality.learned:
            if column.kind == "category":
                frame[column.name] = frame[column.name].astype(typed[column.name])
        numbers = self.judge.numbers(self.modality.rows(frame))
        return Result(numbers, costs, self._score(out), self._missing(frame))

    def _missing(self, frame: pd.DataFrame) -> float:
        train = find(self.train).items
        return max(abs(frame[name].isna().mean() - train[name].isna().mean()) for name in frame)

    def _score(self, rows: Path) -> float | None:
        return self._reference("score", self.train, rows)["score"] if self.args.reference else None

    def _reference(self, command: str, real: Path, rows: Path) -> dict[str, float]:
        script = Path(__file__).with_name("reference.py")
        words = [self.args.reference, str(script), command, str(real), str(self.kinds), str(rows)]
        return json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout.splitlines()[-1])


def _cell(numbers: list[Number]) -> str:
    values = [number.value for number in numbers]
    shown = "{:.1%}" if numbers[0].share else "{:.3f}"
    spread = f" ± {shown.format(stdev(values))}" if len(values) > 1 else ""
    return shown.format(mean(values)) + spread


def _in_process(*work: str | int) -> dict[str, float]:
    """`_train_and_sample` in its own process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_train_and_sample, work)


def _train_and_sample(train: str, target: str, bound: str, seed: int, out: str) -> dict[str, float]:
    """Train on a file and sample the same number of rows; returns seconds and GiB. Preparing is reading and fitting the
    columns.
    """
    began = time.monotonic()
    items = find(train)
    Table(target=target).fit(items).encode(items)
    preparing = time.monotonic() - began
    run = Path(out).with_suffix("")
    model = sparring.train("table", train, out=run, time=bound, seed=seed, quiet=True, force=True, target=target)
    training = time.monotonic() - began - 2 * preparing  # training prepares the data again
    began = time.monotonic()
    rows: pd.DataFrame = model.sample(len(items), seed=0).items
    sampling = time.monotonic() - began
    rows.to_csv(out, index=False)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return {"preparing": preparing, "training": training, "sampling": sampling, "GiB": peak}


if __name__ == "__main__":
    main()

"""Tables: how long the default takes, what its rows are worth, and the same of the `ctgan` package beside it.

    python benchmarks/tables.py [SET ...] [--data FOLDER] [--time 4m] [--seeds 1] [--reference] [--page docs/tables.md]

SET is the name of a CSV in FOLDER. Of each a fifth is kept apart before anything sees it. Sparring's default is
trained on the rest for the time that is given; with --reference, `ctgan` (installed by hand for this alone) too, at
its defaults. Both are judged by `sparring evaluate`'s numbers against the fifth that neither has seen, beside that
fifth itself, columns shuffled within the target's levels, and a copy of the training rows.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path
from statistics import mean

import numpy as np
import pandas as pd
import torch

import sparring
from sparring.data import find
from sparring.judge.rows import AgainstRows
from sparring.modalities import Table

SETS = ("adult", "online_shoppers_intention", "california_housing", "titanic", "german_credit", "insurance")
TARGETS = {"titanic": "Survived", "california_housing": "median_house_value", "insurance": "charges"}
BEGIN = "<!-- benchmarks/tables.py -->"
END = "<!-- end -->"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="*", default=SETS)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/tabular"))
    parser.add_argument("--time", default="4m", help="of a training")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--reference", action="store_true", help="train the ctgan package too")
    parser.add_argument("--page", type=Path, help="write the tables into this Markdown file, between its two marks")
    asked = parser.parse_args()
    lines = []
    for name in asked.sets:
        lines += [f"**{name}**", "", *_played(name, asked), ""]
        print("\n".join(lines[-9:]), flush=True)
    seeds = f"{asked.seeds} seed{'s' if asked.seeds > 1 else ''}"
    what = f"{asked.time} each at most, {seeds}, {torch.get_num_threads()} CPU threads"
    lines += [
        f"`python benchmarks/tables.py {' '.join(asked.sets)} --time {asked.time} --seeds {asked.seeds}`: {what}."
    ]
    if asked.page:
        text = asked.page.read_text()
        before, after = text.split(BEGIN)[0], text.split(END)[1]
        asked.page.write_text(f"{before}{BEGIN}\n\n" + "\n".join(lines) + f"\n\n{END}{after}")


def _played(name: str, asked: argparse.Namespace) -> list[str]:
    """The lines of a set's table."""
    frame = find(asked.data / f"{name}.csv").items
    order = np.random.default_rng(0).permutation(len(frame))
    held, train = (frame.iloc[rows].reset_index(drop=True) for rows in np.split(order, [len(frame) // 5]))
    target = TARGETS.get(name, "")
    with tempfile.TemporaryDirectory() as folder:
        train.to_csv(f"{folder}/train.csv", index=False)
        held.to_csv(f"{folder}/held.csv", index=False)
        train, held = find(f"{folder}/train.csv").items, find(f"{folder}/held.csv").items
        modality = Table(target=target).fit(find(f"{folder}/train.csv"))
        against = AgainstRows(modality, train, held)
        rows = {"real rows": [(against.floor, "", "")]}
        ours = (
            _ours(f"{folder}/train.csv", f"{folder}/{i}", target, i, asked.time, against) for i in range(asked.seeds)
        )
        rows["**table**"] = list(ours)
        if asked.reference:
            rows["ctgan 300 epochs"] = [_theirs(train, against)]
        rows |= {kind: [(numbers, "", "")] for kind, numbers in against.baselines.items()}
    names = [number.name for number in against.floor]
    head = ["", *names, "training", "sampling"]
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    for kind, runs in rows.items():
        cells = [_cell([next(n for n in numbers if n.name == which) for numbers, _, _ in runs]) for which in names]
        lines.append("| " + " | ".join([kind, *cells, runs[0][1], runs[0][2]]) + " |")
    return lines


def _cell(numbers) -> str:
    value = mean(number.value for number in numbers)
    return f"{value:.1%}" if numbers[0].share else f"{value:.3f}"


def _ours(data: str, out: str, target: str, seed: int, bound: str, against: AgainstRows):
    began = time.monotonic()
    model = sparring.train("table", data, out=out, time=bound, seed=seed, quiet=True, target=target)
    took = time.monotonic() - began
    return _judged(lambda n: model.sample(n, seed=0).items, took, against)


def _theirs(train: pd.DataFrame, against: AgainstRows):
    from ctgan import CTGAN

    known = [c.name for c in against.modality.learnt]
    plain = train[known].copy()
    levels = [c.name for c in against.modality.learnt if c.kind == "category"]
    for name in known:
        if name in levels:
            plain[name] = plain[name].astype(object).where(plain[name].notna(), "missing").astype(str)
        else:
            plain[name] = plain[name].astype(float).fillna(plain[name].astype(float).mean())
    began = time.monotonic()
    net = CTGAN()
    net.fit(plain, levels)
    took = time.monotonic() - began

    def sample(n: int) -> pd.DataFrame:
        made = net.sample(n)
        for name in levels:
            back = {str(value): value for value in train[name].dropna().unique()}
            made[name] = made[name].map(back)
        return made

    return _judged(sample, took, against)


def _judged(sample, took: float, against: AgainstRows):
    began = time.monotonic()
    made = sample(len(against.train))
    sampling = time.monotonic() - began
    numbers = against.numbers(against.modality.rows(made))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{took:.0f} s, sampling {sampling:.1f} s, {peak:.1f} GiB at most so far", flush=True)
    return numbers, f"{took:.0f} s", f"{sampling:.1f} s"


if __name__ == "__main__":
    main()

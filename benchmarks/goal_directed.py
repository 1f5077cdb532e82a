"""Goal-directed design: ORGAN next to likelihood alone, to the best training molecules and to a genetic search.

    python benchmarks/goal_directed.py [OBJECTIVE ...] [--time 3m] [--data zinc] [--samples 1000] [--runs FOLDER]
                                       [--page docs/designing-molecules.md]

The objectives are those of benchmarks/guacamol.py. The genetic search may ask for as many values as ORGAN did.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np

import sparring
from clock import count_cpu_time
from genetic import search
from guacamol import OBJECTIVES
from pages import put, table
from runs import computed_once, trained_once
from sparring.metrics import chemistry
from sparring.modalities import find
from sparring.modalities.molecules import Molecules
from sparring.runs.logbook import read_log

FORMULAS = "benchmarks/guacamol.py"
TOP = (1, 10, 100)
POPULATION = 200
START = 1000  # training molecules that the genetic search begins with
BALANCE = 0.1  # weight of D in ORGAN's reward


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("objectives", nargs="*", default=["celecoxib_rediscovery", "osimertinib_mpo"])
    parser.add_argument("--data", default="zinc")
    parser.add_argument("--time", default="3m", help="time of each training")
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--runs", type=Path, default=Path("runs/bench-goals"))
    parser.add_argument("--page", type=Path, help="write the table to this Markdown file, between its two marks")
    args = parser.parse_args()
    counted, train = count_cpu_time(), cache(lambda: training_molecules(args.data))
    number = computed_once(args.runs, lambda: len(train()), what="training molecules", data=args.data)
    body = [row for name in args.objectives for row in rows(name, train, args)]
    head = ["objective", "molecules", *(f"top {n}" for n in TOP), "values asked for"]
    lines = [
        *table(head, body),
        "",
        f"Mean of the best molecules; {args.samples:,} of each model; training molecules: all {number:,}. "
        f"organ: balance={BALANCE}. genetic: {POPULATION} molecules, from the best of {START:,} training molecules.",
        "",
        f"`python benchmarks/goal_directed.py {' '.join(args.objectives)} --data {args.data} --time {args.time} "
        f"--samples {args.samples}`, {counted}.",
    ]
    print("\n".join(lines))
    if args.page:
        put(args.page, __file__, lines)


def training_molecules(data: str) -> list[str]:
    """Those that models are trained on."""
    items, modality = find(data), Molecules()
    cleaned = modality.cleaned(items)
    known = dict(zip(cleaned.rows.tolist(), cleaned.smiles, strict=True))
    return [known[i] for i in modality.split(items, cleaned.rows).train.tolist()]


def rows(name: str, train: Callable[[], Sequence[str]], args: argparse.Namespace) -> list[list[str]]:
    """The rows of an objective, from the folders of runs if they are there."""
    score, of_data = OBJECTIVES[name], {"objective": name, "data": args.data}
    alone = trained(args, "alone", adversarial=0.0, balance=1.0)
    organ = trained(args, name, objective=f"{FORMULAS}:{name}", balance=BALANCE)
    run = folder(args, name)
    asked = rewarded_steps(run) * organ.recipe.batch * (organ.recipe.rollouts + 1)
    generations = max(1, (asked - START) // POPULATION)

    def genetic() -> list[str]:
        order = np.random.default_rng(0).permutation(len(train()))[:START]
        found = search([train()[i] for i in order], score, POPULATION, generations)
        return row("", "genetic", score(found), START + generations * POPULATION)

    def training() -> list[str]:
        return row(name, "training molecules", score(train()), len(train()))

    def sampled(model: sparring.Model, title: str, asked: int) -> list[str]:
        return row("", title, score(drawn(model, args.samples)), asked)

    return [
        computed_once(args.runs, training, row="training", **of_data),
        computed_once(
            folder(args, "alone"), lambda: sampled(alone, "likelihood alone", 0), samples=args.samples, **of_data
        ),
        computed_once(run, lambda: sampled(organ, "**organ**", asked), samples=args.samples, **of_data),
        computed_once(
            run, genetic, row="genetic", population=POPULATION, generations=generations, start=START, **of_data
        ),
    ]


def rewarded_steps(run: Path) -> int:
    """Steps of a run from the first that was rewarded on, about: as its log has them."""
    lines = [line for line in read_log(run / "log.jsonl") if "step" in line]
    first = next(line["step"] for line in lines if "reward" in line)
    return int(lines[-1]["step"]) - int(first) + 1


def trained(args: argparse.Namespace, name: str, **fields: object) -> sparring.Model:
    """The model of a run, trained if it does not exist."""
    return trained_once("organ", args.data, folder(args, name), args.time, **fields)


def folder(args: argparse.Namespace, name: str) -> Path:
    """The folder of a run."""
    return args.runs / f"{name}-{args.time}"


def drawn(model: sparring.Model, n: int) -> list[str]:
    """The different valid molecules among n."""
    texts: list[str] = []
    for batch, _ in model.stream(n, seed=0):
        texts += list(model.modality.decode(batch))
    return sorted({text for text in chemistry.canonical(texts) if text})


def row(objective: str, name: str, values: Sequence[float], asked: int) -> list[str]:
    """Means of the best values."""
    best = sorted(values, reverse=True)
    means = [f"{np.mean(best[:n]):.3f}" if best else "" for n in TOP]
    return [objective, name, *means, f"{asked:,}" if asked else ""]


if __name__ == "__main__":
    main()

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
from runs import computed_once, digest_of, trained_once
from sparring.data.items import Items
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
    counted, items = count_cpu_time(), find(args.data)
    data, train = digest_of(list(items.items.smiles)), cache(lambda: training_molecules(items))
    number = computed_once(args.runs, lambda: len(train()), what="training molecules", data=data)
    body = [row for name in args.objectives for row in rows(name, train, number, data, args)]
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


def training_molecules(items: Items) -> list[str]:
    """Those that models are trained on."""
    modality = Molecules()
    cleaned = modality.cleaned(items)
    known = dict(zip(cleaned.rows.tolist(), cleaned.smiles, strict=True))
    return [known[i] for i in modality.split(items, cleaned.rows).train.tolist()]


def rows(
    name: str, train: Callable[[], Sequence[str]], number: int, data: str, args: argparse.Namespace
) -> list[list[str]]:
    """The rows of an objective, from the folders of runs if they are there.

    Args:
        train: returns the training molecules, which takes a while.
        number: of them.
        data: digest of the data.
    """
    score, code = OBJECTIVES[name], [Path(__file__).with_name(file) for file in ("guacamol.py", "genetic.py")]
    of_data = {"objective": name, "data": data, "by": digest_of(*code)}
    alone = trained(args, "alone", adversarial=0.0, balance=1.0)
    organ = trained(args, name, objective=f"{FORMULAS}:{name}", balance=BALANCE)
    run = folder(args, name)
    asked = rewarded_steps(run) * organ.recipe.batch * (organ.recipe.rollouts + 1)
    generations = max(1, (asked - START) // POPULATION)

    def genetic() -> list[float]:
        order = np.random.default_rng(0).permutation(len(train()))[:START]
        return best(score(search([train()[i] for i in order], score, POPULATION, generations)))

    def sampled(model: sparring.Model) -> list[float]:
        return best(score(drawn(model, args.samples)))

    found = {
        "training molecules": (
            computed_once(args.runs, lambda: best(score(train())), row="training", **of_data), number
        ),
        "likelihood alone": (
            computed_once(folder(args, "alone"), lambda: sampled(alone), samples=args.samples, **of_data), 0
        ),
        "**organ**": (computed_once(run, lambda: sampled(organ), samples=args.samples, **of_data), asked),
        "genetic": (
            computed_once(
                run, genetic, row="genetic", population=POPULATION, generations=generations, start=START, **of_data
            ),
            START + generations * POPULATION,
        ),
    }  # fmt: skip
    titles = [name, *[""] * (len(found) - 1)]
    return [row(title, who, *numbers) for title, (who, numbers) in zip(titles, found.items(), strict=True)]


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


def best(values: Sequence[float]) -> list[float]:
    """The highest values, from the highest on."""
    return sorted(map(float, values), reverse=True)[: max(TOP)]


def row(objective: str, name: str, values: Sequence[float], asked: int) -> list[str]:
    """Means of the best values, which come first."""
    means = [f"{np.mean(values[:n]):.3f}" if values else "" for n in TOP]
    return [objective, name, *means, f"{asked:,}" if asked else ""]


if __name__ == "__main__":
    main()

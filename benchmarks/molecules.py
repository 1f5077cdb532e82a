"""MOSES: molecules of the default recipe next to published ones, to likelihood alone and to trivial generators.

    python benchmarks/molecules.py [moses] [conditions] [qm9] [--molecules 60000] [--time 8m] [--seeds 1]
                                   [--samples 30000] [--runs FOLDER] [--page docs/molecules.md]

`moses` trains on a part of MOSES's training set and evaluates by its protocol (Polykovskiy et al. 2018,
arXiv:1811.12823), `conditions` counts how many molecules satisfy what is asked before others are replaced, `qm9` trains
on QM9 in $SPARRING_DATA. All of them need `pip install --no-deps molsets==0.3.1`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import cache
from math import nan
from pathlib import Path
from statistics import mean, stdev

import numpy as np

from clock import count_cpu_time
from pages import put, table
from runs import computed_once, digest_of, numbers_once, rows_once, trained_once
from sparring import Model
from sparring.files import write_text
from sparring.metrics import chemistry, moses
from sparring.metrics.results import Number
from sparring.modalities.molecules import Molecules
from sparring.modalities.molecules.conditions import ranges
from sparring.modalities.molecules.judge import MAX_BASELINE, MoleculeJudge
from sparring.modalities.molecules.sets import qm9

COLUMNS = ("valid", "unique@10k", "fcd", "snn", "frag", "scaf", "int_div", "filters", "novelty")
OWN = ("valid[candidates]", "c2st_auc", "near_copy_share", "add_atom_share")
# Tables 1 to 3 of arXiv:1811.12823: 30,000 molecules, compared with the test set.
PUBLISHED = {
    "training set": (1, 1, 0.008, 0.642, 1, 0.991, 0.857, 1, None),
    "n-gram": (0.238, 0.922, 5.51, 0.521, 0.985, 0.530, 0.874, 0.958, 0.969),
    "combinatorial": (1, 0.991, 4.24, 0.451, 0.991, 0.445, 0.873, 0.956, 0.988),
    "CharRNN": (0.975, 0.999, 0.073, 0.602, 1.00, 0.924, 0.856, 0.994, 0.842),
    "JTN-VAE": (1, 1.00, 0.395, 0.548, 0.997, 0.896, 0.855, 0.976, 0.914),
    "LatentGAN": (0.897, 0.997, 0.297, 0.537, 0.999, 0.887, 0.857, 0.974, 0.950),
}
ASKED = (["logP=4..5"], ["logP=0..1"], ["logP=2..3"], ["QED>.9"], ["MW<270", "TPSA>80"], ["rings=4"])
ASKED_OF = 1000  # molecules drawn for each condition
OF_QM9 = 10_000  # molecules drawn of each model of QM9
SEED = 0  # of the molecules that are evaluated


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tasks", nargs="*", default=["moses", "conditions", "qm9"])
    parser.add_argument("--molecules", type=int, default=60_000, help="of the training set; 0 for all")
    parser.add_argument("--time", default="8m", help="time of each training")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--samples", type=int, default=30_000)
    parser.add_argument("--runs", type=Path, default=Path("runs/bench-molecules"))
    parser.add_argument("--page", type=Path, help="write the tables to this Markdown file, between its two marks")
    args = parser.parse_args()
    lines, counted = [], count_cpu_time(args.device)
    for task in args.tasks:
        part = TASKS[task](args)
        print("\n".join(part), flush=True)
        lines += [*part, ""]
    given = f"--molecules {args.molecules} --time {args.time} --seeds {args.seeds} --samples {args.samples}"
    lines += [f"`python benchmarks/molecules.py {' '.join(args.tasks)} {given}`, {counted}."]
    if args.page:
        put(args.page, __file__, lines)


def compare_on_moses(args: argparse.Namespace) -> list[str]:
    """The table of MOSES."""
    data = training_part(args)
    train = chemistry.canonical(data.read_text().split())
    judge = MoleculeJudge(train, chemistry.canonical(moses.smiles("test")[::17]), "moses", published=True)
    variants: dict[str, tuple[str, dict[str, object]]] = {
        "likelihood alone": ("molecules", {"adversarial": 0.0, "candidates": 1}),
        "**molecules**": ("molecules", {}),
        "latentgan": ("latentgan", {}),
        "organ": ("organ", {}),
    }
    rows: dict[str, list[list[Number]]] = {}
    for name, (recipe, fields) in variants.items():
        rows[name] = []
        for seed in range(args.seeds):
            run = f"moses-{name.strip('*').replace(' ', '-')}-{seed}"
            model = trained(args, run, data, seed, recipe, **fields)
            rows[name].append(numbers_of(folder(args, run), model, judge, args.samples))
            print(name, seed, " ".join(f"{n.name} {n}" for n in rows[name][-1]), flush=True)
    of_data = {"data": digest_of(data), "protocol": judge.protocol(args.samples)}
    rows = {
        "training molecules": [
            numbers_once(args.runs, lambda: judge.numbers(some_of_training(args.samples)), row="training", **of_data)
        ],
        **rows,
    }
    cheats = rows_once(args.runs, lambda: judge.baselines, row="baselines", **of_data)
    rows |= {name: [numbers] for name, numbers in cheats.items()}
    body = [[f"{name} (published)", *map(published, values), *[""] * len(OWN)] for name, values in PUBLISHED.items()]
    body += [[name, *(cell(numbers, column) for column in (*COLUMNS, *OWN))] for name, numbers in rows.items()]
    about = (
        f"{len(train):,} training molecules, {args.samples:,} generated ones, {MAX_BASELINE:,} of the last rows; "
        f"compared with the published statistics of MOSES's test set; novelty and copies in these {len(train):,}."
    )
    return [*table(["", *COLUMNS, *OWN], body), "", about]


def compare_conditions(args: argparse.Namespace) -> list[str]:
    """How many molecules satisfy a condition when nothing is asked, when it is asked, and after others are replaced."""
    data, run = training_part(args), "moses-molecules-0"
    model = trained(args, run, data, 0)
    free = cache(lambda: valid_ones(model, None))

    def shares(where: Sequence[str]) -> tuple[list[float], str]:
        asked = ranges(where, model.modality.measures)
        returned = model.sample(100, seed=0, where=where)
        found = [share(texts, asked) for texts in (free(), valid_ones(model, where), list(returned.items))]
        return found, returned.notes[0]

    body = []
    for where in ASKED:
        found, note = computed_once(
            folder(args, run), lambda where=where: shares(where), what="shares", where=where, samples=ASKED_OF
        )
        body.append([" and ".join(where), *(f"{x:.1%}" for x in found), note])
    head = ["condition", "nothing asked", "asked", "returned", "yield, of 100 molecules"]
    return [*table(head, body), "", f"Shares of {ASKED_OF:,} molecules, the invalid ones left out."]


def compare_on_qm9(args: argparse.Namespace) -> list[str]:
    """QM9, next to MolGAN."""
    items = qm9()
    model, graphs = trained(args, "qm9-0", "qm9", 0), trained(args, "qm9-molgan-0", "qm9", 0, "molgan")
    modality = model.modality
    assert isinstance(modality, Molecules)
    cleaned = modality.cleaned(items)
    split = modality.split(items, cleaned.rows)
    known = dict(zip(cleaned.rows.tolist(), cleaned.smiles, strict=True))
    judge = MoleculeJudge([known[i] for i in split.train], [known[i] for i in split.held], "qm9")
    numbers, others = (
        numbers_of(folder(args, run), one, judge, OF_QM9) for run, one in (("qm9-0", model), ("qm9-molgan-0", graphs))
    )
    of_data = {"data": digest_of(judge.train, judge.held), "protocol": judge.protocol(OF_QM9)}
    floor = numbers_once(args.runs, lambda: judge.floor, row="training", **of_data)
    columns = ("valid", "unique@10k", "novelty", "fcd", "valid[candidates]")
    body = [
        ["MolGAN (published, arXiv:1805.11973, 6,400 molecules)", "0.981", "0.104", "0.942", "", ""],
        ["**molecules**", *(cell([numbers], column) for column in columns)],
        ["molgan", *(cell([others], column) for column in columns)],
        ["training molecules", *(cell([floor], column) for column in columns)],
    ]
    return [*table(["", *columns], body), "", f"{OF_QM9:,} molecules compared with {len(judge.held):,} held-out ones."]


TASKS = {"moses": compare_on_moses, "conditions": compare_conditions, "qm9": compare_on_qm9}


def training_part(args: argparse.Namespace) -> Path:
    """A file with a part of MOSES's training set."""
    path = args.runs / f"moses-{args.molecules or 'all'}.smi"
    if not path.exists():
        real = moses.smiles("train")
        order = np.random.default_rng(0).permutation(len(real))[: args.molecules or None]
        write_text(path, "".join(f"{real[i]}\n" for i in order))
    return path


def trained(
    args: argparse.Namespace, name: str, data: str | Path, seed: int, recipe: str = "molecules", **fields: object
) -> Model:
    """The model of a run, trained if it does not exist."""
    return trained_once(recipe, data, folder(args, name), args.time, seed=seed, device=args.device, **fields)


def folder(args: argparse.Namespace, name: str) -> Path:
    """The folder of a run."""
    return args.runs / f"{name}-{args.time}"


def numbers_of(run: Path, model: Model, judge: MoleculeJudge, n: int) -> list[Number]:
    """Metrics of a run, from its folder if they are there."""

    def numbers() -> list[Number]:
        return judge.numbers(*drawn(model, n))

    return numbers_once(run, numbers, protocol=judge.protocol(n), seed=SEED)


def some_of_training(n: int) -> list[str]:
    """Molecules of the whole training set of MOSES."""
    real = moses.smiles("train")
    return [real[i] for i in np.random.default_rng(1).permutation(len(real))[:n]]


def drawn(model: Model, n: int) -> tuple[list[str], float]:
    """SMILES as the model draws them, and the share of candidates that are valid; NaN if it draws one for each."""
    texts: list[str] = []
    shares = []
    for batch, _ in model.stream(n, seed=SEED):
        texts += list(model.modality.decode(batch))
        shares.append(float(batch["valid"].mean()) if "valid" in batch else nan)
    return texts, mean(shares)


def valid_ones(model: Model, where: Sequence[str] | None) -> list[str]:
    """Valid ones of 1,000 molecules that are drawn for a condition."""
    texts: list[str] = []
    for batch, _ in model.stream(ASKED_OF, seed=1, where=where):
        texts += list(model.modality.decode(batch))
    return [text for text in chemistry.canonical(texts) if text]


def share(smiles: Sequence[str], asked: Sequence) -> float:
    """Share of molecules that satisfy every condition."""
    holds = [condition.holds(np.array(smiles, object)) for condition in asked]
    return float(np.logical_and.reduce(holds).mean())


def published(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def cell(runs: Sequence[Sequence[Number]], name: str) -> str:
    """Mean of a metric over seeds, and its standard deviation."""
    values = [number.value for numbers in runs for number in numbers if number.name == name]
    if not values or np.isnan(values).any():
        return ""
    return f"{mean(values):.3f}" + (f" ± {stdev(values):.3f}" if len(values) > 1 else "")


if __name__ == "__main__":
    main()

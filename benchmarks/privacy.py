"""Differential privacy: what samples are worth for several epsilon.

    python benchmarks/privacy.py [adult[=TIME]] [mnist[=TIME]] [FIELD=VALUE ...] [--epsilon 1,3,8] [--data FOLDER]
                                 [--runs FOLDER] [--page docs/privacy.md]

adult: a fifth of the rows is held out before training. `dptable` is trained on the rest, and a tree of noisy marginals
is drawn from (private_tree.py); a gradient boosting classifier is trained on their rows and tested on held-out ones.
mnist: `dpgan` is trained on the training images with epsilon 10; a convolutional net is trained on 60,000 samples, and
tested on the test images. TIME bounds each training, 10m unless given; the noise is chosen for the recipe's steps, or
for steps=N among the fields, so that a run that ends before has spent less than it promises. Results stay in --runs and
are not computed again. Published figures were measured by other protocols.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

import sparring
from clock import count_cpu_time
from pages import put, table
from private_tree import sample
from sparring.metrics import tables
from sparring.modalities import Table, find
from sparring.modalities.tables.judge import TableJudge
from sparring.recipes.base import parse

DELTA = 1e-5
TIME = "10m"
MNIST_EPSILON = 10.0
ALONE = {"adversarial": 0.0, "marginals_share": 0.85}  # of the budget: nearly all that columns leave
BOREALIS = "[Borealis AI](https://github.com/BorealisAI/private-data-generation/blob/master/results.md)"
PUBLISHED = {
    "adult": [  # gradient boosting; 33,916 rows and 12 columns
        ("real rows, numbers", BOREALIS, ".883"),
        ("DP-WGAN, epsilon 8", BOREALIS, ".747"),
        ("PATE-GAN, epsilon 8", BOREALIS, ".490"),
        ("real rows, categories", BOREALIS, ".915"),
        ("PrivatePGM, epsilon 5", BOREALIS, ".896"),
    ],
    "mnist": [
        ("DP-SGD on D, as before that paper", "Bie et al. 2023, arXiv:2302.02936", "83.2%"),
        ("DP-SGD on D, more moves of D per move of G", "Bie et al. 2023, arXiv:2302.02936", "93.0%"),
        ("the same, their number adapted", "Bie et al. 2023, arXiv:2302.02936", "94.4%"),
    ],
}
SHEET = "privacy-mnist.png"
STEPS, BATCH = 1500, 128  # of the classifier of images


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("words", nargs="*", help="adult, mnist, TASK=TIME, FIELD=VALUE")
    parser.add_argument("--epsilon", default="1,3,8")
    parser.add_argument("--data", type=Path, default=Path("../shared/data/tabular"))
    parser.add_argument("--runs", type=Path, default=Path("runs/bench-privacy"))
    parser.add_argument("--page", type=Path, help="Markdown file for the tables, between its two marks")
    args = parser.parse_intermixed_args()
    chosen = [word for word in args.words if word.partition("=")[0] in TASKS]
    args.fields = parse([word for word in args.words if word not in chosen])
    args.runs.mkdir(parents=True, exist_ok=True)
    lines, counted = [], count_cpu_time()
    for task, _, bound in (word.partition("=") for word in chosen or TASKS):
        args.time = bound or TIME
        lines += [f"**{task}**", "", *TASKS[task](args), ""]
        print("\n".join(lines), flush=True)
    words = " ".join(args.words)
    lines += [f"`python benchmarks/privacy.py {words} --epsilon {args.epsilon}`, {counted}."]
    if args.page:
        put(args.page, __file__, lines)


def once(args: argparse.Namespace, path: Path, compute: Callable[[], dict[str, float]]) -> dict[str, float]:
    """A result, computed unless it is stored for the same time and fields."""
    asked = {"time": args.time, "fields": {name: str(value) for name, value in args.fields.items()}}
    stored = json.loads(path.read_text()) if path.exists() else {}
    if stored.get("asked") != asked:
        stored = {"asked": asked, "found": compute()}
        path.write_text(json.dumps(stored))
    found: dict[str, float] = stored["found"]
    print(path.stem, found, flush=True)
    return found


def adult(args: argparse.Namespace) -> list[str]:
    """The lines of the table of Adult."""
    folder = args.runs / "adult"
    folder.mkdir(exist_ok=True)
    train, held = folder / "train.csv", folder / "held.csv"
    frame = find(args.data / "adult.csv").items
    order = np.random.default_rng(0).permutation(len(frame))
    for path, rows in zip((held, train), np.split(order, [len(frame) // 5]), strict=True):
        frame.iloc[rows].to_csv(path, index=False)
    items = find(train)
    judge = TableJudge(Table().fit(items), items.items, find(held).items)

    def tree(epsilon: float) -> dict[str, float]:
        began = time.monotonic()
        _, rows = sample(items, "", epsilon, DELTA, len(items))
        return _worth(judge, rows, items.items) | {"seconds": time.monotonic() - began}

    def gan(epsilon: float, **fields: float) -> dict[str, float]:
        run = folder / f"dptable-{epsilon:g}{'-marginals' if fields else ''}"
        settings = {"out": run, "time": args.time, "force": True, "quiet": True, "device": "cpu", **args.fields}
        settings |= fields
        model = sparring.train("dptable", train, privacy=epsilon, delta=DELTA, **settings)
        about = model.about
        rows = model.sample(len(items), seed=0).items
        return _worth(judge, rows, items.items) | {"seconds": about["seconds"], "steps": about["step"]}

    floor = {n.name: n.value for n in judge.floor}
    body = [["real rows", "", *(f"{floor[name]:.3f}" for name in _names(judge)), "", ""]]
    for text in args.epsilon.split(","):
        epsilon = float(text)
        methods = {"tree of marginals": tree, "dptable, marginals alone": partial(gan, **ALONE), "**dptable**": gan}
        for name, compute in methods.items():
            stem = name.strip("*").replace(",", "").replace(" ", "-")
            found = once(args, folder / f"{stem}-{epsilon:g}.json", lambda f=compute, e=epsilon: f(e))
            numbers = [f"{found[n]:.3f}" for n in _names(judge)]
            body.append([name, f"{epsilon:g}", *numbers, f"{found['seconds']:.0f} s", f"{found.get('steps', 0):.0f}"])
    names = [name.partition("[")[0] if "tstr" not in name else "tstr AUC" for name in _names(judge)]
    return [*table(["", "epsilon", *names, "time", "steps"], body), "", *_published("adult", "AUC")]


def _names(judge: TableJudge) -> list[str]:
    names = [n.name for n in judge.floor]
    return [n for n in names if n.startswith("tstr") and "auc" in n] + ["column_shapes", "column_pair_trends"]


def _worth(judge: TableJudge, rows: pd.DataFrame, real: pd.DataFrame) -> dict[str, float]:
    """What rows are worth to a classifier, and how like the training rows they are."""
    typed = rows.astype({c.name: real[c.name].dtype for c in judge.modality.learned if c.kind == "category"})
    generated = judge.modality.rows(typed)
    (name, *_) = _names(judge)
    return {
        name: tables.tstr(generated, judge.held, judge.target)["auc"],
        "column_shapes": float(tables.column_shapes(judge.train, generated).mean()),
        "column_pair_trends": float(tables.column_pair_trends(judge.train, generated).mean()),
    }


def mnist(args: argparse.Namespace) -> list[str]:
    """The lines of the table of MNIST."""
    folder = args.runs / "mnist"
    folder.mkdir(exist_ok=True)
    items = find("mnist")
    assert items.held is not None
    values, labels = items.items, np.asarray(items.labels)
    test = values[items.held], labels[items.held]

    def real() -> dict[str, float]:
        return {"accuracy": accuracy(values[~items.held], labels[~items.held], *test)}

    def gan() -> dict[str, float]:
        settings = {"out": folder / "dpgan", "time": args.time, "force": True, "quiet": True, **args.fields}
        model = sparring.train("dpgan", "mnist", privacy=MNIST_EPSILON, delta=DELTA, **settings)
        found = model.sample(60_000, seed=0)
        about = model.about
        right = accuracy(found.items, np.asarray(found.labels), *test)
        return {"accuracy": right, "seconds": about["seconds"], "steps": about["step"]}

    floor, found = once(args, folder / "real.json", real), once(args, folder / "dpgan.json", gan)
    body = [
        ["real images", "", f"{floor['accuracy']:.1%}", "", ""],
        [
            "**dpgan**",
            f"{MNIST_EPSILON:g}",
            f"{found['accuracy']:.1%}",
            f"{found['seconds']:.0f} s",
            f"{found['steps']}",
        ],
    ]
    lines = [*table(["", "epsilon", "accuracy", "time", "steps"], body), "", *_published("mnist", "accuracy")]
    if args.page:
        samples = sparring.load(folder / "dpgan").sample(81, seed=0)
        samples.preview().quantize(16).save(args.page.parent / SHEET, optimize=True)
        lines += ["", f"![samples of dpgan]({SHEET})"]
    return lines


def accuracy(images: np.ndarray, labels: np.ndarray, test: np.ndarray, truth: np.ndarray) -> float:
    """The share of test images whose class a net predicts that is trained on other images."""
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(1, 32, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(32, 64, 3, stride=2, padding=1), nn.ReLU(),
        nn.Flatten(), nn.Dropout(0.3), nn.LazyLinear(128), nn.ReLU(), nn.Linear(128, 10),
    )  # fmt: skip
    x, y = _scaled(images), torch.from_numpy(labels).long()
    net(x[:2])
    optimizer = torch.optim.Adam(net.parameters(), 1e-3)
    for _ in range(STEPS):
        rows = torch.randint(len(x), (BATCH,))
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x[rows]), y[rows]).backward()
        optimizer.step()
    net.eval()
    with torch.no_grad():
        predicted = torch.cat([net(part).argmax(1) for part in _scaled(test).split(1000)])
    return float((predicted == torch.from_numpy(truth)).float().mean())


def _scaled(images: np.ndarray) -> torch.Tensor:
    """(n, height, width[, 1]), uint8 -> (n, 1, height, width) in [-1, 1]."""
    x = torch.from_numpy(np.ascontiguousarray(images)).float() / 127.5 - 1
    return x.reshape(len(x), 1, x.shape[1], x.shape[2])


def _published(task: str, measure: str) -> Sequence[str]:
    rows = [[name, source, value] for name, source, value in PUBLISHED[task]]
    return ["Published, by other protocols:", "", *table(["", "source", measure], rows)]


TASKS: dict[str, Callable[[argparse.Namespace], list[str]]] = {"adult": adult, "mnist": mnist}


if __name__ == "__main__":
    main()

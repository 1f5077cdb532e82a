"""X-rays: what samples are worth to a classifier of pneumonia, for several sizes of the real set.

    python benchmarks/augment.py [--sizes 100 400 2428] [--time 4m] [--seeds 5] [--data FOLDER] [--runs FOLDER]
                                 [--page docs/augmenting.md]

Of PneumoniaMNIST's training pictures so many are taken, as many of each class; the default recipe for these is trained
with labels; `sparring augment` asks about the set's own test pictures, which nothing has seen.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

import sparring
from pages import put, table
from sparring.use import augment


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 400, 2428])
    parser.add_argument("--time", default="4m", help="of a training")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/medical/pneumoniamnist_balanced.npz"))
    parser.add_argument("--runs", type=Path, default=Path("runs/bench-augment"))
    parser.add_argument("--page", type=Path, help="write the tables into this Markdown file, between its two marks")
    asked = parser.parse_args()
    asked.runs.mkdir(parents=True, exist_ok=True)
    test = asked.runs / "test.npz"
    with np.load(asked.data) as known:
        content = {name: known[name] for name in known.files}
    np.savez_compressed(test, images=content["test_images"], labels=content["test_labels"])
    lines: list[str] = []
    for size in asked.sizes:
        found = _played(size, content, test, asked)
        head, *body = found.rows()
        said = [found.verdict(name) for name in found.scores if name != "nothing"]
        lines += [f"**{size:,} real pictures**", "", *table(head, body), "", *(f"- {line}" for line in said), ""]
        lines += [f"{found.protocol[0].upper()}{found.protocol[1:]}.", ""]
        print("\n".join(lines[-14:]), flush=True)
    sizes = " ".join(map(str, asked.sizes))
    command = f"python benchmarks/augment.py --sizes {sizes} --time {asked.time} --seeds {asked.seeds}"
    lines += [f"`{command}`: {asked.time} of training each, {torch.get_num_threads()} CPU threads."]
    if asked.page:
        put(asked.page, __file__, lines)


def _played(size: int, content: dict[str, np.ndarray], test: Path, asked: argparse.Namespace):
    labels = content["train_labels"].ravel()
    order = np.random.default_rng(0).permutation(len(labels))
    rows = np.concatenate([order[labels[order] == c][: size // 2] for c in np.unique(labels)])
    data = asked.runs / f"pneumonia-{size}.npz"
    np.savez_compressed(data, images=content["train_images"][rows], labels=labels[rows])
    run = asked.runs / f"run-{size}-{asked.time}"
    if not (run / "model").is_dir():
        sparring.train(None, data, out=run, time=asked.time, quiet=True, labels=True)
    out = asked.runs / f"more-{size}.npz"
    return augment(run, out, seeds=asked.seeds, against=str(test), without=["samples of the rare"], force=True)


if __name__ == "__main__":
    main()

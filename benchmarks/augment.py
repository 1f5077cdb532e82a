"""X-rays: what samples are worth to a classifier of pneumonia, for several sizes of the real data set.

    python benchmarks/augment.py [--sizes 100 400 2428] [--time 4m] [--seeds 5] [--data FOLDER] [--runs FOLDER]
                                 [--page docs/augmenting.md]

SIZES are numbers of PneumoniaMNIST's training images, drawn equally from both classes. The default recipe is trained on
them with labels. `sparring augment` tests classifiers on the set's own test images, which nothing is trained on.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from clock import count_cpu_time
from pages import put, table
from runs import trained_once
from sparring.use import augment


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 400, 2428])
    parser.add_argument("--time", default="4m", help="time of each training")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/medical/pneumoniamnist_balanced.npz"))
    parser.add_argument("--runs", type=Path, default=Path("runs/bench-augment"))
    parser.add_argument("--page", type=Path, help="Markdown file for the tables, between its two marks")
    args = parser.parse_args()
    args.runs.mkdir(parents=True, exist_ok=True)
    test = args.runs / "test.npz"
    with np.load(args.data) as stored:
        content = {name: stored[name] for name in stored.files}
    np.savez_compressed(test, images=content["test_images"], labels=content["test_labels"])
    lines: list[str] = []
    counted = count_cpu_time()
    for size in args.sizes:
        result = _measured(size, content, test, args)
        head, *body = result.rows()
        verdicts = [f"- {verdict}" for verdict in result.verdicts()]
        lines += [f"**{size:,} real images**", "", *table(head, body), "", *verdicts, ""]
        lines += [f"{result.protocol[0].upper()}{result.protocol[1:]}.", ""]
        print("\n".join(lines[-14:]), flush=True)
    sizes = " ".join(map(str, args.sizes))
    command = f"python benchmarks/augment.py --sizes {sizes} --time {args.time} --seeds {args.seeds}"
    lines += [f"`{command}`: {args.time} of training each, {counted}."]
    if args.page:
        put(args.page, __file__, lines)


def _measured(size: int, content: dict[str, np.ndarray], test: Path, args: argparse.Namespace):
    labels = content["train_labels"].ravel()
    order = np.random.default_rng(0).permutation(len(labels))
    rows = np.concatenate([order[labels[order] == label][: size // 2] for label in np.unique(labels)])
    data = args.runs / f"pneumonia-{size}.npz"
    np.savez_compressed(data, images=content["train_images"][rows], labels=labels[rows])
    run = args.runs / f"run-{size}-{args.time}"
    trained_once(None, data, run, args.time, labels=True)
    out = args.runs / f"more-{size}.npz"
    return augment(run, out, seeds=args.seeds, against=str(test), without=["samples of rare classes"], force=True)


if __name__ == "__main__":
    main()

"""Sets of images, trained by the default recipe: time, scores, copies, sheets.

    python benchmarks/pictures.py [--sets mnist fashion-mnist ...] [--runs runs] [--page docs/pictures.md]

Trains each set with the command in the table (or resumes an existing run), evaluates 1,000 samples and prints a row for
each; with --page, writes the rows to a page, with a sheet of each set next to it.

- fid[patches]: Fréchet distance of the samples, or of as many of them as there are held-out images, to 2,000 training
  images, in the features by which trainings are scored; in brackets that of held-out images, the floor.
- diversity: mean distance of pairs of samples of one label / that of real pairs.
- near_copy_share: share of samples within a root mean square of 13 levels of a training image; in brackets that of
  held-out images.
- confident: share of samples to which a small classifier, trained on the labels of the set, assigns the requested label
  with a confidence above 90%; in brackets that of held-out images.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

import sparring
from sparring.console import Screen, clock
from sparring.metrics.copies import diversity, near_copies
from sparring.metrics.frechet import frechet, moments
from sparring.metrics.patches import patches
from sparring.modalities import Samples, find
from sparring.training.prepare import prepare, room

SAMPLES = 1000
REFERENCE = 2000
SURE = 0.9
LARGEST = 300_000  # bytes of a sheet in the docs that keeps all its colours
PAUSED = 60.0  # seconds between two lines of a log, at least, where the process was held up
ROWS = 8  # of a sheet, a column for each label


@dataclass(frozen=True)
class Set:
    """How a set is trained on.

    Attributes:
        bound: as `sparring train` takes it.
        fields: that are not the default.
        readable: whether a small classifier can tell whether a sample is what it was asked to be.
    """

    bound: dict[str, int | str]
    fields: dict[str, object]
    readable: bool = False


SETS = {
    "mnist": Set({"time": "10m"}, {}, readable=True),
    "fashion-mnist": Set({"time": "10m"}, {}, readable=True),
    "game-tiles": Set({"steps": 20_000}, {"width": 64, "ema_kimg": 20.0}),
    "grocery": Set({"steps": 5_200}, {}),
    "medical": Set({"time": "3m"}, {}),
    "omniglot": Set({"time": "3m"}, {}),
    "cifar10": Set({"time": "5m"}, {}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="*", default=list(SETS), choices=list(SETS))
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where the runs are or will be")
    parser.add_argument("--page", type=Path, help="write a page to this Markdown file, with sheets beside it")
    given = parser.parse_args()
    lines = [
        "| set | command | images/s | time | fid[patches] | diversity | near_copy_share | confident |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name in given.sets:
        run = given.runs / f"r3gan_strided-{name}"
        measured = run / "measured.txt"  # of a model that has not changed since
        model = run / "model" / "model.json"
        if not model.exists() or not measured.exists() or measured.stat().st_mtime < model.stat().st_mtime:
            made = row(name, run)
            measured.write_text(made)
        lines.append(measured.read_text())
        print(lines[-1], flush=True)
        if given.page:
            newest = sorted((run / "samples").glob("*.png"))[-1]
            with Image.open(newest) as sheet:
                small = sheet if newest.stat().st_size < LARGEST else sheet.quantize(256)
                small.save(given.page.with_name(f"{name}.png"), optimize=True)
    if given.page:
        sheets = "\n\n".join(f"## {name}\n\n![{name}]({name}.png)" for name in given.sets)
        protocol = "\n".join(line for line in __doc__.splitlines()[7:])
        command = "`python benchmarks/pictures.py --page docs/pictures.md` writes this page."
        given.page.write_text(
            "\n\n".join(["# Images", __doc__.splitlines()[0], command, "\n".join(lines), protocol, sheets, ""])
        )


def row(name: str, run: Path) -> str:
    chosen = SETS[name]
    model = sparring.train(None, name, out=run, resume=True, **chosen.bound, **chosen.fields)
    words = [f"--{bound} {value}" for bound, value in chosen.bound.items()]
    words += [f"{field}={value}" for field, value in chosen.fields.items()]
    _, data, _ = prepare(model.recipe, model.modality, find(name), room("64G", torch.device("cpu")), Screen(quiet=True))
    scaled = model.modality.scale(data.tensors["values"])
    # Sets are sorted, often by class.
    apart = data.held[torch.randperm(len(data.held), generator=torch.Generator().manual_seed(0))]
    train, held = scaled[data.train], scaled[apart]
    order = torch.randperm(len(train), generator=torch.Generator().manual_seed(0))
    reference = moments(features(train[order[:REFERENCE]]))
    samples = model.sample(SAMPLES, seed=0)
    made = model.modality.scale(torch.from_numpy(samples.items.transpose(0, 3, 1, 2).copy()))
    n = min(SAMPLES, len(held))  # only distances of equal numbers compare
    fid, floor = (frechet(moments(features(x[:n])), reference) for x in (made, held))
    copies, real_copies = (near_copies(x[:SAMPLES], train) for x in (made, held))
    labels = data.tensors["condition"]
    some = order[:SAMPLES]
    real_diversity = diverse(train[some], labels[data.train][some].numpy())
    seconds = trained(run / "log.jsonl")
    return " | ".join(
        [
            f"| {name}",
            f"`sparring train {name} {' '.join(words)}`",
            f"{model.about['step'] * model.recipe.batch / seconds:,.0f}",
            clock(seconds),
            f"{fid:.3f} ({floor:.3f})",
            f"{diverse(made, samples.labels) / real_diversity:.2f}",
            f"{copies:.1%} ({real_copies:.1%})",
            (clear(train, labels[data.train], held, labels[apart], made, samples) if chosen.readable else "") + " |",
        ]
    )


def trained(log: Path) -> float:
    """Seconds of training by a run's log, without the time for which its process was held up."""
    moments = [json.loads(line)["seconds"] for line in log.read_text().splitlines()]
    gaps = [after - before for before, after in pairwise([0.0, *moments])]
    return sum(gap for gap in gaps if gap < PAUSED)


def features(x: Tensor) -> Tensor:
    with torch.no_grad():
        return torch.cat([patches(part) for part in torch.split(x, 100)])


def diverse(x: Tensor, labels: np.ndarray) -> float:
    """Mean distance of pairs of one label."""
    order = np.argsort(labels, kind="stable")
    same = labels[order[1:]] == labels[order[:-1]]
    found = features(x)
    return diversity(found[order[1:][same]], found[order[:-1][same]])


def clear(train: Tensor, y: Tensor, held: Tensor, held_y: Tensor, made: Tensor, samples: Samples) -> str:
    """The share of samples that a classifier reads as what they were asked to be."""
    classifier = fitted(train, y)
    shares = said(classifier, made, torch.from_numpy(samples.labels)), said(classifier, held, held_y)
    return "{:.1%} ({:.1%})".format(*shares)


def fitted(x: Tensor, y: Tensor, steps: int = 1000) -> nn.Module:
    """A small classifier, trained for a minute or two."""
    torch.manual_seed(0)
    side = x.shape[-1] // 4
    net = nn.Sequential(
        nn.Conv2d(x.shape[1], 32, 3, stride=2, padding=1), nn.ReLU(), nn.BatchNorm2d(32),
        nn.Conv2d(32, 64, 3, stride=2, padding=1), nn.ReLU(), nn.BatchNorm2d(64),
        nn.AdaptiveAvgPool2d(min(side, 8)), nn.Flatten(), nn.Dropout(0.3),
        nn.Linear(64 * min(side, 8) ** 2, 64), nn.ReLU(), nn.Linear(64, int(y.max()) + 1),
    )  # fmt: skip
    optimizer = torch.optim.Adam(net.parameters(), 1e-3)
    for _ in range(steps):
        chosen = torch.randint(len(x), (128,))
        optimizer.zero_grad()
        F.cross_entropy(net(x[chosen]), y[chosen]).backward()
        optimizer.step()
    return net.eval()


@torch.no_grad()
def said(net: nn.Module, x: Tensor, y: Tensor) -> float:
    """The share that is read right, and with certainty."""
    certain = torch.cat([net(part) for part in torch.split(x, 500)]).softmax(1)
    return float(((certain.argmax(1) == y) & (certain.max(1).values > SURE)).float().mean())


if __name__ == "__main__":
    main()

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
from sparring.metrics.copies import diversity, near_copy_share
from sparring.metrics.frechet import frechet, moments
from sparring.metrics.patches import patches
from sparring.modalities import Samples, find
from sparring.training.prepare import prepare, room

SAMPLES = 1000
REFERENCE = 2000
CONFIDENCE = 0.9
MAX_BYTES = 300_000  # of a sheet in the docs with all its colors
MIN_PAUSE = 60.0  # seconds between two lines of a log while the process was suspended


@dataclass(frozen=True)
class Set:
    """How a data set is used.

    Attributes:
        bound: arguments of `train` for the length of the training.
        fields: settings that differ from the default.
        classified: True if a small classifier checks that samples have the requested label.
    """

    bound: dict[str, int | str]
    fields: dict[str, object]
    classified: bool = False


SETS = {
    "mnist": Set({"time": "10m"}, {}, classified=True),
    "fashion-mnist": Set({"time": "10m"}, {}, classified=True),
    "game-tiles": Set({"steps": 20_000}, {"width": 64, "ema_kimg": 20.0}),
    "grocery": Set({"steps": 5_200}, {}),
    "medical": Set({"time": "3m"}, {}),
    "omniglot": Set({"time": "3m"}, {}),
    "cifar10": Set({"time": "5m"}, {}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="*", default=list(SETS), choices=list(SETS))
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder of the runs")
    parser.add_argument("--page", type=Path, help="write a page to this Markdown file, with sheets next to it")
    given = parser.parse_args()
    lines = [
        "| set | command | images/s | time | fid[patches] | diversity | near_copy_share | confident |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name in given.sets:
        run = given.runs / f"r3gan_strided-{name}"
        measured = run / "measured.txt"  # valid until the model changes
        model = run / "model" / "model.json"
        if not model.exists() or not measured.exists() or measured.stat().st_mtime < model.stat().st_mtime:
            measured.write_text(row(name, run))
        lines.append(measured.read_text())
        print(lines[-1], flush=True)
        if given.page:
            newest = sorted((run / "samples").glob("*.png"))[-1]
            with Image.open(newest) as sheet:
                small = sheet if newest.stat().st_size < MAX_BYTES else sheet.quantize(256)
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
    unseen = data.held[torch.randperm(len(data.held), generator=torch.Generator().manual_seed(0))]
    train, held = scaled[data.train], scaled[unseen]
    order = torch.randperm(len(train), generator=torch.Generator().manual_seed(0))
    reference = moments(features(train[order[:REFERENCE]]))
    samples = model.sample(SAMPLES, seed=0)
    generated = model.modality.scale(torch.from_numpy(samples.items.transpose(0, 3, 1, 2).copy()))
    n = min(SAMPLES, len(held))  # only distances of equal numbers of samples can be compared
    fid, floor = (frechet(moments(features(x[:n])), reference) for x in (generated, held))
    copies, real_copies = (near_copy_share(x[:SAMPLES], train) for x in (generated, held))
    labels = data.tensors["condition"]
    chosen_rows = order[:SAMPLES]
    real_diversity = class_pair_distance(train[chosen_rows], labels[data.train][chosen_rows].numpy())
    classified = (train, labels[data.train], held, labels[unseen], generated, samples)
    confident = confident_shares(*classified) if chosen.classified else ""
    seconds = training_seconds(run / "log.jsonl")
    return " | ".join(
        [
            f"| {name}",
            f"`sparring train {name} {' '.join(words)}`",
            f"{model.about['step'] * model.recipe.batch / seconds:,.0f}",
            clock(seconds),
            f"{fid:.3f} ({floor:.3f})",
            f"{class_pair_distance(generated, samples.labels) / real_diversity:.2f}",
            f"{copies:.1%} ({real_copies:.1%})",
            f"{confident} |",
        ]
    )


def training_seconds(log: Path) -> float:
    """Seconds of training according to a run's log, without the time during which its process was suspended."""
    moments = [json.loads(line)["seconds"] for line in log.read_text().splitlines()]
    gaps = [after - before for before, after in pairwise([0.0, *moments])]
    return sum(gap for gap in gaps if gap < MIN_PAUSE)


def features(x: Tensor) -> Tensor:
    with torch.no_grad():
        return torch.cat([patches(part) for part in torch.split(x, 100)])


def class_pair_distance(x: Tensor, labels: np.ndarray) -> float:
    """Mean distance between pairs of one label."""
    order = np.argsort(labels, kind="stable")
    same = labels[order[1:]] == labels[order[:-1]]
    vectors = features(x)
    return diversity(vectors[order[1:][same]], vectors[order[:-1][same]])


def confident_shares(
    train: Tensor, y: Tensor, held: Tensor, held_y: Tensor, generated: Tensor, samples: Samples
) -> str:
    """Share of samples, and in brackets of held-out images, that are confidently classified as their label."""
    net = train_classifier(train, y)
    own = confident_share(net, generated, torch.from_numpy(samples.labels))
    return f"{own:.1%} ({confident_share(net, held, held_y):.1%})"


def train_classifier(x: Tensor, y: Tensor, steps: int = 1000) -> nn.Module:
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
def confident_share(net: nn.Module, x: Tensor, y: Tensor) -> float:
    """Share that is classified correctly with a high confidence."""
    probabilities = torch.cat([net(part) for part in torch.split(x, 500)]).softmax(1)
    return float(((probabilities.argmax(1) == y) & (probabilities.max(1).values > CONFIDENCE)).float().mean())


if __name__ == "__main__":
    main()

"""Which damage to real images do features show: those of the data alone, or those of a net trained on ImageNet?

    python benchmarks/features.py [--data ../shared/data] [--page docs/judging.md]

Held-out images are damaged and compared with others of their set, as samples would be. The first table has the Fréchet
distance, in standard deviations of that of undamaged images: four disjoint parts of 100 images, each compared with 600
others. The second table has the probability that a changed copy of one of these 600 images is nearer to them than
another image of the set is, in pixels and in features: 0.5 where copies look new, 1 where all are found. The last lines
are the time that features of an image take.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from pages import put, table
from sparring.evaluation.real import Real, read
from sparring.metrics.copies import memorization, nearest
from sparring.metrics.frechet import Moments, frechet, moments
from sparring.metrics.patches import patches
from sparring.modalities import Images, find
from sparring.nets import pretrained

SETS = {
    "grocery": "grocery/grocery_64.zip",
    "cifar10": "cifar10/cifar10_test2000_lossless.zip",
    "characters": "characters/characters.zip",
}
REFERENCE, PART = 600, 100  # images
PARTS = 4
DROPPED_EVERY = 4  # of the classes, one of so many is missing
TIMED = 100  # images
Compute = Callable[[Tensor], Tensor]


def blurred(x: Tensor) -> Tensor:
    """Each pixel is averaged with its neighbors, with the weights 1, 2, 1 along rows and columns."""
    kernel = torch.tensor([0.25, 0.5, 0.25])
    padded = F.pad(x, (1, 1, 1, 1), mode="replicate").flatten(0, 1)[:, None]  # (n c, 1, h + 2, w + 2)
    return F.conv2d(padded, torch.outer(kernel, kernel)[None, None]).view_as(x)


def noisy(x: Tensor) -> Tensor:
    """Normal noise with a standard deviation of 13 of 255 levels."""
    return (x + 0.1 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))).clamp(-1, 1)


def swapped(x: Tensor) -> Tensor:
    """The right half of each image is that of another one."""
    half = x.shape[-1] // 2
    return torch.cat([x[..., :half], x.roll(1, 0)[..., half:]], -1)


def upside_down(x: Tensor) -> Tensor:
    """Textures and colors stay, objects do not."""
    return x.flip(-2)


DAMAGES = {"blurred": blurred, "noisy": noisy, "right halves of other images": swapped, "upside down": upside_down}
COPIES: dict[str, Callable[[Tensor], Tensor]] = {
    "copies": lambda x: x,
    "mirrored copies": lambda x: x.flip(-1),
    "copies moved by an eighth": lambda x: x.roll(x.shape[-1] // 8, -1),
    "darker copies": lambda x: torch.cat([0.7 * (x[:, :3] + 1) - 1, x[:, 3:]], 1),
}


class Parts:
    """A set of images, split into a reference and disjoint parts of others."""

    def __init__(self, real: Real) -> None:
        rows = torch.cat([real.data.train, real.data.held])
        rows = rows[torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))]
        rest = rows[REFERENCE:]
        self.real = real
        self.reference = self.images(rows[:REFERENCE])
        self.parts = [self.images(part) for part in rest[: PARTS * PART].split(PART)]
        labels = real.labels(rest)
        assert labels is not None
        kept = rest[labels % DROPPED_EVERY != 0]
        self.without_classes = [
            self.images(kept[torch.randperm(len(kept), generator=torch.Generator().manual_seed(i))[:PART]])
            for i in range(PARTS)
        ]

    def images(self, rows: Tensor) -> Tensor:
        return torch.cat([batch["values"] for batch, _ in self.real.batches(rows)])

    def samples(self) -> dict[str, list[Tensor]]:
        """The parts with each damage."""
        damaged = {name: [damage(x) for x in self.parts] for name, damage in DAMAGES.items()}
        return damaged | {f"without {1 / DROPPED_EVERY:.0%} of the classes": self.without_classes}


def deviations(parts: Parts, compute: Compute) -> dict[str, float]:
    """Mean distance of damaged parts, in standard deviations of undamaged ones above their mean."""
    reference = moments(compute(parts.reference))
    floor = _distances(parts.parts, compute, reference)
    found = {name: _distances(x, compute, reference).mean() for name, x in parts.samples().items()}
    return {name: float((value - floor.mean()) / floor.std()) for name, value in found.items()}


def _distances(parts: list[Tensor], compute: Compute, reference: Moments) -> Tensor:
    return torch.tensor([frechet(moments(compute(x)), reference) for x in parts])


def memorized(parts: Parts, compute: Compute) -> dict[str, float]:
    """How surely copies of reference images are nearer to these than other images are."""
    reference = compute(parts.reference)
    usual, _ = nearest(compute(torch.cat(parts.parts)), reference)  # of other images
    copied = {name: change(parts.reference[:PART]) for name, change in COPIES.items()}
    return {name: memorization(nearest(compute(x), reference)[0], usual) for name, x in copied.items()}


def milliseconds(compute: Compute, channels: int, side: int) -> float:
    """Time of the features of an image."""
    x = torch.rand(TIMED, channels, side, side) * 2 - 1
    compute(x[: TIMED // 4])
    start = time.perf_counter()
    compute(x)
    return 1000 * (time.perf_counter() - start) / TIMED


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--page", type=Path, help="write the tables to this Markdown file, between its two marks")
    asked = parser.parse_args()
    features: dict[str, Compute] = {"patches": patches, "imagenet": pretrained.load("imagenet")}
    pixels: dict[str, Compute] = {"pixels": lambda x: x.flatten(1)}
    distances, copied, shapes = {}, {}, {}
    for name, place in SETS.items():
        items = find(str(asked.data / place))
        modality = Images().fit(items)
        parts = Parts(read(modality, items)[0])
        shapes[name] = modality.shape
        for kind, compute in features.items():
            distances[name, kind] = deviations(parts, compute)
        for kind, compute in (pixels | features).items():
            copied[name, kind] = memorized(parts, compute)
    lines = [
        *_columns("fid, in standard deviations of the floor", distances, "{:+.1f}"),
        "",
        *_columns("memorization", copied, "{:.2f}"),
        "",
        *_times(features, shapes),
        "",
        f"`python benchmarks/features.py`, {torch.get_num_threads()} CPU thread(s).",
    ]
    print("\n".join(lines))
    if asked.page:
        put(asked.page, __file__, lines)


def _columns(title: str, found: dict[tuple[str, str], dict[str, float]], form: str) -> list[str]:
    names = next(iter(found.values()))
    head = [title, *(f"{name}, {kind}" for name, kind in found)]
    return table(head, [[row, *(form.format(values[row]) for values in found.values())] for row in names])


def _times(features: dict[str, Compute], shapes: dict[str, tuple[int, ...]]) -> list[str]:
    sides = sorted({side for _, side, _ in shapes.values()} | {128, 256})
    rows = [[kind, *(f"{milliseconds(compute, 3, side):.1f}" for side in sides)] for kind, compute in features.items()]
    return table(["ms per image", *(f"{side} pixels" for side in sides)], rows)


if __name__ == "__main__":
    main()

"""A hundred pictures, with and without augmentation: trained on one half, held against the other."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sparring.bench.table import Column, Numbers, Plan, Row, Table
from sparring.console import Screen
from sparring.data.tensors import VALUES
from sparring.devices import resolve
from sparring.evaluation.classifier import classifier_of
from sparring.evaluation.features import Features
from sparring.evaluation.real import read
from sparring.files import atomic_path
from sparring.metrics.copies import memorization, near_copy_share, nearest
from sparring.metrics.kernel import kernel_distance_of_few
from sparring.metrics.neighbours import neighbours, radii
from sparring.modalities import Images, find
from sparring.model import Model

SET, CLASS = "grocery", "Pepper"
DATA = f"{SET}/{CLASS}"
SIZE = 64
SAMPLES = 1000
PART = 100  # pictures that features are computed of at once
ERROR = "its error"
# With augmentation and without it, whatever a step costs.
STEPS = {"steps": 12_000}


@lru_cache
def _halves() -> tuple[Tensor, Tensor]:
    """The pictures in two halves that chance has drawn, encoded."""
    items = find(DATA)
    encoded = Images(size=SIZE).fit(items).encode(items).values
    pictures = encoded if isinstance(encoded, Tensor) else encoded.map()[1]
    order = torch.randperm(len(pictures), generator=torch.Generator().manual_seed(0))
    one, other = order.chunk(2)
    return pictures[one], pictures[other]


def _half(seed: int, runs: Path) -> Path:
    """The file with the half that a run is trained on: its seed says which."""
    path = runs / f"half-{seed % 2}.npz"
    if not path.is_file():
        with atomic_path(path) as part, part.open("wb") as file:
            np.savez_compressed(file, images=_halves()[seed % 2].permute(0, 2, 3, 1).numpy())
    return path


@lru_cache
def _features(device: str, screen: Screen) -> tuple[Features, ...]:
    """What pictures are compared by: what a classifier of the set's other classes has learnt to tell apart, which knows
    shapes, and statistics of patches, which know textures.

    A classifier that had been shown the pictures themselves would know both halves from all else by heart, and so take
    copies of one for the other.
    """
    items = find(SET)
    real, _ = read(Images(size=SIZE).fit(items), items)
    labels = real.labels(real.data.train)
    assert labels is not None
    others = real.data.train[labels != items.classes.index(CLASS)]
    with screen.progress(f"training a classifier of {SET}") as progress:
        net = classifier_of(real, others, progress).to(resolve(device))
    return Features(SET, lambda x: net.features(x[VALUES])), Features("patches", real.modality.features)


def _measure(model: Model, device: str, screen: Screen) -> Numbers:
    trained = int(Path(model.about["data"]).stem.rpartition("-")[2])
    pictures = torch.cat([x[VALUES].cpu() for x, _ in model.stream(SAMPLES, seed=0)])
    known, unseen = (Images().scale(_halves()[i]) for i in (trained, 1 - trained))
    numbers = _numbers(pictures, known, unseen, device, screen) | {"samples/s": model.speed}
    return numbers | _without_copies(pictures, known, unseen, device, screen)


def _without_copies(pictures: Tensor, known: Tensor, unseen: Tensor, device: str, screen: Screen) -> Numbers:
    """How many pictures copy known ones, and the distance of those that are as far from them as unseen ones are."""
    near, usual = nearest(pictures, known)[0], nearest(unseen, known)[0]
    new = pictures[near >= usual.min()]
    numbers: Numbers = {"memorised": memorization(near, usual), "new": len(new) / len(pictures)}
    if len(new) > 1:
        f = _features(device, screen)[0]
        distance = kernel_distance_of_few(_seen(f, new, device), _seen(f, unseen, device))
        numbers |= {f"kid[{f.name}] of new": distance.value}
    return numbers


def _ideal(device: str, screen: Screen) -> Numbers:
    """One half in the samples' place."""
    pictures, unseen = map(Images().scale, _halves())
    return _numbers(pictures, unseen, unseen, device, screen)


def _numbers(pictures: Tensor, known: Tensor, unseen: Tensor, device: str, screen: Screen) -> Numbers:
    """Of pictures (n, channels, size, size), beside those that are known and may have been copied, and others."""
    numbers: Numbers = {"near copies": near_copy_share(pictures, known)}
    for f in _features(device, screen):
        fake, real = (_seen(f, x, device) for x in (pictures, unseen))
        distance = kernel_distance_of_few(fake, real)
        near = neighbours(real, fake[: len(real)], reach=radii(real))
        numbers |= {f"kid[{f.name}]": distance.value, f"{ERROR} [{f.name}]": distance.error}
        numbers[f"coverage[{f.name}]"] = near.coverage
    return numbers


@torch.no_grad()
def _seen(f: Features, pictures: Tensor, device: str) -> Tensor:
    """Pictures (n, channels, size, size) as features (n, d)."""
    return torch.cat([f.compute({VALUES: part.to(resolve(device))}).cpu() for part in torch.split(pictures, PART)])


GROCERY = Table(
    name="grocery",
    title="A hundred pictures of peppers",
    protocol=(
        f"The 112 pictures of one class of the grocery store set, {SIZE} pixels. A run is trained on one half of them, "
        f"and {SAMPLES:,} of its samples are held against the other half, which it has not seen: of the two runs of a "
        f"row each has another half. Every row has as many steps. kid[{SET}]: with features of a "
        "classifier of the set's 42 other classes, trained here, which has seen none of these pictures; kid[patches]: "
        "with statistics of random filters; over all pairs, the error by leaving out each real picture in turn. A net "
        "that shows its own half again is not told from a good one by these: memorised is how often a sample lies "
        "nearer to a picture that was trained on than one of the other half does, .5 for new ones and 1 for copies; "
        "near copies lie within 13 of 255 levels; new ones are no nearer to any than the other half's nearest, and "
        "have a distance of their own. Real data: one half in the samples' place. "
        "[What the numbers are](../judging.md)."
    ),
    data=DATA,
    part=_half,
    columns=(
        Column(f"kid[{SET}]", ".3f"),
        Column(f"{ERROR} [{SET}]", ".3f"),
        Column("kid[patches]", ".5f"),
        Column(f"{ERROR} [patches]", ".5f"),
        Column(f"coverage[{SET}]", ".1%"),
        Column("memorised", ".2f"),
        Column("near copies", ".1%"),
        Column("new", ".1%"),
        Column(f"kid[{SET}] of new", ".2f"),
        Column("samples/s", ",.0f"),
    ),
    published=(),
    rows=(
        Row("fastgan", {}, "its own DiffAugment"),
        Row("fastgan", {"augment": "none"}, "without augmentation"),
        Row("r3gan_strided", {"augment": "places", "batch": 16}, "the default on a CPU for so few"),
        Row("r3gan_strided", {"augment": "none", "batch": 16}, "without augmentation"),
    ),
    plans={"cpu": Plan(2, STEPS), "gpu": Plan(6, STEPS)},
    measure=_measure,
    ideal=_ideal,
)

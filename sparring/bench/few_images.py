"""A hundred images, with and without augmentation: models are trained on one half and evaluated with the other."""

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
BATCH_SIZE = 100  # images whose features are computed together
STEPS = {"steps": 12_000}  # with and without augmentation, although the cost of a step differs


@lru_cache
def _halves() -> tuple[Tensor, Tensor]:
    """The images in two random halves, encoded."""
    items = find(DATA)
    encoded = Images(size=SIZE).fit(items).encode(items).values
    images = encoded if isinstance(encoded, Tensor) else encoded.map()[1]
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    one, other = order.chunk(2)
    return images[one], images[other]


def _half(seed: int, runs: Path) -> Path:
    """The file with the half that the run of a seed is trained on."""
    path = runs / f"half-{seed % 2}.npz"
    if not path.is_file():
        with atomic_path(path) as part, part.open("wb") as file:
            np.savez_compressed(file, images=_halves()[seed % 2].permute(0, 2, 3, 1).numpy())
    return path


@lru_cache
def _features(device: str, screen: Screen) -> tuple[Features, ...]:
    """Features of images: those of a classifier of the set's other classes, which show shapes, and statistics of
    patches, which show textures.

    A classifier that was trained on the evaluated images would have memorized both halves, and could not distinguish
    copies of one from images of the other.
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
    samples = torch.cat([x[VALUES].cpu() for x, _ in model.stream(SAMPLES, seed=0)])
    train, unseen = (Images().scale(_halves()[i]) for i in (trained, 1 - trained))
    numbers = _numbers(samples, train, unseen, device, screen) | {"samples/s": model.speed}
    return numbers | _novel_numbers(samples, train, unseen, device, screen)


def _novel_numbers(samples: Tensor, train: Tensor, unseen: Tensor, device: str, screen: Screen) -> Numbers:
    """Memorization, and metrics of the novel samples: those that are as far from all training images as unseen images
    are.
    """
    distances, usual = nearest(samples, train)[0], nearest(unseen, train)[0]
    novel = samples[distances >= usual.min()]
    numbers: Numbers = {"memorization": memorization(distances, usual), "novel_share": len(novel) / len(samples)}
    if len(novel) > 1:
        f = _features(device, screen)[0]
        distance = kernel_distance_of_few(_compute(f, novel, device), _compute(f, unseen, device))
        numbers |= {f"kid[{f.name}, novel]": distance.value}
    return numbers


def _ideal(device: str, screen: Screen) -> Numbers:
    """Metrics of one half in place of samples."""
    images, unseen = map(Images().scale, _halves())
    return _numbers(images, unseen, unseen, device, screen)


def _numbers(samples: Tensor, train: Tensor, unseen: Tensor, device: str, screen: Screen) -> Numbers:
    """Metrics of samples (n, channels, size, size), with the training images that may be copied, and unseen ones."""
    numbers: Numbers = {"near_copy_share": near_copy_share(samples, train)}
    for f in _features(device, screen):
        fake, real = (_compute(f, x, device) for x in (samples, unseen))
        distance = kernel_distance_of_few(fake, real)
        near = neighbours(real, fake[: len(real)], reach=radii(real))
        numbers |= {f"kid[{f.name}]": distance.value, f"kid_error[{f.name}]": distance.error}
        numbers[f"coverage[{f.name}]"] = near.coverage
    return numbers


@torch.no_grad()
def _compute(f: Features, images: Tensor, device: str) -> Tensor:
    """Features (n, d) of images (n, channels, size, size)."""
    parts = torch.split(images, BATCH_SIZE)
    return torch.cat([f.compute({VALUES: part.to(resolve(device))}).cpu() for part in parts])


GROCERY = Table(
    name="grocery",
    title="A hundred images of peppers",
    protocol=(
        f"The 112 images of one class of the grocery store set, {SIZE} pixels. A run is trained on one half of them, "
        f"and {SAMPLES:,} of its samples are compared with the other half, which it was not trained on; the two runs "
        f"of a row are trained on different halves. All rows have the same number of steps. kid[{SET}] uses features "
        "of a classifier of the set's 42 other classes, trained here without any of these images; kid[patches] uses "
        "statistics of random filters. Both are computed over all pairs; kid_error is their jackknife error over the "
        "real images. These metrics do not reveal a network that reproduces its own half. memorization is the "
        "probability that a sample is nearer to a training image than an image of the other half is: 0.5 for novel "
        "samples, 1 for copies. near_copy_share counts samples within 13 of 255 levels of a training image. "
        "novel_share counts samples that are no nearer to any training image than the nearest image of the other "
        f"half; kid[{SET}, novel] is their distance. Real data: one half in place of samples. [The "
        "metrics](../judging.md)."
    ),
    data=DATA,
    part=_half,
    columns=(
        Column(f"kid[{SET}]", ".3f"),
        Column(f"kid_error[{SET}]", ".3f"),
        Column("kid[patches]", ".5f"),
        Column("kid_error[patches]", ".5f"),
        Column(f"coverage[{SET}]", ".1%"),
        Column("memorization", ".2f"),
        Column("near_copy_share", ".1%"),
        Column("novel_share", ".1%"),
        Column(f"kid[{SET}, novel]", ".2f"),
        Column("samples/s", ",.0f"),
    ),
    published=(),
    rows=(
        Row("fastgan", {}, "with its DiffAugment"),
        Row("fastgan", {"augment": "none"}, "without augmentation"),
        Row("r3gan_strided", {"augment": "places", "batch": 16}, "the default for this few images"),
        Row("r3gan_strided", {"augment": "none", "batch": 16}, "without augmentation"),
    ),
    plans={"cpu": Plan(2, STEPS), "gpu": Plan(6, STEPS)},
    measure=_measure,
    ideal=_ideal,
)

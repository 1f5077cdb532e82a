"""A small image classifier that is trained on a labeled data set. Its features suit this data set only, and it predicts
the class of a sample, or the values of the columns that it was generated for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from contextlib import suppress

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.nn import functional as F

from sparring.data.store import Progress, no_progress
from sparring.data.tensors import CONDITION, VALUES, Tensors
from sparring.errors import InputError
from sparring.evaluation import cache
from sparring.evaluation.real import Real
from sparring.layers.condition import Columns, Condition, cross_entropy, places
from sparring.seeds import Seeds, reseed

BATCH_SIZE = 128
STEPS = 300, 1500  # minimum and maximum
EPOCHS = 40  # between these
MAX_SIZE = 64  # pixels; larger images are averaged down to it
WIDTHS = (32, 64, 128, 128)
FEATURES = 64
COLUMN_FEATURES = 256  # of a classifier of several columns
VERSION = 1  # of the network and its training


class Classifier(nn.Module):
    """Images (n, channels, size, size) in [-1, 1] -> features (n, 64) and logits (n, classes), or (n, codes of all
    columns).

    Convolutions of stride 2 with batch norm down to four to seven pixels, then two linear layers. The features are the
    output of the first of these.
    """

    def __init__(self, channels: int, size: int, condition: Condition) -> None:
        super().__init__()
        self.classes = classes = places(condition)
        length = COLUMN_FEATURES if isinstance(condition, Columns) else FEATURES
        self.shrink = max(1, size // MAX_SIZE)
        side, before = size // self.shrink, channels
        layers: list[nn.Module] = []
        for width in WIDTHS:
            if side < 8 and layers:
                break
            layers += [nn.Conv2d(before, width, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
            before, side = width, (side + 1) // 2
        self.body = nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.3), nn.Linear(before * side**2, length))
        # Features have standard deviation 1, so that a few of them do not dominate a distance.
        self.body.append(nn.BatchNorm1d(length, affine=False))
        self.head = nn.Sequential(nn.ReLU(), nn.Linear(length, classes))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        if self.shrink > 1:
            x = F.avg_pool2d(x, self.shrink)
        features = self.body(x)
        return features, self.head(features)

    def features(self, x: Tensor) -> Tensor:
        """Features (n, 64)."""
        features: Tensor = self(x)[0]
        return features

    def probabilities(self, x: Tensor) -> Tensor:
        """Probabilities of the classes, (n, classes)."""
        logits: Tensor = self(x)[1]
        return logits.softmax(1)


Draw = Callable[[Tensor], tuple[Tensor, Tensor]]


def train_classifier(
    shape: tuple[int, ...], condition: Condition, n: int, draw: Draw, seed: int = 0, progress: Progress = no_progress
) -> Classifier:
    """Train a classifier on n items. The same items always give the same classifier.

    Args:
        shape: of an image, (channels, size, size).
        condition: number of classes, or the columns that are predicted.
        draw: returns images and labels, or rows of columns, for row indices below n.
    """
    reseed(Seeds(seed).key("classifier"), torch.device("cpu"))
    net = Classifier(shape[0], shape[1], condition)
    steps = min(STEPS[1], max(STEPS[0], EPOCHS * n // BATCH_SIZE))
    optimizer = torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, steps + 1, pct_start=0.2)
    max_shift = max(1, shape[1] // 16)
    for step in range(steps):
        x, y = draw(torch.randint(n, (BATCH_SIZE,)))
        shift = torch.randint(-max_shift, max_shift + 1, (2,)).tolist()
        optimizer.zero_grad()
        cross_entropy(net(x.roll(shift, (2, 3)))[1], y, condition).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
        progress(step + 1, steps)
    return net.eval().requires_grad_(False)


def classifier_of(real: Real, rows: Tensor, progress: Progress = no_progress) -> Classifier:
    """The classifier of a labeled set of images, trained on some of its rows, or loaded from the user's cache if it has
    been trained before.

    Raises:
        InputError: if the data are not images.
    """
    shape, classes = real.modality.classifier_input, len(real.modality.classes)
    if shape is None:
        raise InputError(f"{real.name!r} holds {real.modality.words.items}; the classifier needs images")

    def draw(chosen: Tensor) -> tuple[Tensor, Tensor]:
        picked = rows[chosen]
        return real.modality.scale(real.data.part(VALUES, picked)), real.data.part(CONDITION, picked)

    return _cached(real, shape, classes, rows, draw, progress)


def columns_classifier(real: Real, columns: Columns, rows: Tensor, progress: Progress = no_progress) -> Classifier:
    """The classifier of the columns that images are generated for, trained on some rows of real ones, or loaded from
    the user's cache.

    Args:
        columns: the condition of the images.
    """

    def draw(chosen: Tensor) -> tuple[Tensor, Tensor]:
        batch = real.modality.batch(real.data.items(rows[chosen]))
        return batch[VALUES], batch[CONDITION]

    return _cached(real, real.modality.shape, columns, rows, draw, progress)


def _cached(
    real: Real, shape: tuple[int, ...], condition: Condition, rows: Tensor, draw: Draw, progress: Progress
) -> Classifier:
    text = f"{VERSION} {real.data.fingerprint} {shape} {condition} {rows.tolist()}"
    place = cache.place(f"classifier-{hashlib.blake2b(text.encode(), digest_size=12).hexdigest()}.safetensors")
    if stored := cache.recall(place):
        with suppress(SafetensorError, RuntimeError):  # damaged
            net = Classifier(shape[0], shape[1], condition)
            net.load_state_dict(safetensors.torch.load(stored))
            return net.eval().requires_grad_(False)
    net = train_classifier(shape, condition, len(rows), draw, progress=progress)
    cache.keep(place, safetensors.torch.save(net.state_dict()))
    return net


@torch.no_grad()
def accuracy(net: Classifier, batches: Iterable[tuple[Tensors, Tensor | None]]) -> float:
    """Share of labeled images whose class is predicted correctly."""
    correct = [net(x[VALUES])[1].argmax(1) == y for x, y in batches]
    return float(torch.cat(correct).float().mean())

"""A small image classifier that is trained on a labeled data set. Its features suit this data set only, and it predicts
the class of a sample.
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
from sparring.seeds import Seeds, reseed

BATCH_SIZE = 128
STEPS = 300, 1500  # minimum and maximum
EPOCHS = 40  # between these
MAX_SIZE = 64  # pixels; larger images are averaged down to it
WIDTHS = (32, 64, 128, 128)
FEATURES = 64
VERSION = 1  # of the network and its training


class Classifier(nn.Module):
    """Images (n, channels, size, size) in [-1, 1] -> features (n, 64) and logits (n, classes).

    Convolutions of stride 2 with batch norm down to four to seven pixels, then two linear layers. The features are the
    output of the first of these.
    """

    def __init__(self, channels: int, size: int, classes: int) -> None:
        super().__init__()
        self.classes = classes
        self.shrink = max(1, size // MAX_SIZE)
        side, before = size // self.shrink, channels
        layers: list[nn.Module] = []
        for width in WIDTHS:
            if side < 8 and layers:
                break
            layers += [nn.Conv2d(before, width, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
            before, side = width, (side + 1) // 2
        self.body = nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.3), nn.Linear(before * side**2, FEATURES))
        # Features have standard deviation 1, so that a few of them do not dominate a distance.
        self.body.append(nn.BatchNorm1d(FEATURES, affine=False))
        self.head = nn.Sequential(nn.ReLU(), nn.Linear(FEATURES, classes))

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
    shape: tuple[int, ...], classes: int, n: int, draw: Draw, seed: int = 0, progress: Progress = no_progress
) -> Classifier:
    """Train a classifier on n items. The same items always give the same classifier.

    Args:
        shape: of an image, (channels, size, size).
        draw: returns images and labels for row indices below n.
    """
    reseed(Seeds(seed).key("classifier"), torch.device("cpu"))
    net = Classifier(shape[0], shape[1], classes)
    steps = min(STEPS[1], max(STEPS[0], EPOCHS * n // BATCH_SIZE))
    optimizer = torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, steps + 1, pct_start=0.2)
    max_shift = max(1, shape[1] // 16)
    for step in range(steps):
        x, y = draw(torch.randint(n, (BATCH_SIZE,)))
        shift = torch.randint(-max_shift, max_shift + 1, (2,)).tolist()
        optimizer.zero_grad()
        F.cross_entropy(net(x.roll(shift, (2, 3)))[1], y).backward()  # type: ignore[no-untyped-call]
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
    text = f"{VERSION} {real.data.fingerprint} {shape} {classes} {rows.tolist()}"
    place = cache.place(f"classifier-{hashlib.blake2b(text.encode(), digest_size=12).hexdigest()}.safetensors")
    if stored := cache.recall(place):
        with suppress(SafetensorError, RuntimeError):  # damaged
            net = Classifier(shape[0], shape[1], classes)
            net.load_state_dict(safetensors.torch.load(stored))
            return net.eval().requires_grad_(False)

    def draw(chosen: Tensor) -> tuple[Tensor, Tensor]:
        picked = rows[chosen]
        return real.modality.scale(real.data.part(VALUES, picked)), real.data.part(CONDITION, picked)

    net = train_classifier(shape, classes, len(rows), draw, progress=progress)
    cache.keep(place, safetensors.torch.save(net.state_dict()))
    return net


@torch.no_grad()
def accuracy(net: Classifier, batches: Iterable[tuple[Tensors, Tensor | None]]) -> float:
    """Share of labeled images whose class is predicted correctly."""
    correct = [net(x[VALUES])[1].argmax(1) == y for x, y in batches]
    return float(torch.cat(correct).float().mean())

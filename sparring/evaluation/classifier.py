"""A small classifier, trained on a labelled set itself: what it has learnt to tell apart are features that
fit these data and no others, and it says of which class a sample is.
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
from sparring.data.tensors import VALUES, Tensors
from sparring.evaluation import cache
from sparring.evaluation.real import Real
from sparring.seeds import Seeds, reseed

BATCH = 128
STEPS = 300, 1500  # at least and at most
EPOCHS = 40  # between these
LARGEST = 64  # pixels that larger pictures are averaged to
WIDTHS = (32, 64, 128, 128)
FEATURES = 64
VERSION = 1  # of net and training


class Classifier(nn.Module):
    """Pictures (n, channels, size, size) in [-1, 1] -> features (n, 64) and logits (n, classes).

    Convolutions of stride 2 with batch norm down to four to seven pixels, then two linear layers; the
    features are what the first of these gives.
    """

    def __init__(self, channels: int, size: int, classes: int) -> None:
        super().__init__()
        self.classes = classes
        self.shrink = max(1, size // LARGEST)
        side, before = size // self.shrink, channels
        layers: list[nn.Module] = []
        for width in WIDTHS:
            if side < 8 and layers:
                break
            layers += [nn.Conv2d(before, width, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
            before, side = width, (side + 1) // 2
        self.body = nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.3), nn.Linear(before * side**2, FEATURES))
        # Features of deviation 1, so that no few of them decide a distance.
        self.body.append(nn.BatchNorm1d(FEATURES, affine=False))
        self.head = nn.Sequential(nn.ReLU(), nn.Linear(FEATURES, classes))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        if self.shrink > 1:
            x = F.avg_pool2d(x, self.shrink)
        features = self.body(x)
        return features, self.head(features)

    def features(self, x: Tensor) -> Tensor:
        """(n, 64)."""
        found: Tensor = self(x)[0]
        return found

    def probabilities(self, x: Tensor) -> Tensor:
        """Of each class, (n, classes)."""
        logits: Tensor = self(x)[1]
        return logits.softmax(1)


Draw = Callable[[Tensor], tuple[Tensor, Tensor]]


def fitted(
    shape: tuple[int, ...], classes: int, n: int, draw: Draw, seed: int = 0, progress: Progress = no_progress
) -> Classifier:
    """A classifier trained on n items, always the same for the same ones.

    Args:
        shape: of a picture, (channels, size, size).
        draw: gives the pictures and the labels of some rows below n.
    """
    reseed(Seeds(seed).key("classifier"), torch.device("cpu"))
    net = Classifier(shape[0], shape[1], classes)
    steps = min(STEPS[1], max(STEPS[0], EPOCHS * n // BATCH))
    optimizer = torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, steps + 1, pct_start=0.2)
    reach = max(1, shape[1] // 16)
    for step in range(steps):
        x, y = draw(torch.randint(n, (BATCH,)))
        shift = torch.randint(-reach, reach + 1, (2,)).tolist()
        optimizer.zero_grad()
        F.cross_entropy(net(x.roll(shift, (2, 3)))[1], y).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
        progress(step + 1, steps)
    return net.eval().requires_grad_(False)


def of(real: Real, rows: Tensor, progress: Progress = no_progress) -> Classifier:
    """The classifier of a labelled set of pictures, trained on these rows; from the user's cache where it has
    been trained before.
    """
    shape, classes = real.modality.shape, len(real.modality.classes)
    text = f"{VERSION} {real.data.fingerprint} {shape} {classes} {rows.tolist()}"
    place = cache.place(f"classifier-{hashlib.blake2b(text.encode(), digest_size=12).hexdigest()}.safetensors")
    if known := cache.recall(place):
        with suppress(SafetensorError, RuntimeError):  # damaged
            net = Classifier(shape[0], shape[1], classes)
            net.load_state_dict(safetensors.torch.load(known))
            return net.eval().requires_grad_(False)

    def draw(chosen: Tensor) -> tuple[Tensor, Tensor]:
        picked = rows[chosen]
        return real.modality.scale(real.data.part("values", picked)), real.data.part("condition", picked)

    net = fitted(shape, classes, len(rows), draw, progress=progress)
    cache.keep(place, safetensors.torch.save(net.state_dict()))
    return net


@torch.no_grad()
def accuracy(net: Classifier, parts: Iterable[tuple[Tensors, Tensor | None]]) -> float:
    """The share of labelled pictures that are seen as what they are."""
    right = [net(x[VALUES])[1].argmax(1) == y for x, y in parts]
    return float(torch.cat(right).float().mean())

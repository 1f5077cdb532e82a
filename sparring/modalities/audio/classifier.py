"""A small classifier of sounds, by whose features and labels samples are judged."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sparring.data.store import Progress, no_progress
from sparring.layers.layout import channels_last
from sparring.modalities.audio.spectra import levels
from sparring.seeds import Seeds, reseed

MELS = 40
MAX_FRAMES = 64  # of a sound; longer ones are averaged over several frames, so that time does not grow with length
WIDTHS = (32, 64, 96)
FEATURES = 64
STEPS = 400
BATCH_SIZE = 64
MAX_SHIFT = 0.1  # share of a sound by which it is shifted during training
GAINS = 1.0  # nepers by which its level is changed at most


def averaged_levels(waves: Tensor, rate: int) -> Tensor:
    """Log-mel levels of sounds (n, channels, length) as the classifier receives them: (n, 40, frames), at most 64."""
    found = levels(waves, rate, MELS)
    return F.avg_pool1d(found, -(-found.shape[2] // MAX_FRAMES), ceil_mode=True)


class Classifier(nn.Module):
    """Log-mel levels (n, 40, frames) as from `averaged_levels` -> features (n, 64) and logits (n, classes).

    Args:
        classes: number of classes.
        mean, deviation: of the levels of real sounds.
    """

    def __init__(self, classes: int, mean: float, deviation: float) -> None:
        super().__init__()
        self.mean, self.deviation = mean, deviation
        layers: list[nn.Module] = []
        before = 1
        for width in WIDTHS:
            layers += [nn.Conv2d(before, width, 3, padding=1, bias=False), nn.MaxPool2d(2)]
            layers += [nn.BatchNorm2d(width), nn.ReLU()]  # on a quarter of the values
            before = width
        pooled = nn.AdaptiveAvgPool2d((5, 4))
        self.body = nn.Sequential(*layers, pooled, nn.Flatten(), nn.Dropout(0.3), nn.Linear(before * 20, FEATURES))
        self.body.append(nn.BatchNorm1d(FEATURES, affine=False))  # so that a few features do not dominate a distance
        self.head = nn.Sequential(nn.ReLU(), nn.Linear(FEATURES, classes))

    def forward(self, levels: Tensor) -> tuple[Tensor, Tensor]:
        features = self.body(channels_last((levels[:, None] - self.mean) / self.deviation))
        return features, self.head(features)

    @torch.no_grad()
    def of(self, waves: Tensor, rate: int) -> tuple[Tensor, Tensor]:
        """Features (n, 64) and predicted classes (n,) of sounds (n, channels, length)."""
        outputs = [self(averaged_levels(part, rate)) for part in waves.split(64)]  # type: ignore[no-untyped-call]
        return torch.cat([f for f, _ in outputs]), torch.cat([logits.argmax(1) for _, logits in outputs])


def train_classifier(
    waves: Tensor, labels: Tensor, classes: int, rate: int, progress: Progress = no_progress
) -> Classifier:
    """Train a classifier of sounds (n, channels, length). The same sounds always give the same classifier."""
    x = torch.cat([averaged_levels(part, rate) for part in waves.split(64)])  # type: ignore[no-untyped-call]
    reseed(Seeds().key("sound classifier"), torch.device("cpu"))
    net = Classifier(classes, float(x.mean()), float(x.std()))
    optimizer = torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, STEPS + 1, pct_start=0.2)
    most = max(1, round(MAX_SHIFT * x.shape[2]))
    for step in range(STEPS):
        rows = torch.randint(len(x), (BATCH_SIZE,))
        shift = int(torch.randint(-most, most + 1, ()))
        changed = x[rows].roll(shift, 2) + (torch.rand(BATCH_SIZE, 1, 1) * 2 - 1) * GAINS
        optimizer.zero_grad()
        F.cross_entropy(net(changed)[1], labels[rows]).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
        progress(step + 1, STEPS)
    return net.eval().requires_grad_(False)

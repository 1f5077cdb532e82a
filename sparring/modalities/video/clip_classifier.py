"""A small net that is trained on the clips of a data set: it tells their classes, and whether they play forward."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sparring.data.store import Progress, no_progress
from sparring.metrics.motion import shuffled
from sparring.nets.pretrained import as_rgb
from sparring.seeds import Seeds, seeded

SIDE = 32  # pixels of the frames that the net sees
WIDTHS = (32, 64, 64)
BATCH, STEPS = 48, 300
ORDERS = 3  # forward, backward, shuffled
MAX_SHIFT = 2  # pixels by which frames are moved at random


class ClipClassifier(nn.Module):
    """Small clips (n, 3, t, 32, 32) -> logits of the classes (n, classes) and of the order of the frames (n, 3).

    The net sees the first frame and the changes from frame to frame, normalized, because they are small.
    """

    def __init__(self, frames: int, classes: int) -> None:
        super().__init__()
        before, side = 3 * frames, SIDE
        layers: list[nn.Module] = [nn.BatchNorm2d(before, affine=False)]
        for width in WIDTHS:
            layers += [nn.Conv2d(before, width, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
            before, side = width, side // 2
        self.body = nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.3), nn.Linear(before * side**2, 64), nn.ReLU())
        self.classes, self.order = nn.Linear(64, max(1, classes)), nn.Linear(64, ORDERS)

    def forward(self, clips: Tensor) -> tuple[Tensor, Tensor]:
        changes = torch.cat([clips[:, :, :1], clips[:, :, 1:] - clips[:, :, :-1]], 2)
        h = self.body(changes.transpose(1, 2).flatten(1, 2))
        return self.classes(h), self.order(h)


@dataclass(frozen=True)
class Judged:
    """What the classifier says of clips: the probabilities of their classes (n, classes), and the share of clips that
    play forward.
    """

    probabilities: Tensor
    forward: float

    @property
    def classes(self) -> Tensor:
        """The most probable class of each, (n,)."""
        return self.probabilities.argmax(1)


def reduced(clips: Tensor) -> Tensor:
    """Clips (n, c, t, h, w) in color on white, with small frames: (n, 3, t, 32, 32)."""
    n, _, t, *_ = clips.shape
    frames = as_rgb(clips.transpose(1, 2).flatten(0, 1))
    small = F.interpolate(frames, (SIDE, SIDE), mode="area")
    return small.view(n, t, 3, SIDE, SIDE).transpose(1, 2).contiguous()


def train(
    clips: Tensor, labels: Tensor | None, classes: int, loop: bool, progress: Progress = no_progress
) -> ClipClassifier:
    """The classifier of reduced clips (n, 3, t, 32, 32); the same clips always give the same one.

    Args:
        labels: class of each, (n,), or None.
        loop: True if clips may begin at any of their frames.
    """
    with seeded(Seeds(0).key("clip classifier"), clips.device), torch.enable_grad():
        net = ClipClassifier(clips.shape[2], classes).to(clips.device)
        optimizer = torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=1e-2)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, STEPS + 1, pct_start=0.2)
        random = torch.Generator().manual_seed(0)
        for step in range(STEPS):
            rows = torch.randint(len(clips), (BATCH,), generator=random)
            x = clips[rows]
            if loop:
                x = x.roll(int(torch.randint(x.shape[2], (1,), generator=random)), 2)
            shift = torch.randint(-MAX_SHIFT, MAX_SHIFT + 1, (2,), generator=random).tolist()
            forward, backward, mixed = x.roll(shift, (3, 4)).chunk(ORDERS)
            both = torch.cat([forward, backward.flip(2), shuffled(mixed, random)])
            order = torch.arange(ORDERS).repeat_interleave(BATCH // ORDERS).to(clips.device)
            as_class, as_order = net(both)
            loss = F.cross_entropy(as_order, order)
            if labels is not None:
                loss = loss + F.cross_entropy(as_class[: BATCH // ORDERS], labels[rows[: BATCH // ORDERS]])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
            progress(step + 1, STEPS)
    return net.eval().requires_grad_(False)


@torch.no_grad()
def judged(net: ClipClassifier, clips: Tensor) -> Judged:
    """What the classifier says of reduced clips."""
    as_class, as_order = net(clips)
    return Judged(as_class.softmax(1), float((as_order.argmax(1) == 0).float().mean()))

"""Metrics of motion in clips (n, channels, t, h, w) in [-1, 1]."""

from __future__ import annotations

import torch
from torch import Tensor


def amount(clips: Tensor) -> float:
    """Mean absolute change from one frame to the next, where black and white are 1 apart; 0 for still clips."""
    return float((clips[:, :, 1:] - clips[:, :, :-1]).abs().mean() / 2)


def straightness(clips: Tensor) -> float:
    """Change over two steps / sum of both changes, as a mean over clips that move: 1 if pixels keep changing in one
    direction, as in a cross-fade, 0.5 if the frames are in random order. NaN if nothing moves.
    """
    one = (clips[:, :, 1:] - clips[:, :, :-1]).abs().mean((1, 3, 4))  # (n, t - 1)
    two = (clips[:, :, 2:] - clips[:, :, :-2]).abs().mean((1, 3, 4))  # (n, t - 2)
    both = (one[:, 1:] + one[:, :-1]).sum(1)
    moving = both > 0
    return float((two.sum(1)[moving] / both[moving]).mean()) if moving.any() else float("nan")


def drift(features: Tensor) -> float:
    """How much frames of one clip differ, compared with frames of different clips: the mean distance of their features
    / the mean distance of frames at the same place of two clips. 0 if frames of a clip are equal, about 1 if they are
    as different as those of different clips.

    Args:
        features: of the frames of clips, (n, t, d), n at least 2.
    """
    within = (features[:, 1:] - features[:, :1]).norm(dim=2).mean()
    across = (features - features.roll(1, 0)).norm(dim=2).mean()
    return float(within / across) if across > 0 else float("nan")


def shuffled(clips: Tensor, random: torch.Generator) -> Tensor:
    """Clips with their frames in random order, that of each in another."""
    n, _, t, *_ = clips.shape
    order = torch.rand(n, t, generator=random).argsort(1).to(clips.device)
    return clips.gather(2, order[:, None, :, None, None].expand_as(clips))


def cross_faded(clips: Tensor) -> Tensor:
    """Cross-fades from the first frame of each clip to that of the next clip."""
    first, last = clips[:, :, :1], clips.roll(1, 0)[:, :, :1]
    share = torch.linspace(0, 1, clips.shape[2], device=clips.device)[None, None, :, None, None]
    return first.lerp(last, share)

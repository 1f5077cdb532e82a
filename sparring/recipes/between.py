"""Frames between given ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sparring.modalities import VideoCompletion
from sparring.recipes.base import Count, Decay, Positive, Share, VideoCompletionRecipe, Weight


@dataclass(frozen=True)
class Between(VideoCompletionRecipe):
    """Fills in frames between each two frames of a film.

    The nets and losses of `predict` (Gao et al. 2022, arXiv:2206.05099; Vondrick et al. 2016, arXiv:1609.02612; Huang
    et al. 2024, arXiv:2501.05441), given the first and the last frame of a clip; the background is a cross-fade of
    both. `sparring apply` returns a film of the same duration with `made + 1` times as many frames a second.

    sparring train weizmann --recipe between --time 30m
    """

    takes: ClassVar[tuple[VideoCompletion, ...]] = (VideoCompletion(given=1, after=1),)

    # Data
    made: Count = 3
    # Generator
    z: Count = 8
    width: Count = 32
    depth: Count = 3
    # Discriminator
    D: Count = 32
    # Losses
    gamma: Weight = 2.0
    lazy: Count = 8
    variety: Weight = 1.0
    adversarial: Positive = 0.1
    # Optimization
    batch: Count = 16
    steps: Count = 20_000
    alone: Share = 0.5
    lr: Positive = 5e-4
    beta1: Decay = 0.5
    beta2: Decay = 0.99
    ema_kimg: Weight = 10.0
    ema_ramp: Share = 0.05

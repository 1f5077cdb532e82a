"""Prediction of video."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sparring.modalities import VideoCompletion
from sparring.recipes.base import Count, Decay, Positive, Share, VideoCompletionRecipe, Weight, data


@dataclass(frozen=True)
class Predict(VideoCompletionRecipe):
    """Predicts how a film goes on, given its last frames.

    All frames of a clip are channels of one convolutional net (Gao et al. 2022, arXiv:2206.05099), which moves masked
    parts in front of the last given frame (Vondrick et al. 2016, arXiv:1609.02612). First it learns the mean of all
    futures, then D judges the whole clip by the relativistic loss (Huang et al. 2024, arXiv:2501.05441), and the better
    of two futures must be near the true one (Gupta et al. 2018, arXiv:1803.10892), so that they may differ.
    `sparring apply` continues films of any length, chunk by chunk.

    sparring train weizmann --recipe predict --time 30m
    """

    takes: ClassVar[tuple[VideoCompletion, ...]] = (VideoCompletion(),)

    # Data
    given: Count = data(4, "frames that are given", sets="given")
    made: Count = 8
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

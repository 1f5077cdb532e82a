"""What all games have: nets, a prior, and a way from latents to samples."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from sparring.games.prior import Prior


class Game(nn.Module, ABC):
    """Everything that players move and that lasts from step to step: nets and buffers.

    A checkpoint holds a game's whole state; a model is a game with its averaged weights.

    Attributes:
        averaged: names of the nets whose moving average is the model. The others are kept as the
            last step left them.
        together: whether `sampled` draws more for all samples at once, so that one depends on how many there are. The
            `sampled` and `truncated` of others draw nothing: what they make depends on their arguments alone.
        prior: what a sample is made from.
        classes: number of labels that sampling is conditioned on, 0 where it is not.
    """

    averaged: tuple[str, ...] = ("G",)
    together: bool = False
    prior: Prior
    classes: int = 0

    @property
    def conditional(self) -> bool:
        """Whether samples are made for labels."""
        return self.classes > 0

    def draw(self, n: int, device: torch.device, truncation: float | None = None, length: int | None = None) -> Tensor:
        """Latents of the prior, (n, width); see `Prior.draw`.

        Args:
            length: of the samples that they are for, where these may have any.
        """
        prior = self.prior if length is None else self.prior.stretched(length)
        return prior.draw(n, device, truncation)

    def watched(self) -> dict[str, Tensor]:
        """Numbers, 0-d, that somebody may want to follow: the state of what adapts itself."""
        return {}

    @abstractmethod
    def generate(self, z: Tensor, label: Tensor | None) -> Tensor:
        """Samples from latents (n, width) and, where the game is conditional, labels (n, ...)."""

    def sampled(self, z: Tensor, label: Tensor | None, asked: Tensor | None = None) -> Tensor:  # noqa: ARG002
        """Samples as a model hands them out; it may take more trouble than training can.

        Args:
            asked: which part of a label a user has asked for, negative where it is free; None for nothing.
        """
        return self.generate(z, label)

    def truncated(self, z: Tensor, label: Tensor | None, truncation: float) -> Tensor:  # noqa: ARG002
        """Typical samples from latents that were drawn with this truncation."""
        return self.generate(z, label)

"""What all games have: nets, a prior, and a way from latents to samples."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from sparring.data.tensors import VALUES, Tensors
from sparring.games.prior import Prior


class Game(nn.Module, ABC):
    """Everything that players move and that lasts from step to step: nets and buffers.

    A checkpoint holds a game's whole state; a model is a game with its averaged weights.

    Attributes:
        averaged: names of the nets whose moving average is the model. The others are kept as the
            last step left them.
        batch_dependent: True if `sample` draws further random numbers for the batch as a whole, so that a sample
            depends on how many are drawn together. `sample` and `sample_truncated` of other games draw nothing.
        prior: what a sample is made from.
        classes: number of labels that sampling is conditioned on, 0 where it is not.
    """

    averaged: tuple[str, ...] = ("G",)
    batch_dependent: bool = False
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

    def state_metrics(self) -> dict[str, Tensor]:
        """Numbers, 0-d, that somebody may want to follow: the state of what adapts itself."""
        return {}

    @abstractmethod
    def values(self, z: Tensor, condition: Tensor | None) -> Tensor:
        """The values of samples, (n, ...).

        Args:
            z: latents (n, width).
            condition: (n, ...), if the game is conditional.
        """

    def generate(self, z: Tensor, condition: Tensor | None) -> Tensors:
        """Samples as named tensors. A game whose samples have more parts than values overrides this."""
        return {VALUES: self.values(z, condition)}

    def sample(self, z: Tensor, condition: Tensor | None, requested: Tensor | None = None) -> Tensors:  # noqa: ARG002
        """Samples as a model returns them; may cost more than training could afford.

        Args:
            requested: the part of a condition that the user asked for, negative where it is free; None for nothing.
        """
        return self.generate(z, condition)

    def sample_truncated(self, z: Tensor, condition: Tensor | None, truncation: float) -> Tensors:  # noqa: ARG002
        """More typical samples, from latents that were drawn with this truncation."""
        return self.generate(z, condition)

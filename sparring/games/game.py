"""What all games have: nets, a prior, and a way from latents to samples."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn


class Game(nn.Module, ABC):
    """Everything that players move and that lasts from step to step: nets and buffers.

    A checkpoint holds a game's whole state; a model is a game with its averaged weights.

    Attributes:
        averaged: names of the nets whose moving average is the model. The others are kept as the
            last step left them.
        latents: length of the latent vector that a sample is made from.
        classes: number of labels that sampling is conditioned on, 0 where it is not.
    """

    averaged: tuple[str, ...] = ("G",)
    latents: int
    classes: int = 0

    def draw(self, n: int, device: torch.device, truncation: float | None = None) -> Tensor:
        """Latents of the prior, (n, latents), from the device's generator.

        Args:
            truncation: where given, normal latents are drawn within this many standard deviations:
                less variety for more typical samples (Brock et al. 2018, arXiv:1809.11096).
        """
        if truncation is None:
            return torch.randn(n, self.latents, device=device)
        z = torch.empty(n, self.latents, device=device)
        return nn.init.trunc_normal_(z, a=-truncation, b=truncation)

    def watched(self) -> dict[str, Tensor]:
        """Numbers, 0-d, that somebody may want to follow: the state of what adapts itself."""
        return {}

    @abstractmethod
    def generate(self, z: Tensor, label: Tensor | None) -> Tensor:
        """Samples from latents (n, latents) and, where the game has classes, labels (n,)."""

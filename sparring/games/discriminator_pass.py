"""D's inputs and outputs in one turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor

from sparring.losses.adversarial import Logits
from sparring.nets.discriminator import Discriminator

Side = Literal["D", "G"]


@dataclass(frozen=True)
class DiscriminatorOutput:
    """D's features (n, d) and logits of some samples."""

    features: Tensor
    logits: Logits


class DiscriminatorPass:
    """Real and generated samples of a turn with D's features and logits, each computed when it is first used.

    Losses and extra terms are functions of it.

    Attributes:
        net: the discriminator.
        turn: the player that moves. In D's turn, no gradient reaches G.
        z: latents of the generated samples, (n, width).
        condition: of real and generated samples, (n, ...), or None.
        observe: reports scalars, as `Round.observe` does.
    """

    def __init__(
        self,
        net: Discriminator,
        turn: Side,
        z: Tensor,
        condition: Tensor | None,
        real: Callable[[], Tensor],
        fake: Callable[[], Tensor],
        observe: Callable[..., None],
        inputs: bool = False,
        together: bool = False,
    ) -> None:
        """
        Args:
            real, fake: return samples (n, ...) as D sees them.
            inputs: True if logits will be differentiated with respect to D's input.
            together: True if both go through D in one pass, for speed.
        """
        self.net, self.turn, self.z, self.condition, self.observe = net, turn, z, condition, observe
        self._real, self._fake, self._inputs, self._together = real, fake, inputs, together

    def D(self, x: Tensor) -> Logits:
        """D's logits on other samples, with the same conditions."""
        return self.net(x, self.condition)  # type: ignore[no-any-return]

    @cached_property
    def real(self) -> Tensor:
        return self._real().detach().requires_grad_(self._inputs)

    @cached_property
    def fake(self) -> Tensor:
        x = self._fake()
        return x.detach().requires_grad_(self._inputs) if self.turn == "D" else x

    @cached_property
    def on_real(self) -> DiscriminatorOutput:
        return self._both[0] if self._together else discriminate(self.net, self.real, self.condition)

    @cached_property
    def on_fake(self) -> DiscriminatorOutput:
        return self._both[1] if self._together else discriminate(self.net, self.fake, self.condition)

    @cached_property
    def _both(self) -> tuple[DiscriminatorOutput, DiscriminatorOutput]:
        labels = None if self.condition is None else torch.cat([self.condition, self.condition])
        both = discriminate(self.net, torch.cat([self.real, self.fake]), labels)
        features = both.features.chunk(2)
        if isinstance(both.logits, Tensor):
            on_real, on_fake = both.logits.chunk(2)
            return DiscriminatorOutput(features[0], on_real), DiscriminatorOutput(features[1], on_fake)
        halves = [logits.chunk(2) for logits in both.logits]
        return DiscriminatorOutput(features[0], [h[0] for h in halves]), DiscriminatorOutput(
            features[1], [h[1] for h in halves]
        )


def discriminate(D: Discriminator, x: Tensor, condition: Tensor | None) -> DiscriminatorOutput:
    """D's features and logits of samples (n, ...)."""
    features = D.features(x, condition)
    return DiscriminatorOutput(features, D.judge(features, condition))

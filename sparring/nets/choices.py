"""What generators of rows and texts share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor, nn


class Choices(nn.Module, ABC):
    """A generator of values that are chosen from few, such as those of columns or tokens, with noise for each of them.

    Attributes:
        stage: its place among the generators of an item's parts; those of lower stages generate first.
    """

    stage: ClassVar[int]

    def drawn(self, z: Tensor) -> Tensor:
        """Latents (n, width) -> values (n, ...). Choices are learned by likelihood alone and have no gradient; numbers,
        of which `surprise` knows nothing, have one.
        """
        values: Tensor = self(z)
        return values.detach()

    @abstractmethod
    def surprise(self, z: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
        """Negative log likelihood of real items (n, ...) without the noise of latents, and the chosen values, (n, ...)
        each. It is 0 for numbers.
        """

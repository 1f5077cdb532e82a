"""The interface of all nets that transform a given item into another: images, recordings, spectrograms."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor, nn


class ItemToItem(nn.Module):
    """Given items (n, given, *sides) -> items (n, channels, *(times * side)).

    Attributes:
        times: factor by which the output is larger along each side.
        stride: sides of the input must be multiples of this.
        reach: distance along a side of the input beyond which the output depends on nothing; None if it depends on the
            whole item.
    """

    times: int = 1
    stride: int = 1
    reach: int | None

    @abstractmethod
    def padded(self, x: Tensor) -> Tensor:
        """The output for items whose sides may be no multiples of the stride."""

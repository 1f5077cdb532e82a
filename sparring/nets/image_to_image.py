"""The interface of all image-to-image nets."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from sparring.nets.item_to_item import ItemToItem


class ImageToImage(ItemToItem):
    """Given images (n, given, h, w) -> images (n, channels, times h, times w)."""

    def padded(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        margins = [-length % self.stride for length in (height, width)]
        if any(margins):
            x = F.pad(x, (0, margins[1], 0, margins[0]), mode="replicate")
        y: Tensor = self(x)
        return y[..., : height * self.times, : width * self.times]

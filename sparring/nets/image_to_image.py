"""The interface of all image-to-image nets."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F


class ImageToImage(nn.Module):
    """Given images (n, given, h, w) -> images (n, channels, times h, times w).

    Attributes:
        times: factor by which the output is larger.
        stride: sides of the input must be multiples of this.
        reach: distance in input pixels beyond which an output pixel depends on nothing; None if it depends on the whole
            image.
    """

    times: int = 1
    stride: int = 1
    reach: int | None

    def padded(self, x: Tensor) -> Tensor:
        """The output for images whose sides may be no multiples of the stride."""
        height, width = x.shape[-2:]
        margins = [-length % self.stride for length in (height, width)]
        if any(margins):
            x = F.pad(x, (0, margins[1], 0, margins[0]), mode="replicate")
        y: Tensor = self(x)
        return y[..., : height * self.times, : width * self.times]

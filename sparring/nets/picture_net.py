"""What all nets from pictures to pictures have."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F


class PictureNet(nn.Module):
    """Given pictures (n, given, h, w) -> pictures (n, channels, times h, times w).

    Attributes:
        times: how many times larger what it makes is.
        stride: its sides are multiples of this.
        reach: given pixels beyond which nothing changes an output; None where it looks at the whole picture.
    """

    times: int = 1
    stride: int = 1
    reach: int | None

    def padded(self, x: Tensor) -> Tensor:
        """What it makes of pictures whose sides are no multiples of its stride."""
        height, width = x.shape[-2:]
        more = [-length % self.stride for length in (height, width)]
        if any(more):
            x = F.pad(x, (0, more[1], 0, more[0]), mode="replicate")
        made: Tensor = self(x)
        return made[..., : height * self.times, : width * self.times]

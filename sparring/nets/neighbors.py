"""Restoration of films: G restores every frame from three degraded ones, and D sees three restored ones, as in TecoGAN.
Chu et al. 2018, arXiv:1811.09393.
"""

from __future__ import annotations

import torch
from torch import Tensor

from sparring.nets.image_to_image import ImageToImage

SEEN = 3  # neighboring frames that D sees together
GIVEN = SEEN + 2  # frames from which they are restored, each from itself and its neighbors


class Neighbors(ImageToImage):
    """Five degraded frames one after the other (n, 5 given, h, w) -> the three in the middle, restored
    (n, 3 channels, times h, times w).

    Args:
        restorer: three frames (n, 3 given, h, w), the one to restore first -> that frame (n, channels, times h,
            times w).
    """

    def __init__(self, restorer: ImageToImage) -> None:
        super().__init__()
        self.restorer = restorer
        self.times, self.stride, self.reach = restorer.times, restorer.stride, restorer.reach

    def forward(self, x: Tensor) -> Tensor:
        frames = x.chunk(GIVEN, 1)
        triples = [torch.cat([frames[i], frames[i - 1], frames[i + 1]], 1) for i in range(1, GIVEN - 1)]
        # One by one: a batch of three times as many frames would have a size that an exported graph cannot be free in.
        return torch.cat([self.restorer(triple) for triple in triples], 1)

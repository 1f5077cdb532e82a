"""A perceptual distance of images, as a loss: the distance of their feature maps in a fixed net trained on ImageNet.

Johnson et al. 2016, arXiv:1603.08155, and Ledig et al. 2016, arXiv:1609.04802, compare maps of VGG. Zhang et al. 2018,
arXiv:1801.03924, eq. 1, normalize the channels at each position and average over several layers, which agrees better
with human judgment; here without their learned weights of channels. The net is EfficientNet-Lite0
(`efficientnet_lite`), its maps are those of four resolutions, before any activation, as in Wang et al. 2018,
arXiv:1809.00219, section 3.2. The net has no weights to train, is no part of a game, and is not stored in a model.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from sparring.nets import efficientnet_lite
from sparring.nets.pretrained import as_rgb

TAPS = (0, 1, 2, 4)  # stages of the net; their maps have a half to a sixteenth of the resolution
STRIDE = 16  # of the last of them: sides are padded to a multiple of this
CROP = 64  # pixels of a side: of larger images, a random crop of this size is compared, so that the cost is bounded
EPSILON = 1e-6  # added to the squared length of the channels at a position


def maps(x: Tensor) -> list[Tensor]:
    """Images (n, channels, h, w) in [-1, 1] -> maps (n, c, h / 2, w / 2) to (n, c, h / 16, w / 16), rounded up. The
    channels at each position have length 1. Gray is repeated in three channels; alpha is blended with white.

    Raises:
        InputError: if the weights of the net are not installed.
    """
    h, w = x.shape[-2:]
    x = F.pad(as_rgb(x.float()), (0, -w % STRIDE, 0, -h % STRIDE), mode="replicate")
    found = efficientnet_lite.load(x.device).maps(x, TAPS)
    return [m.float() * (m.float().square().sum(1, keepdim=True) + EPSILON).rsqrt() for m in found]


def distance(fake: Tensor, real: Tensor) -> Tensor:
    """The distance of each pair of images, (n,): 0 if they are equal, about 0.5 for a photograph that was reduced to a
    quarter of its sides and enlarged again, 2 for unrelated images. Differentiable with respect to `fake` only.

    Args:
        fake, real: images (n, channels, h, w) in [-1, 1], of any size.

    Raises:
        InputError: if the weights of the net are not installed.
    """
    with torch.no_grad():
        wanted = maps(real)
    return compared(maps(fake), wanted)


def compared(fake: Sequence[Tensor], real: Sequence[Tensor]) -> Tensor:
    """The distance of each pair of images whose `maps` are given, (n,)."""
    scales = [(a - b).square().sum(1).mean((1, 2)) for a, b in zip(fake, real, strict=True)]
    return torch.stack(scales).mean(0)


def crop(*images: Tensor) -> list[Tensor]:
    """The same random crop of CROP x CROP pixels of several batches of images (n, channels, h, w) of one size; smaller
    sides are kept. The position is drawn on the device.
    """
    for dim in (-2, -1):
        side = images[0].shape[dim]
        if side > CROP:
            start = torch.randint(side - CROP + 1, (1,), device=images[0].device)
            rows = start + torch.arange(CROP, device=images[0].device)
            images = tuple(x.index_select(dim, rows) for x in images)
    return list(images)

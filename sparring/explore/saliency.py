"""What a discriminator looks at in an image: by gradient, by occlusion, and patch by patch."""

from __future__ import annotations

import torch
from torch import Tensor

from sparring.explore.layers import frozen
from sparring.nets.discriminator import Discriminator
from sparring.nets.packed import logits, score

NOISE = 0.1  # standard deviation of the noise that is added to images, whose values are in [-1, 1]
NOISE_DRAWS = 8
SQUARES = 8  # a covered square has this fraction of an image's shorter side


def gradient(D: Discriminator, x: Tensor, condition: Tensor | None = None) -> Tensor:
    """Absolute gradient of D's logit with respect to each pixel of x (n, c, h, w), summed over channels: (n, h, w).
    Simonyan et al. 2013, arXiv:1312.6034; as the mean over slightly noisy copies, Smilkov et al. 2017,
    arXiv:1706.03825.

    Args:
        condition: that D judges the images with, (n, ...).
    """
    generator = torch.Generator().manual_seed(0)
    total = torch.zeros_like(x)
    with frozen(D), torch.enable_grad():
        for _ in range(NOISE_DRAWS):
            noisy = (x + NOISE * torch.randn(x.shape, generator=generator).to(x)).requires_grad_()
            (slope,) = torch.autograd.grad(score(logits(D, noisy, condition)).sum(), noisy)
            total += slope.abs() / NOISE_DRAWS
    return total.sum(1)


@torch.no_grad()
def occlusion(D: Discriminator, x: Tensor, condition: Tensor | None = None) -> Tensor:
    """How far D's logit falls if a square around a pixel of images (n, c, h, w) is covered by the image's mean color:
    (n, h, w), positive where the content makes the image more real to D. It is the mean over all squares that cover the
    pixel; their side is an eighth of the image's. Zeiler and Fergus 2013, arXiv:1311.2901.

    Args:
        condition: that D judges the images with, (n, ...).
    """
    height, width = x.shape[2:]
    side = max(1, round(min(height, width) / SQUARES))
    color = x.mean((2, 3), keepdim=True)
    whole = score(logits(D, x, condition))
    fall, covers = torch.zeros_like(x[:, 0]), torch.zeros_like(x[0, 0])
    for top in _offsets(height, side):
        for left in _offsets(width, side):
            rows, columns = slice(top, top + side), slice(left, left + side)
            hidden = x.clone()
            hidden[:, :, rows, columns] = color
            fall[:, rows, columns] += (whole - score(logits(D, hidden, condition)))[:, None, None]
            covers[rows, columns] += 1
    return fall / covers


@torch.no_grad()
def patches(D: Discriminator, x: Tensor, condition: Tensor | None = None) -> Tensor | None:
    """D's logits of the patches of images (n, c, h, w), (n, rows, columns); None if it has one for the whole image."""
    output = logits(D, x, condition)
    first = output if isinstance(output, Tensor) else output[0]
    if first.ndim < 3 or first[0].numel() < 2:
        return None
    return first.float() if first.ndim == 3 else first.float().mean(1)


def _offsets(length: int, side: int) -> list[int]:
    """Where squares begin: they overlap by half, and the last one ends at the edge."""
    return sorted({*range(0, length - side + 1, max(1, side // 2)), length - side})

"""Trivial baselines of restored images, which a net must exceed.

Each takes degraded images (n, c, h, w) in [-1, 1] and returns restored ones in [-1, 1].
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage, sparse
from scipy.sparse.linalg import splu
from torch import Tensor
from torch.nn import functional as F

from sparring.layers.degrade import Chain, pixels

Restorer = Callable[[Tensor], Tensor]


def identity(x: Tensor) -> Tensor:
    """Images as they are."""
    return x


def bicubic(x: Tensor, times: int) -> Tensor:
    """Images enlarged to (n, c, times h, times w). Keys 1981, doi:10.1109/TASSP.1981.1163711, with a = -0.5 as in PIL
    and in MATLAB. Without `antialias`, which has no other effect on an enlargement, PyTorch uses a = -0.75.
    """
    size = (x.shape[-2] * times, x.shape[-1] * times)
    return F.interpolate(x, size, mode="bicubic", antialias=True).clamp(-1, 1)


def median(x: Tensor, size: int = 3) -> Tensor:
    """Median of the square of `size` x `size` pixels around each pixel."""
    return torch.from_numpy(ndimage.median_filter(x.cpu().numpy(), (1, 1, size, size))).to(x.device)


def diffused(x: Tensor) -> Tensor:
    """Holes filled as smoothly as possible: by the solution of Laplace's equation with the pixels around a hole as its
    boundary, and no flow across the border of the image.

    Args:
        x: (n, c + 1, h, w); the last channel is above 0 in holes.

    Returns:
        (n, c, h, w); pixels outside of holes are unchanged. An image that is all hole becomes 0.
    """
    filled = [_filled(image[:-1], image[-1] > 0) for image in x.cpu().numpy()]
    return torch.from_numpy(np.stack(filled)).to(x.device)


def _filled(image: NDArray[np.float32], hole: NDArray[np.bool_]) -> NDArray[np.float32]:
    """An image (c, h, w) with its hole (h, w) filled."""
    filled = np.where(hole, np.float32(0), image)
    if hole.all() or not hole.any():
        return filled
    differences = _differences(*hole.shape)
    inside, outside = np.flatnonzero(hole), np.flatnonzero(~hole)
    laplacian = (differences.T @ differences).tocsr()[inside]
    boundary = filled.reshape(len(filled), -1)[:, outside].astype(np.float64)
    solution = splu(laplacian[:, inside].tocsc()).solve(-(laplacian[:, outside] @ boundary.T))
    filled[:, hole] = solution.T.clip(-1, 1)
    return filled


def _differences(h: int, w: int) -> sparse.csr_array:
    """Operator that computes the difference of each pixel from its neighbors below and to the right, (pairs, h w)."""
    down, right = (sparse.diags_array([-1.0, 1.0], offsets=[0, 1], shape=(side - 1, side)) for side in (h, w))
    return sparse.vstack([sparse.kron(down, sparse.eye_array(w)), sparse.kron(sparse.eye_array(h), right)]).tocsr()


def thresholded(x: Tensor) -> Tensor:
    """Black and white images, (n, 1, h, w): the luma of each image above the threshold that maximizes the variance
    between the two groups of pixels. Otsu 1979, doi:10.1109/TSMC.1979.4310076. Images of one gray level become black.
    """
    levels = ((pixels.grayscale(x) + 1) / pixels.LEVEL).round().long()
    index = levels.flatten(1)
    counts = torch.zeros(len(x), 256, device=x.device).scatter_add_(1, index, torch.ones_like(index).float())
    shares = counts / counts.sum(1, keepdim=True)
    below, lightness = shares.cumsum(1), (shares * torch.arange(256, device=x.device)).cumsum(1)
    between = (lightness[:, -1:] * below - lightness).square() / (below * (1 - below)).clamp(min=1e-6)
    threshold = torch.maximum(between.argmax(1), index.amin(1))
    return (levels > threshold.view(-1, 1, 1, 1)).float() * 2 - 1


def restorer(chain: Chain, channels: int) -> tuple[str, Restorer]:
    """The baseline for a chain of degradations.

    Args:
        channels: of clean images.

    Returns:
        Its name, and a function that returns images with these channels and the size of the clean ones.
    """
    steps: list[tuple[str, Restorer]] = []
    if chain.masks:
        steps.append(("diffusion", diffused))
    if chain.times > 1:
        steps.append(("bicubic", partial(bicubic, times=chain.times)))
    names = {step.name for step in chain.steps}
    if not steps and "edges" not in names and names - {"grey"}:
        steps.append(("median", median))

    def restore(x: Tensor) -> Tensor:
        for _, step in steps:
            x = step(x)
        return x.expand(-1, channels, -1, -1)

    return " and ".join(name for name, _ in steps) or ("gray" if "grey" in names else "identity"), restore

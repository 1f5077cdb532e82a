"""Trivial baselines of restored pictures, which a net must beat: anybody's first attempt.

Each takes degraded pictures (n, c, h, w) in [-1, 1] and gives restored ones in [-1, 1].
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
    """Pictures as they are."""
    return x


def bicubic(x: Tensor, times: int) -> Tensor:
    """Pictures so many times larger, (n, c, times h, times w). Keys 1981, doi:10.1109/TASSP.1981.1163711, with
    a = -0.5 as in PIL and in MATLAB; without `antialias`, which changes nothing else of an enlargement, PyTorch has
    a = -0.75.
    """
    size = (x.shape[-2] * times, x.shape[-1] * times)
    return F.interpolate(x, size, mode="bicubic", antialias=True).clamp(-1, 1)


def median(x: Tensor, size: int = 3) -> Tensor:
    """Of the pixels in a square about each, `size` on a side."""
    return torch.from_numpy(ndimage.median_filter(x.cpu().numpy(), (1, 1, size, size))).to(x.device)


def diffused(x: Tensor) -> Tensor:
    """Holes filled as smoothly as can be: by the solution of Laplace's equation with the pixels about a hole as its
    border, and no flow across the picture's own.

    Args:
        x: (n, c + 1, h, w); the last channel is above 0 in holes.

    Returns:
        (n, c, h, w); pixels outside holes are as they were. A picture that is one hole becomes 0.
    """
    filled = [_filled(picture[:-1], picture[-1] > 0) for picture in x.cpu().numpy()]
    return torch.from_numpy(np.stack(filled)).to(x.device)


def _filled(picture: NDArray[np.float32], hole: NDArray[np.bool_]) -> NDArray[np.float32]:
    """A picture (c, h, w) without its hole (h, w)."""
    made = np.where(hole, np.float32(0), picture)
    if hole.all() or not hole.any():
        return made
    differences = _differences(*hole.shape)
    inside, outside = np.flatnonzero(hole), np.flatnonzero(~hole)
    laplacian = (differences.T @ differences).tocsr()[inside]
    known = made.reshape(len(made), -1)[:, outside].astype(np.float64)
    found = splu(laplacian[:, inside].tocsc()).solve(-(laplacian[:, outside] @ known.T))
    made[:, hole] = found.T.clip(-1, 1)
    return made


def _differences(h: int, w: int) -> sparse.csr_array:
    """Of every pixel from its neighbours below and to the right, (pairs, h w)."""
    down, right = (sparse.diags_array([-1.0, 1.0], offsets=[0, 1], shape=(side - 1, side)) for side in (h, w))
    return sparse.vstack([sparse.kron(down, sparse.eye_array(w)), sparse.kron(sparse.eye_array(h), right)]).tocsr()


def thresholded(x: Tensor) -> Tensor:
    """Black and white, (n, 1, h, w): each picture's luma above the threshold that parts its pixels into the two groups
    whose means are farthest apart for their sizes. Otsu 1979, doi:10.1109/TSMC.1979.4310076. Pictures of one grey are
    black.
    """
    levels = ((pixels.grey(x) + 1) / pixels.LEVEL).round().long()
    places = levels.flatten(1)
    counts = torch.zeros(len(x), 256, device=x.device).scatter_add_(1, places, torch.ones_like(places).float())
    shares = counts / counts.sum(1, keepdim=True)
    below, lightness = shares.cumsum(1), (shares * torch.arange(256, device=x.device)).cumsum(1)
    between = (lightness[:, -1:] * below - lightness).square() / (below * (1 - below)).clamp(min=1e-6)
    threshold = torch.maximum(between.argmax(1), places.amin(1))
    return (levels > threshold.view(-1, 1, 1, 1)).float() * 2 - 1


def restorer(chain: Chain, channels: int) -> tuple[str, Restorer]:
    """What to hold a net against that undoes a chain of degradations.

    Args:
        channels: of clean pictures.

    Returns:
        Its name, and what makes pictures of so many channels and of the clean ones' size.
    """
    steps: list[tuple[str, Restorer]] = []
    if chain.masks:
        steps.append(("diffusion", diffused))
    if chain.times > 1:
        steps.append(("bicubic", partial(bicubic, times=chain.times)))
    names = {step.name for step in chain.steps}
    if not steps and "edges" not in names and names - {"grey"}:
        steps.append(("median", median))

    def restored(x: Tensor) -> Tensor:
        for _, step in steps:
            x = step(x)
        return x.expand(-1, channels, -1, -1)

    return " and ".join(name for name, _ in steps) or ("grey" if "grey" in names else "identity"), restored

"""How near pictures are to those they should be.

Pictures are (n, c, h, w) in [0, 255], float32, unless said.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from sparring.errors import InputError

WHITE = 255.0
WINDOW, DEVIATION = 11, 1.5  # pixels
K1, K2 = 0.01, 0.03
ROUNDING = 1 / 12  # variance of an error between -1/2 and 1/2, that rounding to grey levels makes


def psnr(made: Tensor, true: Tensor) -> Tensor:
    """The peak signal-to-noise ratio of each picture in decibels, (n,); infinite where both are equal."""
    errors = (made - true).square().flatten(1).mean(1)
    return 10 * (WHITE**2 / errors).log10()


def ssim(made: Tensor, true: Tensor) -> Tensor:
    """The structural similarity of each picture, (n,), at most 1. Wang et al. 2004, doi:10.1109/TIP.2003.819861: under
    a Gaussian window of 11 x 11 pixels with deviation 1.5, where it lies in the picture whole; the mean over places and
    channels.

    Raises:
        InputError: where sides are less than 11 pixels.
    """
    h, w = made.shape[-2:]
    if min(h, w) < WINDOW:
        raise InputError(f"SSIM is not defined for pictures of {w} x {h} pixels; give it sides of at least {WINDOW}")
    half = WHITE / 2  # variances of numbers about 0 lose fewer digits
    a, b = made - half, true - half
    mean_a, mean_b, aa, bb, ab = (_windowed(x) for x in (a, b, a * a, b * b, a * b))
    variances, covariance = aa + bb - mean_a.square() - mean_b.square(), ab - mean_a * mean_b
    mean_a, mean_b = mean_a + half, mean_b + half
    light = (2 * mean_a * mean_b + (K1 * WHITE) ** 2) / (mean_a.square() + mean_b.square() + (K1 * WHITE) ** 2)
    structure = (2 * covariance + (K2 * WHITE) ** 2) / (variances + (K2 * WHITE) ** 2)
    return (light * structure).flatten(1).mean(1)


def _windowed(x: Tensor) -> Tensor:
    """Weighted means about every pixel, (n, c, h - 10, w - 10)."""
    places = torch.arange(WINDOW, device=x.device, dtype=x.dtype) - WINDOW // 2
    weights = (-0.5 * (places / DEVIATION).square()).softmax(0)
    kernels = weights.expand(x.shape[1], 1, 1, WINDOW)
    return F.conv2d(F.conv2d(x, kernels, groups=x.shape[1]), kernels.mT, groups=x.shape[1])


def luma(x: Tensor) -> Tensor:
    """Brightness (n, 1, h, w) in [16, 235] of pictures of 1 or 3 channels, as papers on super-resolution judge it:
    ITU-R BT.601, Y' of Y'CbCr in 8 bits.
    """
    red, green, blue = x.expand(-1, 3, -1, -1).unbind(1)
    return ((65.481 * red + 128.553 * green + 24.966 * blue) / WHITE + 16)[:, None]


def cropped(x: Tensor, border: int) -> Tensor:
    """Without so many pixels on every side, that a net which enlarges pictures knows less about."""
    return x[..., border : x.shape[-2] - border, border : x.shape[-1] - border]


def spectrum(x: Tensor) -> Tensor:
    """The radially averaged power spectrum of each picture, (n, bins), as log10 of squared grey levels. Durall et al.
    2020, arXiv:2003.01826, here under a Hann window, without which the borders' contrast would look like detail.

    There is a bin for every cycle along the shorter side, up to the corner of the spectrum (half a cycle a pixel both
    ways), so that a chequerboard is seen; the mean brightness is left out. White noise of variance v is log10(v) in all
    bins. To the power is added that of rounding to grey levels, below which nothing is to be told.
    """
    h, w = x.shape[-2:]
    window = _hann(h, x)[:, None] * _hann(w, x)
    contrast = x - x.mean((2, 3), keepdim=True)
    power = torch.fft.fft2(contrast * window).abs().square().mean(1) / window.square().sum()  # (n, h, w)
    bins = _radii(h, w, x.device).flatten()
    sums = power.new_zeros(len(x), int(bins.max()) + 1).index_add_(1, bins, power.flatten(1))
    means: Tensor = sums / torch.bincount(bins)
    return (means + ROUNDING).log10()[:, 1:]


def _hann(side: int, x: Tensor) -> Tensor:
    """Above 0 at all of so many pixels, (side,)."""
    middles = torch.arange(side, device=x.device, dtype=x.dtype) + 0.5
    return (middles * (math.pi / side)).sin().square()


def _radii(h: int, w: int, device: torch.device) -> Tensor:
    """Cycles along the shorter side, rounded, (h, w)."""
    down, right = (torch.fft.fftfreq(side, device=device) * min(h, w) for side in (h, w))
    return torch.hypot(down[:, None], right[None]).round().long()


def spectrum_distance(made: Tensor, true: Tensor) -> float:
    """How far the spectra of pictures are from those of others, in decades of power: the mean of the absolute
    differences over bins and pictures. 0 where both are equal; details too many raise it as do details too few.
    """
    return float((spectrum(made) - spectrum(true)).abs().mean())


def iou(made: Tensor, true: Tensor) -> Tensor:
    """Intersection over union of masks (n, ...), bool: (n,) in [0, 1]; 1 where both are empty. Jaccard 1912,
    doi:10.1111/j.1469-8137.1912.tb05611.x.
    """
    both, either = ((made & true).flatten(1).sum(1), (made | true).flatten(1).sum(1))
    return torch.where(either > 0, both / either.clamp(min=1), 1.0)


def flicker(frames: Tensor, still: Tensor) -> float:
    """How much a video changes where what it was made from does not: the mean absolute difference of successive frames
    in grey levels; NaN where nothing is still.

    Args:
        frames: (t, c, h, w) in [0, 255].
        still: where nothing moves from one frame to the next, (t - 1, 1, h, w), bool.
    """
    changes = (frames[1:] - frames[:-1]).abs().mean(1, keepdim=True)
    return float(changes[still].mean())

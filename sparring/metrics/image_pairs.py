"""Metrics of generated images whose true result is known.

Images are float32 (n, c, h, w) in [0, 255], unless stated otherwise.
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
ROUNDING = 1 / 12  # variance of the error of rounding to gray levels, uniform in [-1/2, 1/2]


def psnr(generated: Tensor, true: Tensor) -> Tensor:
    """Peak signal-to-noise ratio of each image in decibels, (n,); infinite for equal images."""
    errors = (generated - true).square().flatten(1).mean(1)
    return 10 * (WHITE**2 / errors).log10()


def ssim(generated: Tensor, true: Tensor) -> Tensor:
    """Structural similarity of each image, (n,), at most 1. Wang et al. 2004, doi:10.1109/TIP.2003.819861: with a
    Gaussian window of 11 x 11 pixels and standard deviation 1.5, at all positions where it lies inside the image; mean
    over positions and channels.

    Raises:
        InputError: if a side has fewer than 11 pixels.
    """
    h, w = generated.shape[-2:]
    if min(h, w) < WINDOW:
        raise InputError(
            f"SSIM is not defined for images of {w} x {h} pixels; use images of at least {WINDOW} x {WINDOW}"
        )
    half = WHITE / 2  # values around 0 lose fewer digits in variances
    a, b = generated - half, true - half
    mean_a, mean_b, aa, bb, ab = (_windowed(x) for x in (a, b, a * a, b * b, a * b))
    variances, covariance = aa + bb - mean_a.square() - mean_b.square(), ab - mean_a * mean_b
    mean_a, mean_b = mean_a + half, mean_b + half
    light = (2 * mean_a * mean_b + (K1 * WHITE) ** 2) / (mean_a.square() + mean_b.square() + (K1 * WHITE) ** 2)
    structure = (2 * covariance + (K2 * WHITE) ** 2) / (variances + (K2 * WHITE) ** 2)
    return (light * structure).flatten(1).mean(1)


def _windowed(x: Tensor) -> Tensor:
    """Weighted means around every pixel, (n, c, h - 10, w - 10)."""
    positions = torch.arange(WINDOW, device=x.device, dtype=x.dtype) - WINDOW // 2
    weights = (-0.5 * (positions / DEVIATION).square()).softmax(0)
    kernels = weights.expand(x.shape[1], 1, 1, WINDOW)
    return F.conv2d(F.conv2d(x, kernels, groups=x.shape[1]), kernels.mT, groups=x.shape[1])


def luma(x: Tensor) -> Tensor:
    """Luma (n, 1, h, w) in [16, 235] of images with 1 or 3 channels, as papers on super-resolution evaluate it: ITU-R
    BT.601, Y' of Y'CbCr in 8 bits.
    """
    red, green, blue = x.expand(-1, 3, -1, -1).unbind(1)
    return ((65.481 * red + 128.553 * green + 24.966 * blue) / WHITE + 16)[:, None]


def cropped(x: Tensor, border: int) -> Tensor:
    """Images without a border, where a network that enlarges images has less context.

    Args:
        border: pixels that are removed on every side.
    """
    return x[..., border : x.shape[-2] - border, border : x.shape[-1] - border]


def spectrum(x: Tensor) -> Tensor:
    """Radially averaged power spectrum of each image, (n, bins), as log10 of squared gray levels. Durall et al. 2020,
    arXiv:2003.01826, here with a Hann window, without which the contrast between opposite borders would look like
    detail.

    There is one bin per cycle along the shorter side, up to the corner of the spectrum (half a cycle per pixel in both
    directions), so that a checkerboard is included. The mean brightness is not. White noise of variance v is log10(v)
    in all bins. The power of rounding to gray levels is added, because nothing below it can be measured.
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
    """Window (side,), above 0 at every pixel."""
    centers = torch.arange(side, device=x.device, dtype=x.dtype) + 0.5
    return (centers * (math.pi / side)).sin().square()


def _radii(h: int, w: int, device: torch.device) -> Tensor:
    """Cycles along the shorter side, rounded, (h, w)."""
    vertical, horizontal = (torch.fft.fftfreq(side, device=device) * min(h, w) for side in (h, w))
    return torch.hypot(vertical[:, None], horizontal[None]).round().long()


def spectrum_distance(generated: Tensor, true: Tensor) -> float:
    """Mean absolute difference of the spectra over bins and images, in decades of power; 0 for equal images. Both too
    much and too little detail increase it.
    """
    return float((spectrum(generated) - spectrum(true)).abs().mean())


def iou(generated: Tensor, true: Tensor) -> Tensor:
    """Intersection over union of bool masks (n, ...): (n,) in [0, 1]; 1 if both are empty. Jaccard 1912,
    doi:10.1111/j.1469-8137.1912.tb05611.x.
    """
    both, either = (generated & true).flatten(1).sum(1), (generated | true).flatten(1).sum(1)
    return torch.where(either > 0, both / either.clamp(min=1), 1.0)


def flicker(frames: Tensor, still: Tensor) -> float:
    """Mean absolute difference of successive frames of a generated video in gray levels, at the pixels where the given
    video does not change; NaN if there are none.

    Args:
        frames: (t, c, h, w) in [0, 255].
        still: True where the given video does not change from one frame to the next, bool (t - 1, 1, h, w).
    """
    changes = (frames[1:] - frames[:-1]).abs().mean(1, keepdim=True)
    return float(changes[still].mean())

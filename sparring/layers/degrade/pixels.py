"""Degradations that keep what a picture shows: (n, c, h, w) in [-1, 1], c 1 or 3, each picture by its own draw.

What comes out may go beyond [-1, 1]; a chain cuts it.
"""

from __future__ import annotations

import io
import math

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

LEVEL = 2 / 255  # one of 256 grey levels
PHOTONS = 1000  # of a white pixel under a full dose
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
STRONG = 0.25  # of the greatest gradient, from which on there is an edge
FAINT = 6 * LEVEL  # Sobel's gradient between steps of one grey level and of two
REACH = 4  # deviations of a Gaussian after which it is 0


def rounded(x: Tensor) -> Tensor:
    """The nearest of 256 grey levels, as a file has."""
    return ((x + 1) / LEVEL).round() * LEVEL - 1


def drawn(x: Tensor, low: float, high: float) -> Tensor:
    """A number in [low, high] for each picture, (n, 1, 1, 1)."""
    return low + (high - low) * torch.rand(len(x), 1, 1, 1, device=x.device)


def smaller(x: Tensor, times: int) -> Tensor:
    """Bicubic with antialiasing, Keys 1981, doi:10.1109/TASSP.1981.1163711, with a = -0.5 as in PIL and in MATLAB."""
    size = (x.shape[-2] // times, x.shape[-1] // times)
    return F.interpolate(x, size, mode="bicubic", antialias=True)


def noisy(x: Tensor, low: float, high: float) -> Tensor:
    """Gaussian noise of a deviation in grey levels."""
    return x + drawn(x, low, high) * LEVEL * torch.randn_like(x)


def blurred(x: Tensor, low: float, high: float) -> Tensor:
    """Gaussian blur of a deviation in pixels, pictures mirrored about their outermost pixels."""
    n, c, h, w = x.shape
    radius = math.ceil(REACH * high)  # of the widest, so that it is known without looking at what is drawn
    places = torch.arange(-radius, radius + 1, device=x.device)
    deviations = drawn(x, low, high).clamp(min=0.05).view(n, 1)  # less than this reaches no other pixel
    kernels = (-0.5 * (places / deviations).square()).softmax(1).repeat_interleave(c, 0)  # (n c, 2 radius + 1)
    rows, columns = (_mirrored(side, radius, x.device) for side in (h, w))
    x = x[:, :, rows[:, None], columns].view(1, n * c, h + 2 * radius, w + 2 * radius)
    x = F.conv2d(x, kernels[:, None, :, None], groups=n * c)
    return F.conv2d(x, kernels[:, None, None, :], groups=n * c).view(n, c, h, w)


def _mirrored(side: int, margin: int, device: torch.device) -> Tensor:
    """Which row to take for each of a padded picture, however small: (side + 2 margin,)."""
    turns = torch.arange(-margin, side + margin, device=device) % max(1, 2 * (side - 1))
    return side - 1 - (turns - (side - 1)).abs()


def exposed(x: Tensor, low: float, high: float) -> Tensor:
    """Few photons, whose number is a Poisson variable: PHOTONS times the dose times the brightness in [0, 1]."""
    photons = PHOTONS * drawn(x, low, high)
    expected = photons * ((x + 1) / 2).clamp(min=0)
    if x.device.type == "mps":  # has no Poisson variables (pytorch/pytorch#102852)
        return torch.poisson(expected.cpu()).to(x.device) / photons * 2 - 1
    return torch.poisson(expected) / photons * 2 - 1


def compressed(x: Tensor, low: float, high: float) -> Tensor:
    """JPEG of a quality that is a whole number, with chroma subsampled 4:2:0, by PIL on the CPU."""
    qualities = drawn(x, low, high).flatten().round().int().tolist()
    levels = ((x.detach() + 1) / LEVEL).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
    decoded = [_decoded(picture, quality) for picture, quality in zip(levels, qualities, strict=True)]
    return torch.stack(decoded).to(x.device).permute(0, 3, 1, 2).float() * LEVEL - 1


def _decoded(picture: np.ndarray, quality: int) -> Tensor:
    file = io.BytesIO()
    shown = picture[..., 0] if picture.shape[-1] == 1 else picture
    Image.fromarray(shown).save(file, "JPEG", quality=quality, subsampling="4:2:0")
    return torch.from_numpy(np.array(Image.open(file)).reshape(picture.shape))


def grey(x: Tensor) -> Tensor:
    """Luma, (n, 1, h, w)."""
    if x.shape[1] == 1:
        return x
    red, green, blue = x.unbind(1)
    return (LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue)[:, None]


def edges(x: Tensor) -> Tensor:
    """White where the gradient of luma, by Sobel's operator, is above a quarter of the picture's greatest, black
    elsewhere: (n, 1, h, w). A step of one grey level is no edge, so that flat pictures have none.
    """
    padded = F.pad(grey(x), (1, 1, 1, 1), mode="replicate")
    strengths = torch.hypot(_slope(padded), _slope(padded.mT).mT)
    found = strengths > (STRONG * strengths.amax((2, 3), keepdim=True)).clamp(min=FAINT)
    return found.float() * 2 - 1


def _slope(x: Tensor) -> Tensor:
    """Sobel's difference from left to right, (n, 1, h, w) of (n, 1, h + 2, w + 2)."""
    smooth = x[..., :-2, :] + 2 * x[..., 1:-1, :] + x[..., 2:, :]
    return smooth[..., 2:] - smooth[..., :-2]

"""Degradations of pixel values: (n, c, h, w) in [-1, 1], c 1 or 3, each image with its own random draw.

Results may exceed [-1, 1]; a chain clamps them.
"""

from __future__ import annotations

import io
import math

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

LEVEL = 2 / 255  # distance of two of 256 levels
FULL_DOSE = 1000  # photons per white pixel
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
EDGE_SHARE = 0.25  # smallest gradient of an edge, as a share of the image's largest gradient
MIN_EDGE = 6 * LEVEL  # smallest gradient of an edge: between Sobel's values for steps of one level and of two
KERNEL_RADIUS = 4  # of a Gaussian, in standard deviations


def quantize(x: Tensor) -> Tensor:
    """The nearest of 256 levels, as in a file."""
    return ((x + 1) / LEVEL).round() * LEVEL - 1


def uniform(x: Tensor, low: float, high: float) -> Tensor:
    """A number in [low, high] for each image, (n, 1, 1, 1)."""
    return low + (high - low) * torch.rand(len(x), 1, 1, 1, device=x.device)


def downscale(x: Tensor, times: int) -> Tensor:
    """Bicubic with antialiasing, Keys 1981, doi:10.1109/TASSP.1981.1163711, with a = -0.5 as in PIL and in MATLAB."""
    size = (x.shape[-2] // times, x.shape[-1] // times)
    return F.interpolate(x, size, mode="bicubic", antialias=True)


def add_noise(x: Tensor, low: float, high: float) -> Tensor:
    """Gaussian noise; its standard deviation is given in levels."""
    return x + uniform(x, low, high) * LEVEL * torch.randn_like(x)


def blur(x: Tensor, low: float, high: float) -> Tensor:
    """Gaussian blur; its standard deviation is given in pixels. Images are reflected at their outermost pixels."""
    n, c, h, w = x.shape
    radius = math.ceil(KERNEL_RADIUS * high)  # of the widest kernel, so that it does not depend on the random draw
    positions = torch.arange(-radius, radius + 1, device=x.device)
    deviations = uniform(x, low, high).clamp(min=0.05).view(n, 1)  # a smaller one reaches no other pixel
    kernels = (-0.5 * (positions / deviations).square()).softmax(1).repeat_interleave(c, 0)  # (n c, 2 radius + 1)
    rows, columns = (_reflected(side, radius, x.device) for side in (h, w))
    x = x[:, :, rows[:, None], columns].view(1, n * c, h + 2 * radius, w + 2 * radius)
    x = F.conv2d(x, kernels[:, None, :, None], groups=n * c)
    return F.conv2d(x, kernels[:, None, None, :], groups=n * c).view(n, c, h, w)


def _reflected(side: int, margin: int, device: torch.device) -> Tensor:
    """Index of the row that each row of a padded image copies, for images of any size: (side + 2 margin,)."""
    positions = torch.arange(-margin, side + margin, device=device) % max(1, 2 * (side - 1))
    return side - 1 - (positions - (side - 1)).abs()


def reduce_dose(x: Tensor, low: float, high: float) -> Tensor:
    """Photon noise: the number of photons is Poisson distributed with mean FULL_DOSE x dose x brightness in [0, 1]."""
    photons = FULL_DOSE * uniform(x, low, high)
    expected = photons * ((x + 1) / 2).clamp(min=0)
    if x.device.type == "mps":  # has no Poisson sampling (pytorch/pytorch#102852)
        return torch.poisson(expected.cpu()).to(x.device) / photons * 2 - 1
    return torch.poisson(expected) / photons * 2 - 1


def compress(x: Tensor, low: float, high: float) -> Tensor:
    """JPEG of integer quality, with 4:2:0 chroma subsampling, by PIL on the CPU."""
    qualities = uniform(x, low, high).flatten().round().int().tolist()
    levels = ((x.detach() + 1) / LEVEL).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
    decoded = [_jpeg(image, quality) for image, quality in zip(levels, qualities, strict=True)]
    return torch.stack(decoded).to(x.device).permute(0, 3, 1, 2).float() * LEVEL - 1


def _jpeg(image: np.ndarray, quality: int) -> Tensor:
    file = io.BytesIO()
    array = image[..., 0] if image.shape[-1] == 1 else image
    Image.fromarray(array).save(file, "JPEG", quality=quality, subsampling="4:2:0")
    return torch.from_numpy(np.array(Image.open(file)).reshape(image.shape))


def grayscale(x: Tensor) -> Tensor:
    """Luma, (n, 1, h, w)."""
    if x.shape[1] == 1:
        return x
    red, green, blue = x.unbind(1)
    return (LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue)[:, None]


def edges(x: Tensor) -> Tensor:
    """White where Sobel's gradient of luma exceeds a quarter of the image's largest one, black elsewhere: (n, 1, h, w).
    A step of one level is not an edge, so that flat images have none.
    """
    padded = F.pad(grayscale(x), (1, 1, 1, 1), mode="replicate")
    strengths = torch.hypot(_sobel(padded), _sobel(padded.mT).mT)
    edge = strengths > (EDGE_SHARE * strengths.amax((2, 3), keepdim=True)).clamp(min=MIN_EDGE)
    return edge.float() * 2 - 1


def _sobel(x: Tensor) -> Tensor:
    """Sobel's difference from left to right, (n, 1, h, w) of (n, 1, h + 2, w + 2)."""
    smooth = x[..., :-2, :] + 2 * x[..., 1:-1, :] + x[..., 2:, :]
    return smooth[..., 2:] - smooth[..., :-2]

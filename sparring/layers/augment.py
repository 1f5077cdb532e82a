"""Random differentiable transformations of images, drawn for each sample of a batch independently.

D alone receives transformed images, real and generated ones alike, so that a small data set lasts longer and G does
not learn the transformations. All geometric transformations are one resampling, and all color transformations are one
matrix, so that the cost does not grow with their number.
"""

from __future__ import annotations

import math
from functools import reduce

import torch
from torch import Tensor
from torch.nn import functional as F

MAX_TILT = 0.25  # radians, of each of the two rotations of `distorted`
STRETCH = 0.25  # standard deviation of the stretching of `distorted`, in octaves
COARSE_SIZE = 4  # side in pixels of the squares that `coarse` averages
COARSE_NOISE = 0.3  # standard deviation of the noise of `coarse`


def ada(x: Tensor, p: Tensor) -> Tensor:
    """The geometric and color transformations of adaptive augmentation, each with probability p: mirroring, rotation by
    90 degrees, translation, scaling, rotation, stretching; brightness, contrast, inversion, hue, saturation. Karras et
    al. 2020, arXiv:2006.06676, appendix B, with bilinear resampling. Only brightness and contrast of grayscale images
    are changed.

    Args:
        x: (n, c, h, w) in [-1, 1]; the fourth channel is alpha, which gets the geometric transformations only.
        p: 0-d, in [0, 1].
    """
    if x.device.type == "cpu" and not p:  # reading p there waits for nothing
        return x.float()
    with _fp32(x):
        x = x.float()
        return apply_colors(apply_affine(x, _ada_affine(x, p)), _ada_colors(x, p))


def diffaugment(x: Tensor) -> Tensor:
    """Color, translation and cutout. Zhao et al. 2020, arXiv:2006.10738, except that the contrast is changed around
    middle gray, not around each image's mean.

    Args:
        x: (n, c, h, w) in [-1, 1].
    """
    with _fp32(x):
        x = _translated(x.float())
        n, device = len(x), x.device
        brightness, saturation = _uniform(n, device, -0.5, 0.5), _uniform(n, device, 0.0, 2.0)
        contrast = _uniform(n, device, 0.5, 1.5)
        x = apply_colors(x, _contrast(contrast) @ _saturation(saturation) @ _brightness(brightness))
        return x * _cutout(x)


def translate_and_cutout(x: Tensor) -> Tensor:
    """`diffaugment` without color, as the paper uses it for some data sets: if D sometimes receives real images with
    faded colors, it accepts generated ones with faded colors.

    Args:
        x: (n, c, h, w) in [-1, 1].
    """
    with _fp32(x):
        x = _translated(x.float())
        return x * _cutout(x)


def distorted(x: Tensor) -> Tensor:
    """Rotated by up to 30 degrees, stretched by about 20 % in each direction, sheared, translated by up to an eighth of
    the side, and made brighter or darker, which makes strokes thicker or thinner. The content of the image is kept.

    Args:
        x: (n, c, h, w) in [-1, 1].
    """
    n, device = len(x), x.device
    with _fp32(x):
        steps = (
            _rotation(_uniform(n, device, -MAX_TILT, MAX_TILT)),
            _scaling(_lognormal(n, device, STRETCH), _lognormal(n, device, STRETCH)),
            _rotation(_uniform(n, device, -MAX_TILT, MAX_TILT)),
            _translation(_uniform(n, device, -1 / 8, 1 / 8, 2) * 2),
        )
        x = apply_affine(x.float(), reduce(torch.matmul, steps), "border")
        light = _contrast(_lognormal(n, device, 0.5)) @ _brightness(_uniform(n, device, -0.7, 0.7))
        return apply_colors(x, light).tanh()


def coarse(x: Tensor) -> Tensor:
    """Translated by up to an eighth of the side, at a quarter of the resolution, with noise: only large structures
    remain visible.

    Args:
        x: (n, c, h, w) in [-1, 1].
    """
    with _fp32(x):
        shifted = apply_affine(x.float(), _translation(_uniform(len(x), x.device, -1 / 8, 1 / 8, 2) * 2), "border")
        small = F.avg_pool2d(shifted, min(COARSE_SIZE, x.shape[-1]), ceil_mode=True)
        small = small + COARSE_NOISE * torch.randn_like(small)
        return F.interpolate(small, x.shape[-2:], mode="nearest")


def _fp32(x: Tensor) -> torch.autocast:
    """Transformations are computed in fp32, for real and for generated images alike. Otherwise D would recognize the
    generated ones by their rounding.
    """
    return torch.autocast(x.device.type, enabled=False)


def _translated(x: Tensor) -> Tensor:
    """Translated by whole pixels, at most an eighth of the side."""
    shift = (_uniform(len(x), x.device, -1 / 8, 1 / 8, 2) * x.shape[-1]).round() * (2 / x.shape[-1])
    return apply_affine(x, _translation(shift), "zeros")


def _cutout(x: Tensor) -> Tensor:
    """(n, 1, h, w): 0 in a square of half the side around a random center, 1 elsewhere."""
    n, _, height, width = x.shape
    rows = torch.arange(height, device=x.device) / height
    columns = torch.arange(width, device=x.device) / width
    center = torch.rand(n, 2, 1, device=x.device)
    inside = ((rows - center[:, 0]).abs() < 0.25)[:, :, None] & ((columns - center[:, 1]).abs() < 0.25)[:, None, :]
    return (~inside)[:, None].to(x.dtype)


def apply_affine(x: Tensor, affine: Tensor, padding: str = "reflection") -> Tensor:
    """Images (n, c, h, w), resampled. The matrices (n, 3, 3) map a position in the new image to the position in the old
    one whose value it takes; positions are in [-1, 1].
    """
    return F.grid_sample(x, _grid(x, affine.to(x.dtype)), "bilinear", padding, align_corners=False)


def _grid(x: Tensor, affine: Tensor) -> Tensor:
    """The position in the old image of each pixel of the new one, (n, h, w, 2), as `F.affine_grid` computes it by a
    product of matrices of width 3, which takes as long as the resampling itself.
    """
    height, width = x.shape[-2:]
    rows = (2 * torch.arange(height, device=x.device, dtype=x.dtype) + 1) / height - 1
    columns = (2 * torch.arange(width, device=x.device, dtype=x.dtype) + 1) / width - 1
    matrix = affine[:, None, None]  # (n, 1, 1, 3, 3)
    along, down, shift = matrix[..., :2, 0], matrix[..., :2, 1], matrix[..., :2, 2]
    return along * columns[:, None] + (down * rows[:, None, None] + shift)


def apply_colors(x: Tensor, colors: Tensor) -> Tensor:
    """Matrices (n, 4, 4) applied to (red, green, blue, 1) of each pixel; a grayscale image gets their mean effect on
    gray.
    """
    colors = colors.to(x.dtype)
    if x.shape[1] == 1:
        gain = colors[:, :3, :3].sum((1, 2)) / 3
        return x * gain[:, None, None, None] + colors[:, :3, 3].mean(1)[:, None, None, None]
    rgb = torch.einsum("nij,njhw->nihw", colors[:, :3, :3], x[:, :3]) + colors[:, :3, 3, None, None]
    return torch.cat([rgb, x[:, 3:]], 1) if x.shape[1] > 3 else rgb


def _ada_affine(x: Tensor, p: Tensor) -> Tensor:
    """The geometric transformation of each image, (n, 3, 3). The leftmost factor is applied first."""
    n, device, side = len(x), x.device, x.shape[-1]
    whole = (_uniform(n, device, -1 / 8, 1 / 8, 2) * side).round() * (2 / side)  # a side of the grid has length 2
    fraction = torch.randn(n, 2, device=device) * (2 / 8)
    quarters = torch.randint(4, (n,), device=device) * (math.pi / 2)
    size, stretch = _lognormal(n, device), _lognormal(n, device)
    mirror = 1.0 - 2.0 * torch.randint(2, (n,), device=device)
    p_rotation = 1 - (1 - p).sqrt()  # of each of two rotations, one before and one after the stretching
    size, stretch = _with_probability(p, size, 1.0), _with_probability(p, stretch, 1.0)
    steps = (
        _scaling(_with_probability(p, mirror, 1.0), torch.ones_like(mirror)),
        _rotation(_with_probability(p, quarters, 0.0)),
        _translation(_with_probability(p, whole, 0.0)),
        _scaling(size, size),
        _rotation(_with_probability(p_rotation, _uniform(n, device, -math.pi, math.pi), 0.0)),
        _scaling(stretch, 1 / stretch),
        _rotation(_with_probability(p_rotation, _uniform(n, device, -math.pi, math.pi), 0.0)),
        _translation(_with_probability(p, fraction, 0.0)),
    )
    return reduce(torch.matmul, steps)


def _ada_colors(x: Tensor, p: Tensor) -> Tensor:
    """The color transformation of each image, (n, 4, 4). The rightmost factor is applied first."""
    n, device = len(x), x.device
    steps = [
        _brightness(_with_probability(p, torch.randn(n, device=device) * 0.2, 0.0)),
        _contrast(_with_probability(p, _lognormal(n, device, 0.5), 1.0)),
    ]
    if x.shape[1] > 1:
        inverted = 2.0 * torch.randint(2, (n,), device=device)
        steps += [
            _luma_reflection(_with_probability(p, inverted, 0.0)),
            _hue_rotation(_with_probability(p, _uniform(n, device, -math.pi, math.pi), 0.0)),
            _saturation(_with_probability(p, _lognormal(n, device, 1.0), 1.0)),
        ]
    return reduce(torch.matmul, reversed(steps))


def _with_probability(p: Tensor, values: Tensor, otherwise: float) -> Tensor:
    """Each of the values (n, ...) with probability p, otherwise the neutral value."""
    kept = torch.rand(len(values), *[1] * (values.ndim - 1), device=values.device) < p
    return torch.where(kept, values, torch.full_like(values, otherwise))


def _uniform(n: int, device: torch.device, low: float, high: float, *shape: int) -> Tensor:
    return low + (high - low) * torch.rand(n, *shape, device=device)


def _lognormal(n: int, device: torch.device, octaves: float = 0.2) -> Tensor:
    return torch.exp2(octaves * torch.randn(n, device=device))


def _identity(n: int, size: int, device: torch.device) -> Tensor:
    return torch.eye(size, device=device).repeat(n, 1, 1)


def _rotation(angle: Tensor) -> Tensor:
    matrix = _identity(len(angle), 3, angle.device)
    matrix[:, 0, 0] = matrix[:, 1, 1] = angle.cos()
    matrix[:, 0, 1], matrix[:, 1, 0] = -angle.sin(), angle.sin()
    return matrix


def _scaling(width: Tensor, height: Tensor) -> Tensor:
    matrix = _identity(len(width), 3, width.device)
    matrix[:, 0, 0], matrix[:, 1, 1] = 1 / width, 1 / height
    return matrix


def _translation(by: Tensor) -> Tensor:
    matrix = _identity(len(by), 3, by.device)
    matrix[:, :2, 2] = by
    return matrix


def _brightness(added: Tensor) -> Tensor:
    matrix = _identity(len(added), 4, added.device)
    matrix[:, :3, 3] = added[:, None]
    return matrix


def _contrast(factor: Tensor) -> Tensor:
    matrix = _identity(len(factor), 4, factor.device)
    matrix[:, :3, :3] *= factor[:, None, None]
    return matrix


def _gray_projection(device: torch.device) -> Tensor:
    """The projection onto the gray axis, (3, 3)."""
    return torch.full((3, 3), 1 / 3, device=device)


def _luma_reflection(amount: Tensor) -> Tensor:
    """Inverts brightness and keeps colors if `amount` is 2; changes nothing if it is 0."""
    matrix = _identity(len(amount), 4, amount.device)
    matrix[:, :3, :3] -= amount[:, None, None] * _gray_projection(amount.device)
    return matrix


def _saturation(factor: Tensor) -> Tensor:
    matrix = _identity(len(factor), 4, factor.device)
    gray = _gray_projection(factor.device)
    matrix[:, :3, :3] = gray + factor[:, None, None] * (matrix[:, :3, :3] - gray)
    return matrix


def _hue_rotation(angle: Tensor) -> Tensor:
    """Rotation of colors around the gray axis (Rodrigues' formula)."""
    matrix = _identity(len(angle), 4, angle.device)
    following = torch.eye(3, device=angle.device).roll(1, 0)
    axis = (following - following.T) / math.sqrt(3)  # [[0, -1, 1], [1, 0, -1], [-1, 1, 0]], made on the device
    cos, sin = angle.cos()[:, None, None], angle.sin()[:, None, None]
    matrix[:, :3, :3] = cos * matrix[:, :3, :3] + sin * axis + (1 - cos) * _gray_projection(angle.device)
    return matrix

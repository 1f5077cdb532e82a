"""Random changes to pictures, differentiable, of which every sample of a batch gets its own.

They are seen by D alone, on real and on generated pictures alike, so that a small set lasts longer
without G learning the changes. All of a picture's places move in one resampling, and all of its
colours in one matrix, so that the cost does not grow with the number of changes.
"""

from __future__ import annotations

import math
from functools import reduce

import torch
from torch import Tensor
from torch.nn import functional as F

TILT = 0.25  # radians, twice
STRETCH = 0.25  # octaves, deviation
COARSE = 4  # pixels of a side that are seen as one
NOISE = 0.3  # deviation of its noise


def ada(x: Tensor, p: Tensor) -> Tensor:
    """The places and colours of adaptive augmentation, each change with probability p: mirroring,
    quarter turns, shifts, scaling, turning, stretching; brightness, contrast, inversion, hue,
    saturation. Karras et al. 2020, arXiv:2006.06676, appendix B, with bilinear resampling; pictures
    without colour only change in brightness and contrast.

    Args:
        x: (n, c, h, w) in [-1, 1]; of four channels the last is alpha, whose values only move.
        p: 0-d, in [0, 1].
    """
    with _exact(x):
        x = x.float()
        return coloured(moved(x, _places(x, p)), _colours(x, p))


def diffaugment(x: Tensor) -> Tensor:
    """Colour, translation and cutout. Zhao et al. 2020, arXiv:2006.10738, but for the contrast, which
    changes about middle grey and not about each picture's mean.

    Args:
        x: (n, c, h, w) in [-1, 1].
    """
    with _exact(x):
        x = _shifted_about(x.float())
        n, device = len(x), x.device
        brightness, saturation = _uniform(n, device, -0.5, 0.5), _uniform(n, device, 0.0, 2.0)
        contrast = _uniform(n, device, 0.5, 1.5)
        x = coloured(x, _scaled(contrast) @ _saturated(saturation) @ _shifted(brightness))
        return x * _holes(x)


def places(x: Tensor) -> Tensor:
    """`diffaugment` without its colours, as the paper has it for some sets: where real pictures are seen faded now and
    then, D lets faded ones pass.

    Args:
        x: (n, c, h, w) in [-1, 1].
    """
    with _exact(x):
        x = _shifted_about(x.float())
        return x * _holes(x)


def tilted(x: Tensor) -> Tensor:
    """Turned by up to 30 degrees, stretched by some 20 % in each direction, sheared, shifted by up to an eighth, and
    made brighter or darker, which makes strokes thicker or thinner: what a picture shows stays what it is.

    Args:
        x: (n, c, h, w) in [-1, 1].
    """
    n, device = len(x), x.device
    with _exact(x):
        steps = (
            _turned(_uniform(n, device, -TILT, TILT)),
            _resized(_lognormal(n, device, STRETCH), _lognormal(n, device, STRETCH)),
            _turned(_uniform(n, device, -TILT, TILT)),
            _moved(_uniform(n, device, -1 / 8, 1 / 8, 2) * 2),
        )
        x = moved(x.float(), reduce(torch.matmul, steps), "border")
        light = _scaled(_lognormal(n, device, 0.5)) @ _shifted(_uniform(n, device, -0.7, 0.7))
        return coloured(x, light).tanh()


def coarse(x: Tensor) -> Tensor:
    """Shifted by up to an eighth, seen at a quarter of the resolution, under noise: only what is large can be seen.

    Args:
        x: (n, c, h, w) in [-1, 1].
    """
    with _exact(x):
        shifted = moved(x.float(), _moved(_uniform(len(x), x.device, -1 / 8, 1 / 8, 2) * 2), "border")
        seen = F.avg_pool2d(shifted, min(COARSE, x.shape[-1]), ceil_mode=True)
        seen = seen + NOISE * torch.randn_like(seen)
        return F.interpolate(seen, x.shape[-2:], mode="nearest")


def _exact(x: Tensor) -> torch.autocast:
    """Places and colours are computed in fp32, on real and on generated pictures alike: D would tell the
    latter by the rounding otherwise.
    """
    return torch.autocast(x.device.type, enabled=False)


def _shifted_about(x: Tensor) -> Tensor:
    """By whole pixels, an eighth of the side at most."""
    shift = (_uniform(len(x), x.device, -1 / 8, 1 / 8, 2) * x.shape[-1]).round() * (2 / x.shape[-1])
    return moved(x, _moved(shift), "zeros")


def _holes(x: Tensor) -> Tensor:
    """(n, 1, h, w): 0 in a square of half the side about a random middle, 1 elsewhere."""
    n, _, height, width = x.shape
    rows = torch.arange(height, device=x.device) / height
    columns = torch.arange(width, device=x.device) / width
    middle = torch.rand(n, 2, 1, device=x.device)
    inside = ((rows - middle[:, 0]).abs() < 0.25)[:, :, None] & ((columns - middle[:, 1]).abs() < 0.25)[:, None, :]
    return (~inside)[:, None].to(x.dtype)


def moved(x: Tensor, places: Tensor, padding: str = "reflection") -> Tensor:
    """Pictures (n, c, h, w) looked up at places (n, 3, 3): from where in the old one, in [-1, 1],
    each place of the new one takes its colour.
    """
    grid = F.affine_grid(places[:, :2].to(x.dtype), list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, "bilinear", padding, align_corners=False)


def coloured(x: Tensor, colours: Tensor) -> Tensor:
    """Colours (n, 4, 4) applied to red, green, blue and 1; to the grey of all three where there is one."""
    colours = colours.to(x.dtype)
    if x.shape[1] == 1:
        gain = colours[:, :3, :3].sum((1, 2)) / 3
        return x * gain[:, None, None, None] + colours[:, :3, 3].mean(1)[:, None, None, None]
    rgb = torch.einsum("nij,njhw->nihw", colours[:, :3, :3], x[:, :3]) + colours[:, :3, 3, None, None]
    return torch.cat([rgb, x[:, 3:]], 1) if x.shape[1] > 3 else rgb


def _places(x: Tensor, p: Tensor) -> Tensor:
    """Each picture's own move, (n, 3, 3); the first that is done is the leftmost."""
    n, device, side = len(x), x.device, x.shape[-1]
    whole = (_uniform(n, device, -1 / 8, 1 / 8, 2) * side).round() * (2 / side)  # a grid has two units a side
    fraction = torch.randn(n, 2, device=device) * (2 / 8)
    quarters = torch.randint(4, (n,), device=device) * (math.pi / 2)
    size, stretch = _lognormal(n, device), _lognormal(n, device)
    mirror = 1.0 - 2.0 * torch.randint(2, (n,), device=device)
    turns = 1 - (1 - p).sqrt()  # of each of two, one before and one after the stretching
    size, stretch = _some(size, p, 1.0), _some(stretch, p, 1.0)
    steps = (
        _resized(_some(mirror, p, 1.0), torch.ones_like(mirror)),
        _turned(_some(quarters, p, 0.0)),
        _moved(_some(whole, p, 0.0)),
        _resized(size, size),
        _turned(_some(_uniform(n, device, -math.pi, math.pi), turns, 0.0)),
        _resized(stretch, 1 / stretch),
        _turned(_some(_uniform(n, device, -math.pi, math.pi), turns, 0.0)),
        _moved(_some(fraction, p, 0.0)),
    )
    return reduce(torch.matmul, steps)


def _colours(x: Tensor, p: Tensor) -> Tensor:
    """Each picture's own colours, (n, 4, 4); the first that is done is the rightmost."""
    n, device = len(x), x.device
    steps = [
        _shifted(_some(torch.randn(n, device=device) * 0.2, p, 0.0)),
        _scaled(_some(_lognormal(n, device, 0.5), p, 1.0)),
    ]
    if x.shape[1] > 1:
        inverted = 2.0 * torch.randint(2, (n,), device=device)
        steps += [
            _mirrored(_some(inverted, p, 0.0)),
            _hued(_some(_uniform(n, device, -math.pi, math.pi), p, 0.0)),
            _saturated(_some(_lognormal(n, device, 1.0), p, 1.0)),
        ]
    return reduce(torch.matmul, reversed(steps))


def _some(values: Tensor, p: Tensor, otherwise: float) -> Tensor:
    """A share p of the values (n, ...), something else in place of the others."""
    chosen = torch.rand(len(values), *[1] * (values.ndim - 1), device=values.device) < p
    return torch.where(chosen, values, torch.full_like(values, otherwise))


def _uniform(n: int, device: torch.device, low: float, high: float, *more: int) -> Tensor:
    return low + (high - low) * torch.rand(n, *more, device=device)


def _lognormal(n: int, device: torch.device, octaves: float = 0.2) -> Tensor:
    return torch.exp2(octaves * torch.randn(n, device=device))


def _identity(n: int, size: int, device: torch.device) -> Tensor:
    return torch.eye(size, device=device).repeat(n, 1, 1)


def _turned(angle: Tensor) -> Tensor:
    made = _identity(len(angle), 3, angle.device)
    made[:, 0, 0] = made[:, 1, 1] = angle.cos()
    made[:, 0, 1], made[:, 1, 0] = -angle.sin(), angle.sin()
    return made


def _resized(width: Tensor, height: Tensor) -> Tensor:
    made = _identity(len(width), 3, width.device)
    made[:, 0, 0], made[:, 1, 1] = 1 / width, 1 / height
    return made


def _moved(by: Tensor) -> Tensor:
    made = _identity(len(by), 3, by.device)
    made[:, :2, 2] = by
    return made


def _shifted(brightness: Tensor) -> Tensor:
    made = _identity(len(brightness), 4, brightness.device)
    made[:, :3, 3] = brightness[:, None]
    return made


def _scaled(contrast: Tensor) -> Tensor:
    made = _identity(len(contrast), 4, contrast.device)
    made[:, :3, :3] *= contrast[:, None, None]
    return made


def _grey(device: torch.device) -> Tensor:
    """The projection on the axis of greys, (3, 3)."""
    return torch.full((3, 3), 1 / 3, device=device)


def _mirrored(times: Tensor) -> Tensor:
    """Brightness turned about its middle, colours as they are: where `times` is 2, not where it is 0."""
    made = _identity(len(times), 4, times.device)
    made[:, :3, :3] -= times[:, None, None] * _grey(times.device)
    return made


def _saturated(factor: Tensor) -> Tensor:
    made = _identity(len(factor), 4, factor.device)
    grey = _grey(factor.device)
    made[:, :3, :3] = grey + factor[:, None, None] * (made[:, :3, :3] - grey)
    return made


def _hued(angle: Tensor) -> Tensor:
    """Colours turned about the axis of greys (Rodrigues' formula)."""
    made = _identity(len(angle), 4, angle.device)
    axis = torch.tensor([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]], device=angle.device) / math.sqrt(3)
    cos, sin = angle.cos()[:, None, None], angle.sin()[:, None, None]
    made[:, :3, :3] = cos * made[:, :3, :3] + sin * axis + (1 - cos) * _grey(angle.device)
    return made

"""Degradations that cut holes into images: (n, c, h, w) -> (n, c + 1, h, w), with a mask as the last channel that is 1
in holes and -1 elsewhere. Pixels in holes are 0.

The holes of an image are scaled together until they hide the share that was drawn for the image. They are level sets of
a field: for boxes and strokes alike, the factor by which they must be scaled to reach a pixel. This needs neither a
loop over images nor a synchronization with the host.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from sparring.layers.degrade.pixels import uniform

MAX_BOXES = 4  # per image
MIN_STROKES, MAX_STROKES = 2, 5  # per image
SEGMENTS = 5  # per stroke
SEGMENT_LENGTH = (0.2, 0.6)  # range, in sides of the image times sqrt(share), so that shapes do not depend on the share


def boxes(x: Tensor, low: float, high: float) -> Tensor:
    """One to four rectangles that hide a share between low and high."""
    return _cut(x, _box_field(x), uniform(x, low, high))


def strokes(x: Tensor, low: float, high: float) -> Tensor:
    """Two to five brush strokes along random walks that hide a share between low and high, similar to Yu et al. 2018,
    arXiv:1806.03589.
    """
    share = uniform(x, low, high)
    return _cut(x, _stroke_field(x, share), share)


def freeform(x: Tensor, low: float, high: float) -> Tensor:
    """Rectangles and strokes; each kind alone would hide an equal share."""
    share = uniform(x, low, high)
    fields = (field / _level(field, share) for field in (_box_field(x), _stroke_field(x, share)))
    return _cut(x, torch.minimum(*fields), share)


def _cut(x: Tensor, field: Tensor, share: Tensor) -> Tensor:
    hidden = (field <= _level(field, share))[:, None]
    return torch.cat([x.masked_fill(hidden, 0), hidden.float() * 2 - 1], 1)


def _level(field: Tensor, share: Tensor) -> Tensor:
    """Level below which a share (n, 1, 1, 1) of the field (n, h, w) lies: (n, 1, 1)."""
    values = field.flatten(1).sort(1).values
    rank = (share.view(-1, 1) * values.shape[1]).ceil().long() - 1
    return values.gather(1, rank.clamp(0, values.shape[1] - 1))[:, :, None]


def _grid(x: Tensor) -> tuple[Tensor, Tensor]:
    """Centers of pixels, from the top (h, 1) and from the left (1, w), in units of the longer side."""
    h, w = x.shape[-2:]
    rows, columns = ((torch.arange(side, device=x.device) + 0.5) / max(h, w) for side in (h, w))
    return rows[:, None], columns[None]


def _used(x: Tensor, minimum: int, maximum: int) -> Tensor:
    """(n, maximum): True for the shapes that an image uses, a random number of the first ones."""
    count = torch.randint(minimum, maximum + 1, (len(x), 1), device=x.device)
    return torch.arange(maximum, device=x.device) < count


def _positions(x: Tensor, count: int) -> Tensor:
    """Uniform positions in the images, (n, count, 2)."""
    return torch.rand(len(x), count, 2, device=x.device) * _extent(x)


def _extent(x: Tensor) -> Tensor:
    """Height and width in units of the longer side, (2,)."""
    h, w = x.shape[-2:]
    extent = x.new_ones(2)  # created on the device: a copy from the host would synchronize
    extent[0] *= h / max(h, w)
    extent[1] *= w / max(h, w)
    return extent


def _box_field(x: Tensor) -> Tensor:
    """Factor by which boxes must be scaled to reach each pixel, (n, h, w)."""
    rows, columns = _grid(x)
    centers = _positions(x, MAX_BOXES)
    sizes = torch.exp2(torch.rand(len(x), MAX_BOXES, 2, device=x.device) * 2 - 1)  # aspect ratios from 1:4 to 4:1
    used = _used(x, 1, MAX_BOXES)
    field = x.new_full((len(x), *x.shape[-2:]), torch.inf)
    for i in range(MAX_BOXES):
        (top, left), (height, width) = (part[:, i, :, None, None].unbind(1) for part in (centers, sizes))
        factor = torch.maximum((rows - top).abs() / height, (columns - left).abs() / width)
        field = torch.minimum(field, factor.masked_fill(~used[:, i, None, None], torch.inf))
    return field


def _stroke_field(x: Tensor, share: Tensor) -> Tensor:
    """Factor by which strokes must be widened to reach each pixel, (n, h, w)."""
    rows, columns = _grid(x)
    walks = _walks(x, share)
    widths = torch.exp2(torch.rand(len(x), MAX_STROKES, device=x.device) * 2 - 1)
    used = _used(x, MIN_STROKES, MAX_STROKES)
    field = x.new_full((len(x), *x.shape[-2:]), torch.inf)
    for i in range(MAX_STROKES):
        squared = x.new_full((len(x), *x.shape[-2:]), torch.inf)  # squared distance from the stroke
        for j in range(SEGMENTS):
            top, left = walks[:, i, j, :, None, None].unbind(1)
            down, right = (walks[:, i, j + 1] - walks[:, i, j])[:, :, None, None].unbind(1)
            dy, dx = rows - top, columns - left
            along = ((dy * down + dx * right) / (down.square() + right.square()).clamp(min=1e-12)).clamp(0, 1)
            squared = torch.minimum(squared, (dy - along * down).square() + (dx - along * right).square())
        factor = squared.sqrt() / widths[:, i, None, None]
        field = torch.minimum(field, factor.masked_fill(~used[:, i, None, None], torch.inf))
    return field


def _walks(x: Tensor, share: Tensor) -> Tensor:
    """Corners of strokes, (n, MAX_STROKES, SEGMENTS + 1, 2), inside the image: walks are reflected at its border."""
    shape = (len(x), MAX_STROKES, SEGMENTS)
    turns = torch.randn(shape, device=x.device)
    turns[..., 0] = torch.rand(shape[:2], device=x.device) * 2 * math.pi
    angles = turns.cumsum(-1)
    shortest, longest = SEGMENT_LENGTH
    lengths = (shortest + (longest - shortest) * torch.rand(shape, device=x.device)) * share[:, :, 0].sqrt()
    moves = torch.stack([angles.sin(), angles.cos()], -1) * lengths[..., None]
    starts = _positions(x, MAX_STROKES)[:, :, None]
    walks = torch.cat([starts, starts + moves.cumsum(2)], 2)
    extent = _extent(x)
    return extent - (walks % (2 * extent) - extent).abs()

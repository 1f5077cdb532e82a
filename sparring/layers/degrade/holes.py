"""Degradations that cut holes into pictures: (n, c, h, w) -> (n, c + 1, h, w), with a mask as the last channel that is
1 in holes and -1 elsewhere. Pixels in holes are 0.

Holes of a picture grow together until they hide the share that the picture drew. So they are level sets of a field:
for boxes and strokes alike, by how much they would have to grow to reach a pixel. That takes neither a loop over
pictures nor a look at what was drawn.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from sparring.layers.degrade.pixels import drawn

BOXES = 4  # in a picture, at most
STROKES = 5  # likewise, and at least two
SEGMENTS = 5  # of a stroke
LENGTHS = (0.2, 0.6)  # of a segment, in sides of the picture times the root of the share: small strokes look as great


def boxes(x: Tensor, low: float, high: float) -> Tensor:
    """One to four rectangles that hide a share between low and high."""
    return _cut(x, _boxes(x), drawn(x, low, high))


def strokes(x: Tensor, low: float, high: float) -> Tensor:
    """Two to five brush strokes along random walks, likewise, in the manner of Yu et al. 2018, arXiv:1806.03589."""
    share = drawn(x, low, high)
    return _cut(x, _strokes(x, share), share)


def freeform(x: Tensor, low: float, high: float) -> Tensor:
    """Rectangles and strokes, which alone would hide equal shares."""
    share = drawn(x, low, high)
    fields = (field / _level(field, share) for field in (_boxes(x), _strokes(x, share)))
    return _cut(x, torch.minimum(*fields), share)


def _cut(x: Tensor, field: Tensor, share: Tensor) -> Tensor:
    hidden = (field <= _level(field, share))[:, None]
    return torch.cat([x.masked_fill(hidden, 0), hidden.float() * 2 - 1], 1)


def _level(field: Tensor, share: Tensor) -> Tensor:
    """Up to which a share (n, 1, 1, 1) of the field (n, h, w) lies: (n, 1, 1)."""
    values = field.flatten(1).sort(1).values
    rank = (share.view(-1, 1) * values.shape[1]).ceil().long() - 1
    return values.gather(1, rank.clamp(0, values.shape[1] - 1))[:, :, None]


def _grid(x: Tensor) -> tuple[Tensor, Tensor]:
    """Middles of pixels from above (h, 1) and from the left (1, w), in units of the greater side."""
    h, w = x.shape[-2:]
    rows, columns = ((torch.arange(side, device=x.device) + 0.5) / max(h, w) for side in (h, w))
    return rows[:, None], columns[None]


def _present(x: Tensor, least: int, most: int) -> Tensor:
    """(n, most): the first few of each picture's."""
    many = torch.randint(least, most + 1, (len(x), 1), device=x.device)
    return torch.arange(most, device=x.device) < many


def _starts(x: Tensor, many: int) -> Tensor:
    """Places anywhere in the pictures, (n, many, 2)."""
    return torch.rand(len(x), many, 2, device=x.device) * _extent(x)


def _extent(x: Tensor) -> Tensor:
    """Height and width in units of the greater side, (2,)."""
    h, w = x.shape[-2:]
    extent = x.new_ones(2)  # made on the device: a copy from the host would wait for it
    extent[0] *= h / max(h, w)
    extent[1] *= w / max(h, w)
    return extent


def _boxes(x: Tensor) -> Tensor:
    """How many times their size boxes need to reach each pixel, (n, h, w)."""
    rows, columns = _grid(x)
    middles = _starts(x, BOXES)
    sizes = torch.exp2(torch.rand(len(x), BOXES, 2, device=x.device) * 2 - 1)  # sides from 1 : 4 to 4 : 1
    present = _present(x, 1, BOXES)
    field = x.new_full((len(x), *x.shape[-2:]), torch.inf)
    for i in range(BOXES):
        (top, left), (height, width) = (part[:, i, :, None, None].unbind(1) for part in (middles, sizes))
        reach = torch.maximum((rows - top).abs() / height, (columns - left).abs() / width)
        field = torch.minimum(field, reach.masked_fill(~present[:, i, None, None], torch.inf))
    return field


def _strokes(x: Tensor, share: Tensor) -> Tensor:
    """How many times their width strokes need to reach each pixel, (n, h, w)."""
    rows, columns = _grid(x)
    walks = _walks(x, share)
    widths = torch.exp2(torch.rand(len(x), STROKES, device=x.device) * 2 - 1)
    present = _present(x, 2, STROKES)
    field = x.new_full((len(x), *x.shape[-2:]), torch.inf)
    for i in range(STROKES):
        away = x.new_full((len(x), *x.shape[-2:]), torch.inf)  # squared
        for j in range(SEGMENTS):
            top, left = walks[:, i, j, :, None, None].unbind(1)
            down, right = (walks[:, i, j + 1] - walks[:, i, j])[:, :, None, None].unbind(1)
            below, beside = rows - top, columns - left
            along = ((below * down + beside * right) / (down.square() + right.square()).clamp(min=1e-12)).clamp(0, 1)
            away = torch.minimum(away, (below - along * down).square() + (beside - along * right).square())
        reach = away.sqrt() / widths[:, i, None, None]
        field = torch.minimum(field, reach.masked_fill(~present[:, i, None, None], torch.inf))
    return field


def _walks(x: Tensor, share: Tensor) -> Tensor:
    """Corners of strokes, (n, STROKES, SEGMENTS + 1, 2), inside the picture: walks are mirrored at its border."""
    shape = (len(x), STROKES, SEGMENTS)
    turns = torch.randn(shape, device=x.device)
    turns[..., 0] = torch.rand(shape[:2], device=x.device) * 2 * math.pi
    angles = turns.cumsum(-1)
    lengths = (LENGTHS[0] + (LENGTHS[1] - LENGTHS[0]) * torch.rand(shape, device=x.device)) * share[:, :, 0].sqrt()
    moves = torch.stack([angles.sin(), angles.cos()], -1) * lengths[..., None]
    starts = _starts(x, STROKES)[:, :, None]
    walks = torch.cat([starts, starts + moves.cumsum(2)], 2)
    extent = _extent(x)
    return extent - (walks % (2 * extent) - extent).abs()

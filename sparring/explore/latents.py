"""Latents in a row or in a table, one thing changed at a time."""

from __future__ import annotations

import torch
from torch import Tensor

from sparring.games.prior import Normal, OneHot, Part, Prior

REACH = 2.0  # how far a code is turned to either side: twice as far as it was trained


def between(prior: Prior, a: Tensor, b: Tensor, steps: int) -> Tensor:
    """(steps, ..., width): from one latent vector (..., width) to another. Normal parts go along the great circle
    (Shoemake 1985, doi:10.1145/325165.325242), since what lies straight between two of them is shorter than either;
    one-hot parts stay as they are at first.
    """
    t = torch.linspace(0, 1, steps, device=a.device).view(-1, *[1] * a.ndim)
    parts = []
    for part in prior.parts:
        here = prior.place(part.name)
        p, q = a[..., here], b[..., here]
        if isinstance(part, OneHot):
            parts.append(p.expand(steps, *p.shape))
        elif isinstance(part, Normal):
            alike = (p * q).sum(-1, keepdim=True) / (p.norm(dim=-1, keepdim=True) * q.norm(dim=-1, keepdim=True))
            angle = torch.arccos(alike.clamp(-0.9999, 0.9999))
            parts.append((((1 - t) * angle).sin() * p + (t * angle).sin() * q) / angle.sin())
        else:
            parts.append(p.lerp(q, t))
    return torch.cat(parts, -1)


def turned(prior: Prior, z: Tensor, part: Part, number: int, steps: int) -> Tensor:
    """(n * steps, width): latents (n, width), each with one number of a part from -2 to 2 in so many steps."""
    rows = z.repeat_interleave(steps, 0)
    place = prior.place(part.name).start + number
    rows[:, place] = torch.linspace(-REACH, REACH, steps, device=z.device).repeat(len(z))
    return rows


def chosen(prior: Prior, z: Tensor, part: OneHot) -> Tensor:
    """(n * part's width, width): latents (n, width), each with every value of a one-hot part."""
    rows = z.repeat_interleave(part.width, 0)
    rows[:, prior.place(part.name)] = torch.eye(part.width, device=z.device).repeat(len(z), 1)
    return rows

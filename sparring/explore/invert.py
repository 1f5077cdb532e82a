"""From pictures back to the points that a model makes them of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from sparring.data.store import Progress, no_progress
from sparring.data.tensors import VALUES
from sparring.errors import InputError
from sparring.explore.directions import parts
from sparring.explore.layers import frozen
from sparring.explore.space import Space
from sparring.games.prior import Uniform
from sparring.games.vae import Autoencoder
from sparring.model import Model

POOL = 1000  # samples, of which the nearest are begun from
STARTS = 8  # points that the search for a picture begins from, of which
LEFT = 2  # go on
AFTER = 0.1  # of the steps
STEPS = 200
RATE = 0.1  # of Adam, in deviations of a point
AT_ONCE = 256  # points that are moved together
SCALES = (2, 4)  # pixels of a side that are averaged and compared, beside pixels themselves


@dataclass(frozen=True)
class Inversion:
    """What pictures are made of.

    Attributes:
        points: of a `Space`, (n, full width).
        labels: that they are made for, int64 (n,); None where the model takes none.
        pictures: as they are made of these, uint8 (n, h, w, c).
        errors: of each, the mean squared difference of its numbers from 0, black, to 1, (n,).
    """

    points: Tensor
    labels: Tensor | None
    pictures: NDArray[np.uint8]
    errors: Tensor


def invert(
    model: Model,
    pictures: NDArray[np.uint8],
    label: Tensor | None = None,
    steps: int = STEPS,
    seed: int = 0,
    progress: Progress = no_progress,
) -> Inversion:
    """The points of which a model makes given pictures, as nearly as it can.

    Adam moves several points for each picture down the squared differences of pixels and of coarser ones (Zhu et al.
    2016, arXiv:1609.03552): from the samples that are nearest to it, and from what an encoder says of it or from the
    mean style (Karras et al. 2019, arXiv:1912.04958, appendix D). After a tenth of the steps the best two go on, and
    the better one is taken at the end. Points stay where they are drawn: no farther from the middle than the
    farthest of a thousand samples, codes within their range.

    Args:
        pictures: uint8 (n, h, w, c), of the model's size and channels.
        label: of each, int64 (n,); found, where the model takes labels and none is given.
        steps: of the optimiser, at least 4.
        seed: of the samples.

    Raises:
        InputError: where the model makes no pictures of noise, or none of this shape.
    """
    space, modality = Space(model), model.modality
    if modality.kind != "images":
        raise InputError(f"recipe {model.recipe.name!r} makes {modality.kind}; only pictures can be inverted")
    channels, height, width = modality.shape
    if pictures.shape[1:] != (height, width, channels) or not len(pictures):
        given = " x ".join(map(str, pictures.shape))
        raise InputError(f"pictures of {given} were given; this model takes some of {height} x {width} x {channels}")
    x = modality.scale(torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2)).to(model.device)
    groups = [range(i, min(i + AT_ONCE // STARTS, len(x))) for i in range(0, len(x), AT_ONCE // STARTS)]
    points, labels = [], []
    with frozen(model.game), torch.enable_grad():
        search = _Search(space, seed)
        for i, rows in enumerate(groups):
            found = search(
                x[rows.start : rows.stop],
                None if label is None else label[rows.start : rows.stop].to(x.device),
                steps,
                lambda done, i=i: progress(i * steps + done, len(groups) * steps),  # type: ignore[misc]
            )
            points.append(found[0])
            labels.append(found[1])
    return _finished(space, pictures, torch.cat(points), torch.cat(labels))


def _finished(space: Space, pictures: NDArray[np.uint8], points: Tensor, labels: Tensor) -> Inversion:
    game, decode = space.model.game, space.model.modality.decode
    chosen = labels if game.classes else None
    made = [
        decode({VALUES: space.pictures(part, None if chosen is None else labels[i : i + AT_ONCE])})
        for i, part in zip(range(0, len(points), AT_ONCE), points.split(AT_ONCE), strict=True)  # type: ignore[no-untyped-call]
    ]
    again = np.concatenate(made).astype(np.uint8)
    apart = (again.astype(np.float32) - pictures.astype(np.float32)) / 255
    return Inversion(points, chosen, again, torch.from_numpy(np.square(apart).mean((1, 2, 3))))


class _Search:
    """Moves points of a space until the model makes given pictures of them."""

    def __init__(self, space: Space, seed: int) -> None:
        self.space = space
        self.pool = space.draw(POOL, seed)
        labels = space.labels(POOL)
        self.labels = torch.zeros(POOL, dtype=torch.int64, device=self.pool.device) if labels is None else labels
        self.made = torch.cat([_coarse(space.pictures(*part), 2) for part in parts(space, self.pool)])
        self.deviation, self.middle = space.deviation(), space.centre()
        self.farthest = self._away(self.pool).norm(dim=1).max()
        self.bounded = torch.zeros_like(space.movable)
        for part in space.prior.parts if space.name == "z" else ():
            self.bounded[space.prior.place(part.name)] = isinstance(part, Uniform)

    def __call__(
        self, x: Tensor, label: Tensor | None, steps: int, progress: Callable[[int], None]
    ) -> tuple[Tensor, Tensor]:
        """Points (n, full width) and labels (n,) for pictures (n, c, h, w) as nets see them."""
        points, labels = self._starts(x, label)
        before = max(2, int(AFTER * steps))
        for many, begin, end in ((LEFT, 0, before), (1, before, max(before + 2, steps))):
            points, errors = self._moved(points, labels, x, range(begin, end), progress)
            best = errors.topk(min(many, errors.shape[1]), dim=1, largest=False).indices  # (n, many)
            points = points.gather(1, best[:, :, None].expand(-1, -1, points.shape[2]))
            labels = labels.gather(1, best)
        return points[:, 0], labels[:, 0]

    @torch.no_grad()
    def _starts(self, x: Tensor, label: Tensor | None) -> tuple[Tensor, Tensor]:
        """Points (n, starts, full width) and labels (n, starts) to begin from."""
        game = self.space.model.game
        apart = torch.cdist(_coarse(x, 2).flatten(1), self.made.flatten(1))  # (n, pool)
        if label is not None:
            apart = apart.masked_fill(label[:, None] != self.labels, torch.inf)
        nearest = apart.topk(STARTS, dim=1, largest=False).indices
        points, labels = self.pool[nearest], self.labels[nearest]
        further = []
        if isinstance(game, Autoencoder):
            mean, _ = game.E(x, labels[:, 0] if game.classes else None)
            further.append(mean)
        elif self.space.name == "w":
            further.append(self.middle.expand(len(x), -1))
        for more in further:
            points[:, -1] = more
            labels[:, -1] = labels[:, 0]
        return points, labels

    def _moved(
        self, points: Tensor, labels: Tensor, x: Tensor, steps: range, progress: Callable[[int], None]
    ) -> tuple[Tensor, Tensor]:
        """Points (n, k, full width) after so many steps, and how far what is made of them is from x, (n, k)."""
        n, k, _ = points.shape
        fixed = torch.where(self.space.movable, self.middle, points.flatten(0, 1))
        moved = self._away(points.flatten(0, 1)).requires_grad_()
        wanted, label = x.repeat_interleave(k, 0), labels.flatten() if self.space.model.game.classes else None
        optimizer = torch.optim.Adam([moved], RATE, betas=(0.9, 0.99))
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, len(steps))
        for step in steps:
            optimizer.zero_grad()
            made = self.space.pictures(fixed + moved * self.deviation, label)
            _loss(made, wanted).sum().backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
            self._keep_near(moved)
            progress(step + 1)
        found = fixed + moved.detach() * self.deviation
        return found.view(n, k, -1), _loss(self.space.pictures(found, label), wanted).view(n, k)

    def _away(self, points: Tensor) -> Tensor:
        """From the middle, in deviations, (n, full width); 0 for what may not be moved."""
        return torch.where(self.space.movable, (points - self.middle) / self.deviation.clamp(min=1e-6), 0.0)

    @torch.no_grad()
    def _keep_near(self, moved: Tensor) -> None:
        moved.mul_((self.farthest / moved.norm(dim=1, keepdim=True)).clamp(max=1))
        moved.copy_(torch.where(self.bounded, moved.clamp(-(3**0.5), 3**0.5), moved))


def _coarse(x: Tensor, pixels: int) -> Tensor:
    """Pictures with squares of so many pixels averaged; whole where they are smaller."""
    return F.avg_pool2d(x, min(pixels, *x.shape[2:]), ceil_mode=True)


def _loss(made: Tensor, wanted: Tensor) -> Tensor:
    """Of each picture, (n,). What goes beyond black or white is written as black or white, and so is as good."""
    apart = made - wanted
    apart = torch.where(wanted >= 1, apart.clamp(max=0), torch.where(wanted <= -1, apart.clamp(min=0), apart))
    return sum((_coarse(apart, s).square().mean((1, 2, 3)) for s in SCALES), apart.square().mean((1, 2, 3)))

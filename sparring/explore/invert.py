"""From images back to the points that a model generates them from."""

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
from sparring.explore.layers import frozen
from sparring.explore.space import Space
from sparring.model import Model
from sparring.nets import efficientnet_lite
from sparring.nets.perceptual import distance

POOL = 1000  # samples among which the nearest ones are looked for
STARTS = 8  # points from which the search for an image starts
FINALISTS = 2  # of these that are kept
SELECTION = 0.1  # after this share of the steps
STEPS = 200
RATE = 0.1  # Adam's learning rate, in standard deviations of a point
BATCH_SIZE = 256  # points that are moved together
SCALES = (2, 4)  # sides of the squares of pixels whose means are compared, in addition to single pixels


@dataclass(frozen=True)
class Inversion:
    """Points that a model generates given images from.

    Attributes:
        points: of a `Space`, (n, full width).
        labels: classes that the images are generated for, int64 (n,); None if the model has none.
        pictures: the images generated from the points, uint8 (n, h, w, c).
        errors: mean squared error of each image, where black is 0 and white is 1, (n,).
    """

    points: Tensor
    labels: Tensor | None
    pictures: NDArray[np.uint8]
    errors: Tensor


def check_invertible(model: Model) -> Space:
    """The space that images are inverted to.

    Raises:
        InputError: if the model does not generate images from latents.
    """
    space = Space(model)
    if model.modality.classifier_input is None:
        items = model.modality.words.items
        raise InputError(f"recipe {model.recipe.name!r} generates {items}; only images can be inverted")
    return space


def invert(
    model: Model,
    pictures: NDArray[np.uint8],
    label: Tensor | None = None,
    steps: int = STEPS,
    seed: int = 0,
    progress: Progress = no_progress,
    perceptual: float = 0.0,
) -> Inversion:
    """The points from which a model generates given images as closely as it can.

    Adam moves several points for each image to reduce the squared differences of pixels and of averaged pixels (Zhu et
    al. 2016, arXiv:1609.03552). It starts at the samples that are nearest to the image, and at the encoder's point or
    the mean style (Karras et al. 2019, arXiv:1912.04958, appendix D). After a tenth of the steps the best two are kept,
    and at the end the better one. Points stay where samples are drawn: no farther from the center than the farthest of
    a thousand samples, and uniform codes within their range.

    Args:
        pictures: uint8 (n, h, w, c), with the model's size and channels.
        label: condition of each image, (n, ...), such as its class; if the model has some and none is given, they are
            found among those of samples.
        steps: of the optimizer, at least 4.
        seed: of the samples.
        perceptual: weight of the perceptual distance, in addition to the differences of pixels. `errors` are those of
            pixels in any case.

    Raises:
        InputError: if the model does not generate images from latents, or none of this shape, or the net of the
            perceptual distance is not installed.
    """
    space, modality = check_invertible(model), model.modality
    if perceptual:
        efficientnet_lite.check()
    channels, height, width = modality.shape
    if pictures.shape[1:] != (height, width, channels) or not len(pictures):
        shape = " x ".join(map(str, pictures.shape))
        raise InputError(f"images of {shape} were given; this model takes images of {height} x {width} x {channels}")
    x = modality.scale(torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2)).to(model.device)
    groups = [range(i, min(i + BATCH_SIZE // STARTS, len(x))) for i in range(0, len(x), BATCH_SIZE // STARTS)]
    points, labels = [], []
    with frozen(model.game), torch.enable_grad():
        search = _Search(space, seed, perceptual)
        for i, rows in enumerate(groups):
            best = search(
                x[rows.start : rows.stop],
                None if label is None else label[rows.start : rows.stop].to(x.device),
                steps,
                lambda done, i=i: progress(i * steps + done, len(groups) * steps),  # type: ignore[misc]
            )
            points.append(best[0])
            labels.append(best[1])
    return _result(space, pictures, torch.cat(points), torch.cat(labels))


def _result(space: Space, pictures: NDArray[np.uint8], points: Tensor, labels: Tensor) -> Inversion:
    decode = space.model.modality.decode
    classes = labels if space.model.game.conditional else None
    images = [
        decode({VALUES: space.values(part, None if classes is None else classes[i : i + BATCH_SIZE])})
        for i, part in zip(range(0, len(points), BATCH_SIZE), points.split(BATCH_SIZE), strict=True)  # type: ignore[no-untyped-call]
    ]
    generated = np.concatenate(images).astype(np.uint8)
    difference = (generated.astype(np.float32) - pictures.astype(np.float32)) / 255
    return Inversion(points, classes, generated, torch.from_numpy(np.square(difference).mean((1, 2, 3))))


class _Search:
    """Moves points of a space until the model generates given images from them."""

    def __init__(self, space: Space, seed: int, perceptual: float) -> None:
        self.space, self.perceptual = space, perceptual
        self.pool = space.draw(POOL, seed)
        labels = space.conditions(POOL)
        self.labels = torch.zeros(POOL, dtype=torch.int64, device=self.pool.device) if labels is None else labels
        self.pool_images = torch.cat([_averaged(space.values(*batch), 2) for batch in space.batches(self.pool)])
        self.deviation, self.center = space.deviation(), space.center()
        self.farthest = self._offsets(self.pool).norm(dim=1).max()
        self.bounds = space.latent.bounds / self.deviation.clamp(min=1e-6)

    def __call__(
        self, x: Tensor, label: Tensor | None, steps: int, progress: Callable[[int], None]
    ) -> tuple[Tensor, Tensor]:
        """Points (n, full width) and conditions (n, ...) for images (n, c, h, w) as networks see them."""
        points, labels = self._starts(x, label)
        selection = max(2, int(SELECTION * steps))
        for kept, begin, end in ((FINALISTS, 0, selection), (1, selection, max(selection + 2, steps))):
            points, errors = self._moved(points, labels, x, range(begin, end), progress)
            best = errors.topk(min(kept, errors.shape[1]), dim=1, largest=False).indices  # (n, kept)
            points = points.gather(1, best[:, :, None].expand(-1, -1, points.shape[2]))
            labels = labels[torch.arange(len(best), device=best.device)[:, None], best]
        return points[:, 0], labels[:, 0]

    @torch.no_grad()
    def _starts(self, x: Tensor, label: Tensor | None) -> tuple[Tensor, Tensor]:
        """Points (n, starts, full width) and conditions (n, starts, ...) from which the search starts."""
        distances = torch.cdist(_averaged(x, 2).flatten(1), self.pool_images.flatten(1))  # (n, pool)
        if label is not None and label.ndim == 1:
            distances = distances.masked_fill(label[:, None] != self.labels, torch.inf)
        nearest = distances.topk(STARTS, dim=1, largest=False).indices
        points, labels = self.pool[nearest], self.labels[nearest]
        if label is not None:
            labels = label[:, None].expand_as(labels).clone()
        guess = self.space.latent.guess(x, labels[:, 0] if self.space.model.game.conditional else None)
        if guess is not None:
            points[:, -1] = guess
            labels[:, -1] = labels[:, 0]
        return points, labels

    def _moved(
        self, points: Tensor, labels: Tensor, x: Tensor, steps: range, progress: Callable[[int], None]
    ) -> tuple[Tensor, Tensor]:
        """Points (n, k, full width) after some steps, and the errors of their images, (n, k)."""
        n, k, _ = points.shape
        fixed = torch.where(self.space.movable, self.center, points.flatten(0, 1))
        offsets = self._offsets(points.flatten(0, 1)).requires_grad_()
        target, label = x.repeat_interleave(k, 0), labels.flatten(0, 1) if self.space.model.game.conditional else None
        optimizer = torch.optim.Adam([offsets], RATE, betas=(0.9, 0.99))
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, len(steps))
        for step in steps:
            optimizer.zero_grad()
            images = self.space.values(fixed + offsets * self.deviation, label)
            self._loss(images, target).sum().backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
            self._restrict(offsets)
            progress(step + 1)
        moved = fixed + offsets.detach() * self.deviation
        return moved.view(n, k, -1), self._loss(self.space.values(moved, label), target).view(n, k)

    def _loss(self, images: Tensor, target: Tensor) -> Tensor:
        """The loss of each image, (n,)."""
        loss = _pixel_loss(images, target)
        return loss + self.perceptual * distance(images.clamp(-1, 1), target) if self.perceptual else loss

    def _offsets(self, points: Tensor) -> Tensor:
        """Differences from the center in standard deviations, (n, full width); 0 for what may not be moved."""
        return torch.where(self.space.movable, (points - self.center) / self.deviation.clamp(min=1e-6), 0.0)

    @torch.no_grad()
    def _restrict(self, offsets: Tensor) -> None:
        """Move points back to where samples are drawn."""
        offsets.mul_((self.farthest / offsets.norm(dim=1, keepdim=True)).clamp(max=1))
        offsets.clamp_(-self.bounds, self.bounds)


def _averaged(x: Tensor, side: int) -> Tensor:
    """Images with the means of squares of pixels."""
    return F.avg_pool2d(x, min(side, *x.shape[2:]), ceil_mode=True)


def _pixel_loss(images: Tensor, target: Tensor) -> Tensor:
    """Differences of pixels and of averaged pixels, (n,). Values beyond black or white are written as black or white,
    and so cost nothing.
    """
    difference = images - target
    difference = torch.where(
        target >= 1, difference.clamp(max=0), torch.where(target <= -1, difference.clamp(min=0), difference)
    )
    averaged = (_averaged(difference, side).square().mean((1, 2, 3)) for side in SCALES)
    return sum(averaged, difference.square().mean((1, 2, 3)))

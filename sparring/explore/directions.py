"""Directions in a model's space along which samples change, found without labels and with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from sparring.explore.layers import Layers
from sparring.explore.space import Space
from sparring.games.stylegan import StyleGAN
from sparring.model import Model
from sparring.nets.stylegan2 import Modulated
from sparring.seeds import Seeds, seeded

Method = Literal["sefa", "pca"]
REACH = 3.0  # deviations to either side; beyond them few samples are drawn, and pictures break
POINTS = 4000  # that components are taken over, at most
NUMBERS = 2**26  # in the activations of all these, at most
LOOKED = 8  # points that slopes are taken at
STEP = 0.1  # deviations, of a slope's difference
TOLD = 4000  # samples that a probe learns from


@dataclass(frozen=True)
class Direction:
    """A way to move points of a `Space`: `point + t * vector`.

    Attributes:
        name: short.
        vector: (full width,); 0 where points may not be moved. A step of 1 goes as far as points deviate along it, and
            at least as far as one of their numbers deviates on the mean.
        share: of the variance, for "pca"; of the sum of eigenvalues, for "sefa"; for "probe" of the pairs of samples,
            one with the label and one without, that it tells right (the area under the ROC curve), unseen ones.
        method: "sefa", "pca" or "probe".
        reach: the t up to which it is sensible to go to either side.
    """

    name: str
    vector: Tensor
    share: float | None
    method: str
    reach: float = REACH


def directions(model: Model, method: Method, n: int = 8, seed: int = 0) -> list[Direction]:
    """Directions without labels, the strongest first.

    "sefa": eigenvectors of A^T A, where A is what the first layer makes of the latents, or all layers' affine maps of
    the styles (Shen and Zhou 2020, arXiv:2007.06600). "pca": principal components of the styles, or of the activations
    of a layer half-way through G, brought back to the latents by linear regression (Härkönen et al. 2020,
    arXiv:2004.02546); within classes, where there are any.

    Args:
        n: how many, at most.
        seed: of the samples that are looked at.

    Raises:
        InputError: where samples are made of no latents, or no layer takes them.
    """
    space = Space(model)
    vectors, shares = (_sefa if method == "sefa" else _components)(space, n, seed)
    deviation = space.deviation()
    points = _within(space, space.draw(POINTS, seed))
    signs = torch.stack([vector[vector.abs().argmax()].sign() for vector in vectors])  # either is as good: always one
    return [
        Direction(f"{method} {i + 1}", _scaled(vector, points, deviation), float(share), method)
        for i, (vector, share) in enumerate(zip(vectors * signs[:, None], shares, strict=True))
    ]


def probe(
    model: Model,
    tell: Callable[[Tensor], Tensor],
    names: Sequence[str],
    n: int = TOLD,
    seed: int = 0,
) -> list[Direction]:
    """A direction for each label: the normal of the plane that tells points whose samples have it from the others, by
    logistic regression (Shen et al. 2019, arXiv:1907.10786). Labels that hardly any samples have are left out.

    Args:
        tell: what nets make (n, *shape) -> probabilities of the labels (n, labels).
        names: of the labels.
        n: samples that it is learnt from.

    Raises:
        InputError: where samples are made of no latents.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score

    space, deviation = Space(model), Space(model).deviation()
    points = space.draw(n, seed)
    with torch.no_grad():
        told = torch.cat([tell(space.pictures(*part)) for part in parts(space, points)]).argmax(1).cpu().numpy()
    seen = ((points - points.mean(0)) / deviation.clamp(min=1e-6))[:, space.movable].cpu().numpy()
    learnt, found = n * 3 // 4, []
    for label, name in enumerate(names):
        has = told == label
        if min(has[:learnt].sum(), has[learnt:].sum(), (~has[learnt:]).sum()) < 2:
            continue
        fitted = LogisticRegression(C=0.1, class_weight="balanced").fit(seen[:learnt], has[:learnt])
        share = roc_auc_score(has[learnt:], fitted.decision_function(seen[learnt:]))
        vector = torch.zeros_like(deviation)
        vector[space.movable] = torch.from_numpy(np.asarray(fitted.coef_[0], np.float32)).to(vector)
        vector = _scaled(vector * deviation, points - points.mean(0), deviation)
        found.append(Direction(name, vector, float(share), "probe"))
    return found


def parts(space: Space, points: Tensor) -> Iterator[tuple[Tensor, Tensor | None]]:
    """Some points at a time, with labels in turn."""
    labels, chunk = space.labels(len(points)), space.model.modality.chunk_size
    for start in range(0, len(points), chunk):
        yield points[start : start + chunk], None if labels is None else labels[start : start + chunk]


def _scaled(vector: Tensor, points: Tensor, deviation: Tensor) -> Tensor:
    """A vector at the length that a `Direction` has."""
    vector = vector / vector.norm()
    usual = deviation[deviation > 0].square().mean().sqrt()
    scaled: Tensor = vector * torch.maximum(usual, (points @ vector).std())
    return scaled


def _within(space: Space, x: Tensor) -> Tensor:
    """Of all points' (n, ...), in their order, what is not their class's mean: (n, d)."""
    flat, classes = x.flatten(1), max(1, space.model.game.classes)
    kinds = torch.arange(len(flat), device=flat.device) % classes
    sums = torch.zeros(classes, flat.shape[1], device=flat.device).index_add_(0, kinds, flat)
    return flat - (sums / torch.bincount(kinds, minlength=classes).clamp(min=1)[:, None])[kinds]


def _sefa(space: Space, n: int, seed: int) -> tuple[Tensor, Tensor]:
    """Eigenvectors (n, full width) and their shares."""
    game = space.model.game
    if isinstance(game, StyleGAN):
        weights = [module.style.scaled()[0] for module in game.G.modules() if isinstance(module, Modulated)]
        products = sum(A.detach().T @ A.detach() for A in weights)
        assert isinstance(products, Tensor)
    else:
        products = _slopes(space, seed)
    values, vectors = torch.linalg.eigh(products)
    best = values.argsort(descending=True)[: min(n, len(values))]
    whole = torch.zeros(len(best), len(space.movable), device=products.device)
    whole[:, space.movable] = vectors.T[best]
    # Slopes are by deviations, and so are the vectors; those of styles are by lengths.
    return whole if space.name == "w" else whole * space.deviation(), values[best] / values.sum()


@torch.no_grad()
def _slopes(space: Space, seed: int) -> Tensor:
    """A^T A, (width, width), of the first layer that takes the latents, in units of their deviation: the mean over some
    points, since the layer may be another for every one-hot part.
    """
    step = torch.diag(STEP * space.deviation())[space.movable]  # (width, full width)
    labels = space.labels(LOOKED)
    products = torch.zeros(space.width, space.width, device=step.device)
    with Layers(space) as layers:
        for i, point in enumerate(space.draw(LOOKED, seed)):
            label = None if labels is None else labels[i].expand(len(step))
            ahead, behind = (layers.first(point + side, label).flatten(1) for side in (step, -step))
            slope = (ahead - behind) / (2 * STEP)  # (width, numbers of the layer)
            products += slope @ slope.T / LOOKED
    return products


@torch.no_grad()
def _components(space: Space, n: int, seed: int) -> tuple[Tensor, Tensor]:
    """Principal components (n, full width) and their shares of the variance."""
    with seeded(Seeds(seed).key("components"), space.model.device):  # the algorithm begins at random
        if space.name == "w":
            points = _within(space, space.draw(POINTS, seed))
            _, sizes, found = torch.pca_lowrank(points, min(n + 4, space.width), center=False, niter=4)
            return found.T[:n], (sizes.square() / points.square().sum())[:n]
        with Layers(space) as layers:
            numbers = prod(layers.middle(space.draw(1, seed)).shape[1:])
            points = space.draw(min(POINTS, max(4 * space.width, NUMBERS // numbers)), seed)
            seen = torch.cat([layers.middle(*part) for part in parts(space, points)])
        seen, points = _within(space, seen), _within(space, points)
        many = min(n + 4, *seen.shape)
        _, sizes, found = torch.pca_lowrank(seen, many, center=False, niter=4)
        places = (seen @ found)[:, : min(n, space.width)]  # (points, n)
        back = torch.zeros(places.shape[1], points.shape[1], device=points.device)
        back[:, space.movable] = torch.linalg.lstsq(points[:, space.movable], places).solution.T
        return back * space.deviation().square(), (sizes.square() / seen.square().sum())[: len(back)]

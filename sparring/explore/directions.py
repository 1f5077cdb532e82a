"""Directions in a model's latent space along which samples change, found without labels and with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from sparring.explore.layers import Layers
from sparring.explore.space import Space
from sparring.model import Model
from sparring.seeds import Seeds, seeded

Method = Literal["sefa", "pca"]
REACH = 3.0  # standard deviations to either side; beyond them samples are rare and break
POINTS = 4000  # samples that components are computed from, at most
MAX_ACTIVATIONS = 2**26  # numbers in the activations of all these samples, at most
SLOPE_POINTS = 8  # points at which slopes of the first layer are measured
SLOPE_STEP = 0.1  # step of the finite differences, in standard deviations
PROBE_SAMPLES = 4000  # samples that a probe is fitted to


@dataclass(frozen=True)
class Direction:
    """A direction in which points of a `Space` are moved: `point + t * vector`.

    Attributes:
        name: short.
        vector: (full width,); 0 where points may not be moved. Its length is one standard deviation of the points along
            it, or that of an average number of a point if that is larger.
        share: for "pca" of the variance; for "sefa" of the sum of eigenvalues; for "probe" the area under the ROC curve
            on unseen samples: the probability that a sample with the label lies further along the direction than one
            without it.
        method: "sefa", "pca" or "probe".
        reach: largest sensible |t|.
    """

    name: str
    vector: Tensor
    share: float | None
    method: str
    reach: float = REACH


def directions(model: Model, method: Method, n: int = 8, seed: int = 0) -> list[Direction]:
    """Directions found without labels, the strongest first.

    "sefa": eigenvectors of A^T A, where A is the first layer's weight, or the affine maps of the styles in all layers
    (Shen and Zhou 2020, arXiv:2007.06600). "pca": principal components of the styles; or of the activations of a layer
    half-way through G, mapped back to the latents by linear regression (Härkönen et al. 2020, arXiv:2004.02546); within
    classes, if there are any.

    Args:
        n: number of directions, at most.
        seed: of the samples that are used.

    Raises:
        InputError: if the model has no latent space, or no layer takes the latents.
    """
    space = Space(model)
    vectors, shares = (_sefa if method == "sefa" else _components)(space, n, seed)
    points = _within_classes(space, space.draw(POINTS, seed))
    signs = torch.stack([vector[vector.abs().argmax()].sign() for vector in vectors])  # the sign is arbitrary: fix it
    return [
        Direction(f"{method} {i + 1}", _normalized(vector, points, space.deviation()), float(share), method)
        for i, (vector, share) in enumerate(zip(vectors * signs[:, None], shares, strict=True))
    ]


def probe(
    model: Model,
    classify: Callable[[Tensor], Tensor],
    names: Sequence[str],
    n: int = PROBE_SAMPLES,
    seed: int = 0,
) -> list[Direction]:
    """A direction for each label: the normal of the plane that separates the points of samples with the label from the
    others, by logistic regression (Shen et al. 2019, arXiv:1907.10786). Labels that hardly any sample has are left out.

    Args:
        classify: values of samples (n, *shape) -> probabilities of the labels (n, labels).
        names: of the labels.
        n: number of samples that it is fitted to.

    Raises:
        InputError: if the model has no latent space.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score

    space, deviation = Space(model), Space(model).deviation()
    points = space.draw(n, seed)
    with torch.no_grad():
        labels = torch.cat([classify(space.values(*batch)) for batch in space.batches(points)]).argmax(1).cpu().numpy()
    inputs = ((points - points.mean(0)) / deviation.clamp(min=1e-6))[:, space.movable].cpu().numpy()
    train, results = n * 3 // 4, []
    for label, name in enumerate(names):
        has = labels == label
        if min(has[:train].sum(), has[train:].sum(), (~has[train:]).sum()) < 2:
            continue
        classifier = LogisticRegression(C=0.1, class_weight="balanced").fit(inputs[:train], has[:train])
        share = roc_auc_score(has[train:], classifier.decision_function(inputs[train:]))
        vector = torch.zeros_like(deviation)
        vector[space.movable] = torch.from_numpy(np.asarray(classifier.coef_[0], np.float32)).to(vector)
        vector = _normalized(vector * deviation, points - points.mean(0), deviation)
        results.append(Direction(name, vector, float(share), "probe"))
    return results


def _normalized(vector: Tensor, points: Tensor, deviation: Tensor) -> Tensor:
    """A vector with the length of a `Direction`."""
    vector = vector / vector.norm()
    average = deviation[deviation > 0].square().mean().sqrt()
    scaled: Tensor = vector * torch.maximum(average, (points @ vector).std())
    return scaled


def _within_classes(space: Space, x: Tensor) -> Tensor:
    """The difference of vectors (n, ...) from the mean of their class, where classes take turns: (n, d)."""
    flat, classes = x.flatten(1), max(1, space.model.game.classes)
    labels = torch.arange(len(flat), device=flat.device) % classes
    sums = torch.zeros(classes, flat.shape[1], device=flat.device).index_add_(0, labels, flat)
    return flat - (sums / torch.bincount(labels, minlength=classes).clamp(min=1)[:, None])[labels]


def _sefa(space: Space, n: int, seed: int) -> tuple[Tensor, Tensor]:
    """Eigenvectors (n, full width) and their shares of the sum of eigenvalues."""
    weights = space.latent.weights()
    products = torch.stack([A.T @ A for A in weights]).sum(0) if weights else _measured_products(space, seed)
    values, vectors = torch.linalg.eigh(products)
    best = values.argsort(descending=True)[: min(n, len(values))]
    whole = torch.zeros(len(best), len(space.movable), device=products.device)
    whole[:, space.movable] = vectors.T[best]
    # Measured slopes are per standard deviation of each number, and so are their eigenvectors.
    return whole if weights else whole * space.deviation(), values[best] / values.sum()


@torch.no_grad()
def _measured_products(space: Space, seed: int) -> Tensor:
    """A^T A, (width, width), of the first layer that takes the latents, per standard deviation: the mean over some
    points, since the layer may differ for each value of a one-hot part.
    """
    step = torch.diag(SLOPE_STEP * space.deviation())[space.movable]  # (width, full width)
    conditions = space.conditions(SLOPE_POINTS)
    products = torch.zeros(space.width, space.width, device=step.device)
    with Layers(space) as layers:
        for i, point in enumerate(space.draw(SLOPE_POINTS, seed)):
            condition = None if conditions is None else conditions[i].expand(len(step), *conditions.shape[1:])
            after, before = (layers.first(point + shift, condition).flatten(1) for shift in (step, -step))
            slope = (after - before) / (2 * SLOPE_STEP)  # (width, outputs of the layer)
            products += slope @ slope.T / SLOPE_POINTS
    return products


@torch.no_grad()
def _components(space: Space, n: int, seed: int) -> tuple[Tensor, Tensor]:
    """Principal components (n, full width) and their shares of the variance."""
    with seeded(Seeds(seed).key("components"), space.model.device):  # the algorithm starts at random
        if space.latent.weights():
            points = _within_classes(space, space.draw(POINTS, seed))
            _, sizes, components = torch.pca_lowrank(points, min(n + 4, space.width), center=False, niter=4)
            return components.T[:n], (sizes.square() / points.square().sum())[:n]
        with Layers(space) as layers:
            outputs = prod(layers.middle(space.draw(1, seed)).shape[1:])
            points = space.draw(min(POINTS, max(4 * space.width, MAX_ACTIVATIONS // outputs)), seed)
            activations = torch.cat([layers.middle(*batch) for batch in space.batches(points)])
        activations, points = _within_classes(space, activations), _within_classes(space, points)
        rank = min(n + 4, *activations.shape)
        _, sizes, components = torch.pca_lowrank(activations, rank, center=False, niter=4)
        scores = (activations @ components)[:, : min(n, space.width)]  # (points, n)
        back = torch.zeros(scores.shape[1], points.shape[1], device=points.device)
        back[:, space.movable] = torch.linalg.lstsq(points[:, space.movable], scores).solution.T
        return back * space.deviation().square(), (sizes.square() / activations.square().sum())[: len(back)]

"""What classes samples are of, as a classifier sees it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from sparring.metrics.copies import diversity


@dataclass(frozen=True)
class InceptionScore:
    """Attributes:
    value: the mean over parts of the samples; from 1 to the number of classes, high where every sample is
        clearly of one class and all classes are there.
    deviation: over the parts; NaN where there is one only.
    """

    value: float
    deviation: float


def inception_score(probabilities: Tensor, parts: int = 10) -> InceptionScore:
    """exp of the mean divergence of a sample's classes from those of its part. Salimans et al. 2016,
    arXiv:1606.03498 (there with the classes of Inception).

    Args:
        probabilities: (n, classes), rows sum to 1.
        parts: that the score is computed of apart, as the paper does.
    """
    scores = []
    for p in probabilities.double().chunk(parts):
        mean = p.mean(0, keepdim=True)
        scores.append((torch.xlogy(p, p) - torch.xlogy(p, mean)).sum(1).mean().exp())
    found = torch.stack(scores)
    return InceptionScore(float(found.mean()), float(found.std()) if len(found) > 1 else float("nan"))


@dataclass(frozen=True)
class Hit:
    """Attributes:
    modes: of so many counts, how many are above 0.
    total: counts in all.
    kl: divergence of the counts' shares from uniform, in nats; 0 where all are equal.
    """

    modes: int
    total: int
    kl: float


def hit(counts: Tensor) -> Hit:
    """Which modes samples are of, from the number of samples of each (modes,).

    The divergence is that of the samples from the data where these are uniform (the "reverse" one). Of a
    perfect sampler it is about (modes - 1) / (2 n) for n samples.
    """
    shares = counts.double() / max(1.0, float(counts.sum()))
    if not counts.sum():
        return Hit(0, len(counts), float("inf"))
    kl = torch.xlogy(shares, shares * len(counts)).sum()
    return Hit(int((counts > 0).sum()), len(counts), max(0.0, float(kl)))


def imbalance(counts: Tensor, real: Tensor) -> float:
    """How far the classes of samples (classes,) are from the data's: half the sum of the differences of their
    shares, 0 where they are the same and at most 1.
    """
    a, b = (x.double() / max(1.0, float(x.sum())) for x in (counts, real))
    return float((a - b).abs().sum() / 2)


def within(features: Tensor, classes: Tensor) -> Tensor:
    """The mean distance of pairs of one class, for each class: (classes,), NaN where it has less than two.

    Args:
        features: (n, d), in random order.
        classes: of each, (n,).
    """
    found = torch.full((int(classes.max()) + 1,), float("nan"))
    for label in set(classes.tolist()):
        own = features[classes == label]
        if len(own) > 1:
            found[label] = diversity(own, own.roll(1, 0))
    return found

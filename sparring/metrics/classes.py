"""Metrics of the classes that a classifier predicts for samples."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from sparring.metrics.copies import diversity


@dataclass(frozen=True)
class InceptionScore:
    """The Inception Score.

    Attributes:
        value: mean over parts of the samples, from 1 to the number of classes. It is high if every sample clearly
            belongs to one class and all classes occur.
        deviation: standard deviation over the parts; NaN if there is only one.
    """

    value: float
    deviation: float


def inception_score(probabilities: Tensor, parts: int = 10) -> InceptionScore:
    """exp of the mean KL divergence of a sample's class probabilities from the mean of its part. Salimans et al. 2016,
    arXiv:1606.03498 (there with the classes of Inception).

    Args:
        probabilities: (n, classes), rows sum to 1.
        parts: number of parts that the score is computed for separately, as in the paper.
    """
    scores = []
    for p in probabilities.double().chunk(parts):
        mean = p.mean(0, keepdim=True)
        scores.append((torch.xlogy(p, p) - torch.xlogy(p, mean)).sum(1).mean().exp())
    values = torch.stack(scores)
    return InceptionScore(float(values.mean()), float(values.std()) if len(values) > 1 else float("nan"))


@dataclass(frozen=True)
class ModeCoverage:
    """Number of modes with samples.

    Attributes:
        modes: number of modes with at least one sample.
        total: number of modes.
        kl: KL divergence of the modes' shares from the uniform distribution in nats; 0 if all are equal.
    """

    modes: int
    total: int
    kl: float


def mode_coverage(counts: Tensor) -> ModeCoverage:
    """Coverage of modes, from the number of samples in each of them, (modes,).

    For uniform data, the divergence is that of the samples from the data (the "reverse" one). For a perfect sampler it
    is about (modes - 1) / (2 n) with n samples.
    """
    shares = counts.double() / max(1.0, float(counts.sum()))
    if not counts.sum():
        return ModeCoverage(0, len(counts), float("inf"))
    kl = torch.xlogy(shares, shares * len(counts)).sum()
    return ModeCoverage(int((counts > 0).sum()), len(counts), max(0.0, float(kl)))


def imbalance(counts: Tensor, real: Tensor) -> float:
    """Total variation distance between the class shares of samples and of the data, in [0, 1]; 0 if they are equal.

    Args:
        counts, real: number of samples and of real items in each class, (classes,).
    """
    a, b = (x.double() / max(1.0, float(x.sum())) for x in (counts, real))
    return float((a - b).abs().sum() / 2)


def class_diversity(features: Tensor, classes: Tensor) -> Tensor:
    """Mean distance between pairs of one class, for each class: (classes,), NaN for classes with fewer than two items.

    Args:
        features: (n, d), in random order.
        classes: class of each item, (n,).
    """
    distances = torch.full((int(classes.max()) + 1,), float("nan"))
    for label in set(classes.tolist()):
        own = features[classes == label]
        if len(own) > 1:
            distances[label] = diversity(own, own.roll(1, 0))
    return distances
